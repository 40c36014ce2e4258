// Keeps what was entered in the Studio in this browser, for each user and workspace, until Run; recalls prompts.

const form = document.querySelector("#studio-form");
const NAMES = ["prompt", "tier", "model", "style", "character"];
const { draft } = form.dataset;

function save({ target }) {
  if (target.form !== form || !NAMES.includes(target.name)) return;
  const entered = new FormData(form);
  localStorage.setItem(draft, JSON.stringify(NAMES.map((name) => [name, entered.get(name) ?? ""])));
}

function restore() {
  for (const [name, value] of JSON.parse(localStorage.getItem(draft) ?? "[]")) {
    const control = form.elements[name];
    if (!control || control.value === value) continue;
    control.value = value; // of radio buttons, checks the one with this value
    const changed = control instanceof RadioNodeList ? [...control].find((radio) => radio.checked) : control;
    changed?.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

for (const type of ["input", "change"]) document.addEventListener(type, save);
// A link that fills in the form, such as Edit again, comes first. After htmx has started.
if (!location.search) addEventListener("load", restore);
document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
  if (ctx.sourceElement === form && ctx.response.status === 202) localStorage.removeItem(draft);
});

// The arrow keys step through earlier prompts if the field is empty or holds one of them.
let recalled = "";
document.addEventListener("keydown", (event) => {
  const prompt = event.target;
  const step = { ArrowUp: 1, ArrowDown: -1 }[event.key];
  if (!step || prompt.id !== "prompt" || !["", recalled].includes(prompt.value)) return;
  const prompts = ["", ...document.querySelectorAll("#history option")].map((option) => option.value ?? "");
  recalled = prompts[prompts.indexOf(prompt.value) + step] ?? prompt.value;
  prompt.value = recalled;
  event.preventDefault();
});
