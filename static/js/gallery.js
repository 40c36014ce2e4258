// The lightbox has its own URL: closing it goes back, and going back closes it.

const { pathname } = location;
const find = (selector) => document.querySelector(selector);
const on = (type, act) => document.addEventListener(type, act);

find("#lightbox").addEventListener("close", () => location.pathname === pathname || history.back());
on("htmx:before:history:restore", (event) => {
  if (location.pathname !== pathname) return;
  event.preventDefault(); // the list is still here
  find("#lightbox").close();
  document.activeElement.blur(); // moves the focus now; otherwise the browser would drop it later
  (document.getElementById(find(".lightbox")?.dataset.tile) ?? find("#main")).focus();
});
// A list that arrives once the lightbox is open does not take over its URL.
on("htmx:before:history:update", (event) => {
  if (event.detail.sourceElement.matches(".filters") && location.pathname !== pathname) event.preventDefault();
});
// The divide is its first control, and would consume the arrow keys.
on("htmx:after:settle", ({ target }) => target.querySelector("before-after :focus") && target.focus());
on("trashed", () => document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close()));
// With Shift, all tiles since the one clicked before are picked, or released, like it.
let before;
on("click", ({ target, shiftKey }) => {
  const picks = [...document.querySelectorAll(".pick")];
  const [from, to] = [picks.indexOf(before), picks.indexOf(target)].sort((a, b) => a - b);
  if (shiftKey && from >= 0) picks.slice(from, to + 1).forEach((pick) => (pick.checked = target.checked));
  if (target.matches(".pick")) before = target;
});
on("change", () => find("#picked-count")?.replaceChildren(document.querySelectorAll(".pick:checked").length));
