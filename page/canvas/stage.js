// Stage: the canvas itself. Draws all frames or one, and turns pointer, touch and keys into spots {frame, patch}.

const GAP = 10, CAPTION = 20; // CSS pixels

class Stage {
  constructor(canvas, words, on) {
    Object.assign(this, { canvas, words, on, boxes: new Map(), base: blank(1, 1), drawn: "" });
    canvas.addEventListener("pointermove", (event) => on.read(this.spot(event)));
    canvas.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && on.read(null));
    canvas.addEventListener("click", (event) => on.pin(this.spot(event)));
    canvas.addEventListener("dblclick", (event) => this.spot(event) && on.zoom());
    canvas.addEventListener("keydown", (event) => this.key(event));
  }

  /** A new run with its prepared pictures. */
  load(run, pictures, palette) {
    Object.assign(this, { run, pictures, painter: new Painter(run, pictures, palette), drawn: "" });
  }

  spot(event) {
    if (!this.run) return null;
    const ratio = this.canvas.width / this.canvas.clientWidth;
    return patchAt(this.run, this.boxes, event.offsetX * ratio, event.offsetY * ratio);
  }

  /** Everything, from the state. Frames are painted again only if something they depend on has changed. */
  draw(state) {
    const { canvas } = this;
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    const width = Math.round(canvas.clientWidth * ratio);
    const height = Math.round(canvas.clientHeight * ratio);
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const ctx = canvas.getContext("2d");
    ctx.clearRect(0, 0, width, height);
    if (!this.run || !width) return;
    this.place(state, width, height, ratio);
    const wanted = JSON.stringify([state.view, state.layer, state.scale, state.zoom && state.frame, width, height]);
    if (wanted !== this.drawn) this.paint(state, width, height);
    this.drawn = wanted;
    ctx.drawImage(this.base, 0, 0);
    this.captions(ctx, state, ratio);
    this.marks(ctx, state);
  }

  place(state, width, height, ratio) {
    const shown = state.zoom ? [state.frame] : [...Array(this.run.frames).keys()];
    const gap = Math.round(GAP * ratio);
    const proportion = this.run.width / this.run.height;
    const boxes = frameBoxes(width, height, shown.length, proportion, gap, Math.round(CAPTION * ratio));
    this.boxes = new Map(boxes.map((box, i) => [shown[i], box]));
  }

  paint(state, width, height) {
    Object.assign(this.base, { width, height });
    const ctx = this.base.getContext("2d");
    for (const [frame, box] of this.boxes) this.painter.frame(ctx, frame, box, state);
  }

  captions(ctx, state, ratio) {
    const style = getComputedStyle(this.canvas);
    ctx.textAlign = "left";
    for (const [frame, box] of this.boxes) {
      const chosen = frame === state.frame;
      ctx.font = `${chosen ? "600 " : ""}${Math.round(12 * ratio)}px ${style.fontFamily}`;
      ctx.fillStyle = chosen ? style.color : style.getPropertyValue("--tx-muted");
      const words = { frame: frame + 1, seconds: this.run.times[frame].toFixed(1) };
      const long = fill(this.words.caption, words);
      const text = ctx.measureText(long).width <= box.w ? long : String(frame + 1);
      ctx.fillText(text, box.x, box.y + box.h + Math.round(15 * ratio));
      if (!chosen || state.zoom) continue;
      ctx.fillStyle = this.painter.palette.alive;
      ctx.fillRect(box.x, box.y + box.h + Math.round(ratio), box.w, Math.round(2 * ratio));
    }
  }

  marks(ctx, { at, pinned }) {
    for (const [frame, box] of this.boxes) {
      const isCursor = at && at.frame === frame;
      if (pinned && pinned.frame !== frame) this.painter.veil(ctx, box);
      if (isCursor) this.painter.cursor(ctx, box, at);
      if (pinned && pinned.frame === frame) this.painter.pin(ctx, box, pinned);
    }
  }

  key(event) {
    if (!this.run || event.ctrlKey || event.metaKey || event.altKey) return;
    const { run } = this;
    const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    if (steps[event.key]) this.on.walk(...steps[event.key]);
    else if (event.key === "PageUp" || event.key === "PageDown") this.on.leap(event.key === "PageUp" ? -1 : 1);
    else if (event.key === "Enter" || event.key === " ") this.on.pin("here");
    else if (event.key === "Escape") this.on.pin(null);
    else if (event.key === "z") this.on.zoom();
    else if (event.key === "p") this.on.play();
    else if (event.key === "[" || event.key === "]") this.on.layer(event.key === "[" ? -1 : 1);
    else if (event.key >= "1" && event.key <= String(VIEWS.length)) this.on.view(VIEWS[event.key - 1]);
    else return;
    event.preventDefault();
  }
}
