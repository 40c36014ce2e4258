// Uploads show their progress, of which fetch says nothing: `data-progress` is the id of a <progress>.
const send = (bar) => (url, { method, headers, body }) => new Promise((resolve, reject) => {
  const { dataset } = bar.parentElement;
  const request = new XMLHttpRequest();
  request.open(method, url);
  for (const header of Object.entries(headers)) request.setRequestHeader(...header);
  request.upload.onprogress = ({ loaded, total }) => (dataset.sent = bar.value = Math.floor((100 * loaded) / total));
  request.onload = () => {
    const pairs = [...request.getAllResponseHeaders().matchAll(/^(.+?): (.*)$/gm)].map(([, ...pair]) => pair);
    const redirected = request.responseURL !== new URL(url, location).href;
    // All that htmx and app.js read of a response:
    resolve({ status: request.status, headers: new Headers(pairs), redirected, text: () => request.response });
  };
  request.onerror = () => reject(new TypeError("Failed to send"));
  request.onloadend = () => bar.removeAttribute("value");
  request.send(body);
});
document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  const bar = document.getElementById(ctx.sourceElement.dataset.progress);
  if (bar) ctx.fetch = send(bar);
});
