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
// The divide is its first control, and would consume the arrow keys.
on("htmx:after:settle", ({ target }) => target.querySelector("before-after :focus") && target.focus());
on("trashed", () => document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close()));
on("change", () => {
  if (find("#picked-count")) find("#picked-count").value = document.querySelectorAll(".pick:checked").length;
});
