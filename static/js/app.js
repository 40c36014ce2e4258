// What HTML and htmx cannot do alone. Everything is delegated from the document: it also works for
// parts that arrive later, and no page needs an inline script.

const find = (selector, root = document) => root.querySelector(selector);
const findAll = (selector) => [...document.querySelectorAll(selector)];
const on = (type, act, capture = false) => document.addEventListener(type, act, capture);

// --- Files: button, drop and paste all go through the one real file input.

function upload(file) {
  const input = find("#file");
  if (!input || !file) return;
  const carrier = new DataTransfer();
  carrier.items.add(file);
  input.files = carrier.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

const dropping = (yes) => document.body.classList.toggle("dropping", yes);
on("dragleave", (event) => event.relatedTarget || dropping(false));
on("dragover", (event) => {
  if (!event.dataTransfer.types.includes("Files") || !find("#file")) return;
  event.preventDefault();
  dropping(true);
});
on("drop", (event) => {
  if (!event.dataTransfer.files.length) return;
  event.preventDefault();
  dropping(false);
  upload(event.dataTransfer.files[0]);
});
on("paste", (event) => upload(event.clipboardData.files[0]));

// --- Buttons that say in a data attribute what they do.

const ACTIONS = {
  pick: (selector) => find(selector).click(),
  open: (selector) => find(selector).showModal(),
  dismiss: (selector, button) => {
    const form = button.form;
    button.closest(selector).remove();
    form?.dispatchEvent(new Event("change", { bubbles: true }));
  },
  fill: (words) => {
    find("#prompt").value = words;
    find("#prompt").focus();
  },
  mask: (tool) => find("mask-painter").use(tool),
};

on("click", (event) => {
  if (event.target.matches("dialog[open]")) event.target.close(); // the backdrop
  const button = event.target.closest("button");
  for (const [name, act] of Object.entries(ACTIONS)) {
    if (button && name in button.dataset) act(button.dataset[name], button);
  }
});
on("input", ({ target }) => {
  if (target.dataset.out) find(target.dataset.out).textContent = target.value;
  if (target.name === "brush") find("mask-painter").use(target.value);
  if (target.name === "brush-size") find("mask-painter").resize(target.value / 1000);
});
// Captured, so before htmx collects the form: choosing a quality lets go of an exact model.
on("change", ({ target }) => target.name === "tier" && (find("#model").value = ""), true);
on("animationend", (event) => event.animationName === "leave" && event.target.remove());

// --- Keys: a control names its own in aria-keyshortcuts. Single keys never fire while typing.

const TYPING = "textarea, select, input:not([type=radio], [type=checkbox], [type=range]), mask-painter";
const singleKeys = find("#single-keys");
singleKeys.checked = localStorage.getItem("single-keys") !== "off";
singleKeys.addEventListener("change", () => {
  localStorage.setItem("single-keys", singleKeys.checked ? "on" : "off");
});

function meantBy(key) {
  const versions = findAll("#rail .node");
  const current = versions.findIndex((version) => version.hasAttribute("aria-current"));
  if (key === "[") return versions[current - 1];
  if (key === "]") return versions[current + 1];
  return findAll(`[aria-keyshortcuts="${CSS.escape(key)}"]`).find((element) => element.checkVisibility());
}

on("keydown", (event) => {
  const control = event.ctrlKey || event.metaKey;
  if (control && event.key === "Enter") find("#studio-form")?.requestSubmit();
  if (control || event.altKey || !singleKeys.checked || event.target.closest(TYPING)) return;
  const element = meantBy(event.key);
  if (!element) return;
  event.preventDefault();
  element.focus();
  element.click();
});

// --- Requests that go wrong. The answers we write ourselves are swapped where hx-status says.

function unreachable(element) {
  const words = element.closest("[data-unreachable]")?.dataset.unreachable;
  if (!words) return;
  find("#prompt-error").replaceChildren(find("#problem").content.cloneNode(true));
  find("#prompt-error span").textContent = words;
}

on("htmx:after:request", (event) => {
  const { sourceElement, response, text } = event.detail.ctx;
  if (response.raw.redirected) location.reload(); // the session ended: sign in, then come back here
  else if (response.status < 400 || text.trim().startsWith('<p class="problem"')) return;
  else unreachable(sourceElement); // a whole page of a proxy or of a crash
  event.preventDefault();
});
on("htmx:error", ({ detail }) => detail.ctx && unreachable(detail.ctx.sourceElement));
on("htmx:finally:request", ({ detail }) => {
  const source = detail.ctx.sourceElement;
  if (source.type === "file") source.value = ""; // or the same file again would be no change
});

// --- After a swap: local times, what was unfolded stays so, lost focus goes where its owner says.

function localiseTimes() {
  const style = { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };
  for (const time of findAll("time[data-local]")) {
    time.textContent = new Date(time.dateTime).toLocaleString("en-GB", style).replace(",", "");
    delete time.dataset.local;
  }
}
on("htmx:after:process", localiseTimes);

let unfolded = false;
let focused = document.body;
let heir;
on("focusin", ({ target }) => {
  focused = target;
  heir = target.closest("[data-focus-next]")?.dataset.focusNext;
});
on("htmx:before:swap", () => (unfolded = find("#params details")?.open));
on("htmx:after:swap", () => {
  if (unfolded) find("#params details")?.setAttribute("open", "");
  if (heir && !focused.isConnected && document.activeElement === document.body) find(heir)?.focus();
});

// --- The live connection

const offline = (yes) => document.body.classList.toggle("offline", yes);
on("htmx:ws:after:connection", () => offline(false));
on("htmx:ws:close", ({ detail }) => detail.reason === "closed" && offline(true));
// A page out of the back/forward cache has lost its socket, and with it the truth.
window.addEventListener("pageshow", (event) => event.persisted && location.reload());
