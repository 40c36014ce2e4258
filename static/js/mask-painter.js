// <mask-painter name="mask" form="...">: paint over the image what may change. It is a form control:
// once something is painted, a PNG (white = change, black = keep, as large as the image shown)
// travels with the form like a chosen file. Strokes are kept as points in fractions of the image,
// so undo and invert are exact and a resized window changes nothing.

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

class MaskPainter extends HTMLElement {
  static formAssociated = true;
  internals = this.attachInternals();
  strokes = [];
  stroke = null; // the one being drawn; its radius is a fraction of the image's width
  erasing = false;

  connectedCallback() {
    this.image = this.querySelector("img");
    this.canvas = this.querySelector("canvas");
    this.resize(0.06);
    this.moveTo([0.5, 0.5]);
    this.image.onload = () => this.fit();
    this.fit();
    this.canvas.addEventListener("pointerdown", (event) => this.press(event));
    this.canvas.addEventListener("pointermove", (event) => this.drag(event));
    this.canvas.addEventListener("lostpointercapture", () => this.lift());
    this.addEventListener("keydown", (event) => this.key(event));
  }

  /** What the tools do: paint, erase, invert, undo, clear. */
  use(tool) {
    if (tool === "paint" || tool === "erase") this.erasing = tool === "erase";
    if (tool === "invert") this.strokes.push({ invert: true });
    if (tool === "undo") this.strokes.pop();
    if (tool === "clear") this.strokes = [];
    this.finish();
  }

  resize(radius) {
    this.radius = clamp(radius, 0.008, 0.25);
    this.style.setProperty("--radius", this.radius);
  }

  moveTo([x, y]) {
    this.at = [clamp(x, 0, 1), clamp(y, 0, 1)];
    this.style.setProperty("--x", this.at[0]);
    this.style.setProperty("--y", this.at[1]);
    this.stroke?.points.push(this.at);
  }

  press(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.begin();
    this.drag(event);
  }

  drag(event) {
    const box = this.canvas.getBoundingClientRect();
    this.moveTo([(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height]);
    if (this.stroke) this.draw();
  }

  begin() {
    this.stroke = { points: [], radius: this.radius, erase: this.erasing };
    this.strokes.push(this.stroke);
  }

  lift() {
    this.stroke = null;
    this.finish();
  }

  key(event) {
    const arrow = ARROWS[event.key];
    const far = event.shiftKey ? 0.05 : 0.01;
    if (arrow) this.moveTo(this.at.map((value, axis) => value + arrow[axis] * far));
    else if (event.key === "[") this.resize(this.radius * 0.8);
    else if (event.key === "]") this.resize(this.radius * 1.25);
    else if (event.key === "z" && (event.ctrlKey || event.metaKey)) this.use("undo");
    else if (event.key === " ") {
      this.begin();
      this.moveTo(this.at);
      this.lift();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  fit() {
    this.canvas.width = this.image.naturalWidth;
    this.canvas.height = this.image.naturalHeight;
    this.draw();
  }

  draw() {
    const pen = this.canvas.getContext("2d");
    pen.reset();
    this.trace(pen, "#ff3d7f");
  }

  trace(pen, colour) {
    const { width, height } = pen.canvas;
    pen.strokeStyle = pen.fillStyle = colour;
    pen.lineCap = pen.lineJoin = "round";
    for (const stroke of this.strokes) {
      if (stroke.invert) {
        pen.globalCompositeOperation = "xor";
        pen.fillRect(0, 0, width, height);
        continue;
      }
      pen.globalCompositeOperation = stroke.erase ? "destination-out" : "source-over";
      pen.lineWidth = stroke.radius * width * 2;
      pen.beginPath();
      // To the first point twice: a single click is a dot.
      for (const [x, y] of [stroke.points[0], ...stroke.points]) pen.lineTo(x * width, y * height);
      pen.stroke();
    }
  }

  async finish() {
    this.draw();
    this.internals.setFormValue(this.strokes.length ? await this.file() : null);
    this.dispatchEvent(new Event("change", { bubbles: true }));
  }

  async file() {
    const sheet = new OffscreenCanvas(this.canvas.width, this.canvas.height);
    const pen = sheet.getContext("2d");
    this.trace(pen, "#fff");
    pen.globalCompositeOperation = "destination-over";
    pen.fillStyle = "#000";
    pen.fillRect(0, 0, sheet.width, sheet.height);
    return new File([await sheet.convertToBlob({ type: "image/png" })], "mask.png", { type: "image/png" });
  }
}

customElements.define("mask-painter", MaskPainter);
