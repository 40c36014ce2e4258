// <mask-painter name="mask" form="...">: paint the area of the image that may change. A form control:
// a PNG (white = change, black = keep) is submitted like a chosen file. It is rendered after every
// stroke, in the size given in the markup: Run may follow at once, and the image may load late.
// Strokes are points in fractions of the image: undo and invert are exact, resizing has no effect.

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

class MaskPainter extends HTMLElement {
  static formAssociated = true;
  internals = this.attachInternals();
  strokes = [];

  connectedCallback() {
    const tools = this.closest(".stage-body").querySelector(".mask-tools");
    this.eraser = tools.querySelector("[value=erase]");
    this.size = tools.querySelector("[name=brush-size]"); // radius in thousandths of the image's width
    this.canvas = this.querySelector("canvas");
    this.size.addEventListener("input", () => this.moveTo(this.at));
    this.addEventListener("command", (event) => this.use(event.command));
    this.addEventListener("keydown", (event) => this.key(event));
    this.canvas.addEventListener("pointerdown", (event) => this.press(event));
    this.canvas.addEventListener("pointermove", (event) => this.drag(event));
    this.canvas.addEventListener("lostpointercapture", () => this.finish());
    this.moveTo([0.5, 0.5]);
    this.draw();
  }

  use(command) {
    if (command === "--invert") this.strokes.push({ points: [this.at], radius: 20, mode: "xor" }); // everywhere
    if (command === "--undo") this.strokes.pop();
    if (command === "--clear") this.strokes = [];
    this.finish();
  }

  moveTo(point) {
    this.at = point.map((value) => Math.min(1, Math.max(0, value)));
    this.style.setProperty("--x", this.at[0]);
    this.style.setProperty("--y", this.at[1]);
    this.style.setProperty("--radius", this.size.value / 1000);
  }

  begin(...points) {
    const mode = this.eraser.checked ? "destination-out" : "source-over";
    this.strokes.push({ points, radius: this.size.value / 1000, mode });
  }

  press(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.begin();
    this.drag(event);
  }

  drag(event) {
    const box = this.canvas.getBoundingClientRect();
    this.moveTo([(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height]);
    if (!this.canvas.hasPointerCapture(event.pointerId)) return;
    this.strokes.at(-1).points.push(this.at);
    this.draw();
  }

  key(event) {
    const arrow = ARROWS[event.key];
    if (arrow) this.moveTo(this.at.map((value, axis) => value + arrow[axis] * (event.shiftKey ? 0.05 : 0.01)));
    else if (event.key === "[") this.size.stepDown(10);
    else if (event.key === "]") this.size.stepUp(10);
    else if (event.key === "z" && (event.ctrlKey || event.metaKey)) this.use("--undo");
    else if (event.key === " ") {
      this.begin(this.at);
      this.finish();
    } else return;
    this.moveTo(this.at);
    event.preventDefault();
    event.stopPropagation();
  }

  draw() {
    const { width, height } = this.querySelector("img").attributes;
    const scale = Math.min(1, 1280 / Math.max(width.value, height.value)); // a mask's longest side, pixels
    this.canvas.width = Math.max(1, Math.round(width.value * scale)); // also clears it
    this.canvas.height = Math.max(1, Math.round(height.value * scale));
    this.trace(this.canvas.getContext("2d"), "#ff3d7f");
  }

  trace(pen, colour) {
    const { width, height } = pen.canvas;
    pen.strokeStyle = colour;
    pen.lineCap = pen.lineJoin = "round";
    for (const { points, radius, mode } of this.strokes) {
      pen.globalCompositeOperation = mode;
      pen.lineWidth = radius * width * 2;
      pen.beginPath();
      pen.moveTo(points[0][0] * width + 0.1, points[0][1] * height); // otherwise a single click draws no line
      for (const [x, y] of points) pen.lineTo(x * width, y * height);
      pen.stroke();
    }
  }

  finish() {
    this.draw();
    this.internals.setFormValue(this.strokes.length ? this.file() : null);
  }

  file() {
    const sheet = this.canvas.cloneNode(); // same size, empty
    const pen = sheet.getContext("2d");
    this.trace(pen, "#fff");
    pen.globalCompositeOperation = "destination-over";
    pen.fillStyle = "#000";
    pen.fillRect(0, 0, sheet.width, sheet.height);
    const bytes = Uint8Array.from(atob(sheet.toDataURL().split(",")[1]), (byte) => byte.charCodeAt(0));
    return new File([bytes], "mask.png", { type: "image/png" });
  }
}

customElements.define("mask-painter", MaskPainter);
