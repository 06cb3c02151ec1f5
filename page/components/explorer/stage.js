// Stage: the canvas itself. Draws all views or one, and turns pointer, touch and keys into spots {view, patch}.

const GAP = 10, CAPTION = 20; // CSS pixels
const PAINTED = ["overlay", "layer", "scale", "round", "head", "iteration"]; // what a painted view depends on
const GROWING = 450; // ms in which links grow

class Stage {
  constructor(canvas, texts, on) {
    Object.assign(this, { canvas, texts, on, boxes: new Map(), base: blank(1, 1), drawn: "", linked: "", since: 0 });
    canvas.addEventListener("pointermove", (event) => on.read(this.spot(event)));
    canvas.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && on.read(null));
    canvas.addEventListener("click", (event) => on.choose(this.spot(event)));
    canvas.addEventListener("dblclick", (event) => this.spot(event) && on.zoom());
    canvas.addEventListener("keydown", (event) => this.key(event));
  }

  /** A new run with its prepared pictures. */
  load(run, pictures, palette) {
    const [painter, overlays] = [new Painter(run, pictures, palette), new Overlays(run, palette)];
    Object.assign(this, { run, painter, overlays, palette, drawn: "" });
  }

  spot(event) {
    if (!this.run) return null;
    const ratio = this.canvas.width / this.canvas.clientWidth;
    return patchAt(this.run, this.boxes, event.offsetX * ratio, event.offsetY * ratio);
  }

  /** Everything, from the state. Views are painted again only if something they depend on has changed. */
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
    const wanted = JSON.stringify([PAINTED.map((name) => state[name]), state.zoom && state.view, width, height]);
    if (wanted !== this.drawn) this.paint(state, width, height);
    this.drawn = wanted;
    ctx.drawImage(this.base, 0, 0);
    this.captions(ctx, state, ratio);
    this.links(ctx, state);
    this.marks(ctx, state);
  }

  place(state, width, height, ratio) {
    const shown = state.zoom ? [state.view] : [...Array(this.run.numViews).keys()];
    const proportions = shown.map((view) => this.run.views[view].width / this.run.views[view].height);
    const boxes = viewBoxes(width, height, proportions, Math.round(GAP * ratio), Math.round(CAPTION * ratio));
    this.boxes = new Map(boxes.map((box, i) => [shown[i], box]));
  }

  paint(state, width, height) {
    Object.assign(this.base, { width, height });
    const ctx = this.base.getContext("2d");
    for (const [view, box] of this.boxes) this.painter.view(ctx, view, box, state);
  }

  captions(ctx, state, ratio) {
    const style = getComputedStyle(this.canvas);
    ctx.textAlign = "left";
    for (const [view, box] of this.boxes) {
      const chosen = view === state.view;
      ctx.font = `${chosen ? "600 " : ""}${Math.round(12 * ratio)}px ${style.fontFamily}`;
      ctx.fillStyle = chosen ? style.color : style.getPropertyValue("--tx-muted");
      const long = captionOf(this.run, this.texts, view);
      const text = ctx.measureText(long).width <= box.w ? long : shortName(this.run, view);
      ctx.fillText(text, box.x, box.y + box.h + Math.round(15 * ratio));
      if (!chosen || state.zoom) continue;
      ctx.fillStyle = this.palette.alive;
      ctx.fillRect(box.x, box.y + box.h + Math.round(ratio), box.w, Math.round(2 * ratio));
    }
  }

  /** Links of the round that is shown; they grow where motion is welcome. */
  links(ctx, state) {
    const round = Math.min(state.round, this.run.merging.rounds);
    const wanted = state.overlay === "groups" && state.links ? `${round}` : "";
    if (wanted !== this.linked) Object.assign(this, { linked: wanted, since: performance.now() });
    if (!wanted) return;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const grown = still ? 1 : Math.min(1, (performance.now() - this.since) / GROWING);
    for (const [view, box] of this.boxes) this.overlays.links(ctx, box, view, round, grown);
    if (grown < 1) this.on.redraw();
  }

  marks(ctx, { at, pinned, overlay, round, marks }) {
    const kinds = markedTokens(this.run, marks);
    for (const [view, box] of this.boxes) {
      if (pinned && pinned.view !== view) this.overlays.veil(ctx, box);
      this.overlays.marks(ctx, box, view, kinds);
      if (at && at.view === view) {
        const label = labelsAt(this.run, view, overlay === "groups" ? round : Infinity);
        this.overlays.cursor(ctx, box, at, label);
      }
      if (pinned && pinned.view === view) this.overlays.pin(ctx, box, pinned);
    }
  }

  key(event) {
    if (!this.run || event.ctrlKey || event.metaKey || event.altKey) return;
    const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    const plain = {
      PageUp: () => this.on.leap(-1), PageDown: () => this.on.leap(1),
      Enter: () => this.on.choose("here"), " ": () => this.on.choose("here"), Escape: () => this.on.pin(null),
      z: () => this.on.zoom(), p: () => this.on.play(), "[": () => this.on.layer(-1), "]": () => this.on.layer(1),
      ",": () => this.on.step(-1), ".": () => this.on.step(1), l: () => this.on.tool("look"),
      "+": () => this.on.tool("protect"), "-": () => this.on.tool("remove"), c: () => this.on.clear(),
    };
    if (steps[event.key]) this.on.walk(...steps[event.key]);
    else if (event.key >= "1" && event.key <= String(OVERLAYS.length)) this.on.overlay(OVERLAYS[event.key - 1]);
    else if (Object.hasOwn(plain, event.key)) plain[event.key]();
    else return;
    event.preventDefault();
  }
}
