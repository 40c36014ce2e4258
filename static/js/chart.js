// The arrow keys go from one column of a chart to the next.
document.addEventListener("keydown", ({ key, target }) => {
  const next = { ArrowLeft: "previousElementSibling", ArrowRight: "nextElementSibling" }[key];
  target.closest(".columns li")?.[next]?.firstElementChild.focus();
});
