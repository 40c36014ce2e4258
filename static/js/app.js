// What HTML and htmx cannot do alone. All listeners are on the document: they also cover parts that
// are swapped in later, and no page needs an inline script.

const find = (selector, root = document) => root.querySelector(selector);
const findAll = (selector, root = document) => [...root.querySelectorAll(selector)];
const on = (type, act, capture = false) => document.addEventListener(type, act, capture);

// The server renders times in the viewer's time zone.
document.cookie = `tz=${Intl.DateTimeFormat().resolvedOptions().timeZone}; path=/; max-age=31536000`;

// --- Files: button, drop and paste all use the two real file inputs, with one request per file.
function take({ files }, { target, shiftKey }) {
  const editing = !find("#chip-empty");
  let input = find(editing && (shiftKey || target.closest(".composer")) ? "#reference" : "#file");
  for (const file of files) {
    const carrier = new DataTransfer();
    carrier.items.add(file);
    input.files = carrier.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    input = find("#reference"); // of several files, only the first is edited
  }
}

const dropping = (yes) => document.body.classList.toggle("dropping", yes);
on("dragleave", (event) => event.relatedTarget || dropping(false));
on("dragover", (event) => {
  if (!event.dataTransfer.types.includes("Files") || !find("#file")) return;
  event.preventDefault();
  dropping(true);
});
on("drop", (event) => {
  if (event.dataTransfer.files.length) event.preventDefault();
  dropping(false);
  if (find("#file")) take(event.dataTransfer, event);
});
// Otherwise choosing the same file again would fire no change event:
on("htmx:finally:request", ({ target }) => target.type === "file" && (target.value = ""));
on("paste", (event) => find("#file") && take(event.clipboardData, event));

// --- Commands besides those built into HTML; `commandfor` names a button's target.
const COMMANDS = {
  "--pick": (input) => input.click(),
  "--fill": (field, { value }) => {
    Object.assign(field, { value }).focus();
    field.dispatchEvent(new Event("change", { bubbles: true }));
  },
  "--choose": (radio) => radio.click(),
  "--remove": (chip) => chip.remove(),
  "--earlier": (chip, button) => {
    chip.previousElementSibling?.before(chip);
    button.focus(); // moving it lost the focus
  },
  "--copy": (text, button) => {
    getSelection().selectAllChildren(text);
    // Unlike navigator.clipboard, this also works over plain http.
    if (document.execCommand("copy")) find(button.dataset.out).textContent = "Copied.";
  },
};
// The arrow keys click too, without a detail: the list of models stays open for them.
on("click", ({ target, detail }) => detail && target.closest(".model") && find("#model-list").hidePopover());
on("command", ({ command, target, source }) => COMMANDS[command]?.(target, source), true);
on("click", ({ target }) => target.closest("[data-dismiss]")?.closest(".toast, .failed").remove());

// --- Controls that show their value at once.
on("input", ({ target }) => {
  if (target.dataset.out) find(target.dataset.out).textContent = target.value;
  if (target.matches("before-after *")) target.parentElement.style.setProperty("--divide", `${target.value}%`);
});
on("change", ({ target }) => {
  // Captured, so before htmx collects the form: a quality and an exact model deselect each other.
  if (target.name === "tier") find("[name=model][value='']").checked = true;
  const tiers = target.name === "model" ? findAll("[name=tier]") : [];
  for (const tier of tiers) tier.checked = !target.value && tier.defaultChecked;
  if (target.dataset.preview) find(target.dataset.preview).src = URL.createObjectURL(target.files[0]);
}, true);
on("load", ({ target }) => URL.revokeObjectURL(target.src), true); // has no effect for other images
on("htmx:after:settle", ({ target }) => {
  if (!target.matches("dialog:not([open], :empty)")) return;
  // Closing it gives the focus back to what has it now, but a menu's entries are gone by then.
  const menu = document.activeElement.closest("[popover]");
  if (menu) find(`[popovertarget="${menu.id}"]`).focus();
  target.showModal();
});
on("close", ({ target }) => target.matches("[data-forget]") && target.replaceChildren(), true);

// --- Switches remembered by this browser.
for (const choice of findAll("#help .switch")) {
  choice.checked = (localStorage.getItem(choice.id) ?? `${choice.checked}`) === "true";
  choice.addEventListener("change", async () => {
    if (choice.id === "notify") choice.checked &&= (await Notification.requestPermission()) === "granted";
    localStorage.setItem(choice.id, choice.checked);
  });
}

// --- Keyboard shortcuts: in the control's aria-keyshortcuts. Single keys never fire while typing.
const TYPING = "textarea, select, input:not([type=radio], [type=checkbox], [type=range]), mask-painter";

on("keydown", (event) => {
  const { key, target } = event;
  const control = event.ctrlKey || event.metaKey;
  if (control && key === "Enter") find("#studio-form")?.requestSubmit();
  if (key === "Enter" && target.name === "model") {
    event.preventDefault(); // it would run the edit
    find("#model-list").hidePopover();
  }
  if (control || event.altKey || !find("#single-keys").checked || target.closest(TYPING)) return;
  if (key.startsWith("Arrow") && target.matches("input")) return;
  // In a list of cards, j and k walk; other keys are those of the card with the focus, or of the first. None
  // acts on another card, or while a request of this one is under way: its form may not have come yet.
  const modal = find("dialog:modal");
  const cards = modal ? [] : findAll("[data-card]");
  const at = cards.findIndex((card) => card.contains(target));
  if (cards.length && "jk".includes(key)) return cards[Math.max(0, key === "j" ? at + 1 : at - 1)]?.focus();
  const card = cards[at];
  const places = modal ? [modal] : [card ?? document, document];
  const named = places.flatMap((place) => findAll(`[aria-keyshortcuts~="${CSS.escape(key)}"]`, place));
  const may = (one) => !card || card.contains(one) || !one.closest("[data-card]");
  const element = named.find((one) => one.checkVisibility() && may(one));
  if (!element || (card?.contains(element) && find(".htmx-request", card))) return;
  event.preventDefault();
  element.focus();
  element.click();
});

// --- Failed requests. The portal's own error responses are swapped as hx-status says.
function failed(element, status) {
  const next = element.closest("[data-unreachable]")?.dataset.unreachable;
  if (!next) return;
  const { content, dataset } = find("#problem");
  const what = status ? `The portal did not answer as it should (status ${status}).` : dataset.none;
  const place = find("#prompt-error, #toasts");
  place[place.id === "toasts" ? "append" : "replaceChildren"](content.cloneNode(true));
  place.lastElementChild.lastElementChild.textContent = dataset[status] ?? `${what} ${next}`;
}

// After signing in again in another tab the token is another one: the request is repeated with it, once.
function repeat({ sourceElement, sourceEvent }, token) {
  document.body.setAttribute("hx-headers:inherited", JSON.stringify({ "X-CSRFToken": token }));
  for (const field of findAll("[name=csrfmiddlewaretoken]")) field.value = token;
  const again = () => sourceElement.dispatchEvent(new Event(sourceEvent.type, { bubbles: true, cancelable: true }));
  sourceElement.addEventListener("htmx:finally:request", () => setTimeout(again), { once: true });
}

on("htmx:after:request", (event) => {
  const { sourceElement, response, text } = event.detail.ctx;
  const token = response.raw.headers.get("X-CSRFToken");
  const ours = response.status < 400 ? !/^\s*<(!doctype|html)/i.test(text) : /^\s*<p class="problem"/.test(text);
  if (response.raw.redirected) location.reload(); // the session ended: sign in, then come back here
  else if (token && sourceElement.toggleAttribute("data-repeated")) repeat(event.detail.ctx, token);
  else if (ours) return sourceElement.removeAttribute("data-repeated");
  else failed(sourceElement, response.status); // a page of a proxy, or of a crash
  event.preventDefault();
});
on("htmx:error", ({ detail }) => detail.ctx && failed(detail.ctx.sourceElement));

// --- Run adds the entry that its result takes: Safari's Back skips the page before one added 10 s after a click.
on("submit", ({ target }) => {
  if (target.id === "studio-form" && !history.state?.awaits) history.pushState({ htmx: true, awaits: true }, "");
});
on("htmx:before:history:update", ({ detail }) => history.state?.awaits && (detail.history.type = "replace"));

// --- Focus lost by a swap, or not restored by a dialog, moves to where its owner says.
let focused = document.body;
on("focusin", ({ target }) => (focused = target));
const refocus = () => {
  const owner = focused.closest("[data-focus-next]");
  const lost = !focused.isConnected && document.activeElement === document.body;
  if (lost && owner) find(owner.dataset.focusNext)?.focus();
};
for (const type of ["htmx:after:swap", "close"]) on(type, refocus, true);

// --- Edits that end in a hidden tab: shown in the tab's title, and as a notification if enabled.
const { title } = document;
on("visibilitychange", () => (document.title = title));
on("htmx:after:settle", ({ detail }) => {
  const news = document.hidden && detail.newContent.find((node) => node.dataset?.news);
  if (news) document.title = news.dataset.news;
  if (news && "long" in news.dataset && find("#notify").checked) new Notification(news.innerText).onclick = focus;
});

// --- The live connection
on("htmx:ws:after:connection", () => document.body.classList.remove("offline"));
on("htmx:ws:close", ({ detail }) => detail.reason === "closed" && document.body.classList.add("offline"));
// Each end is shown once: after a reconnect the socket requests what ended since its last message.
on("htmx:ws:before:connection", ({ detail: { connection } }) => {
  connection.url = connection.url.replace(/since=.*/, `since=${find("#told").textContent}`);
});
// A page from the back/forward cache has lost its socket, and is stale.
window.addEventListener("pageshow", (event) => event.persisted && location.reload());

// --- Toasts: at most three, and none for a result that is on stage. After the tab's title was set.
on("htmx:after:settle", () => {
  for (const toast of findAll("[data-result]")) find(`#stage-${toast.dataset.result}`) && toast.remove();
  findAll(".toast").slice(0, -3).forEach((toast) => toast.remove());
});
