// <before-after>: two images and a native range, which brings keyboard, touch and screen readers
// along. This only moves the divide to where the range stands.

class BeforeAfter extends HTMLElement {
  connectedCallback() {
    const range = this.querySelector("input");
    const divide = () => {
      this.style.setProperty("--divide", `${range.value}%`);
      range.setAttribute("aria-valuetext", `${Math.round(range.value)}% before`);
    };
    range.addEventListener("input", divide);
    divide();
  }
}

customElements.define("before-after", BeforeAfter);
