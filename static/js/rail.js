// Keys in the list of versions: arrows walk, Shift+Enter compares, Escape hides the tooltip. Enter follows the link.

document.addEventListener("keydown", (event) => {
  const { key, target, shiftKey } = event;
  const there = document.querySelectorAll(".tree li:is(:hover, :focus-within)");
  there.forEach((row) => row.classList.toggle("quiet", key === "Escape"));
  const row = target.closest(".tree li");
  const next = { ArrowUp: "previousElementSibling", ArrowDown: "nextElementSibling" }[key];
  if (!row || !(next || (shiftKey && key === "Enter"))) return;
  event.preventDefault();
  if (next) row[next]?.querySelector("a, button").focus();
  else row.querySelector(".compare")?.click();
});
