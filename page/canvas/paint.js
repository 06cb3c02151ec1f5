// Paint: one frame in one view. The opacities are those of visual/overlay.py, so that page and figures agree.

const TINT = 0.42; // of a group's colour
const HEAT_OPACITY = 0.72;
const DIM = 0.38; // brightness of a pruned patch
const FAINT = 0.28; // of a line around a patch that was not merged

/** A frame three times: as it is, grey, and dimmed. */
function prepared(image) {
  const plain = blank(image.naturalWidth, image.naturalHeight);
  plain.getContext("2d").drawImage(image, 0, 0);
  const pixels = plain.getContext("2d").getImageData(0, 0, plain.width, plain.height);
  return { plain, grey: recoloured(pixels, 1, 0), dim: recoloured(pixels, 0.85 * DIM, 0.15 * DIM) };
}

/** Each pixel as a mix of its brightness and its colour. */
function recoloured(pixels, grey, colour) {
  const canvas = blank(pixels.width, pixels.height);
  const data = new Uint8ClampedArray(pixels.data);
  for (let i = 0; i < data.length; i += 4) {
    const light = 0.299 * data[i] + 0.587 * data[i + 1] + 0.114 * data[i + 2];
    for (let part = i; part < i + 3; part++) data[part] = grey * light + colour * data[part];
  }
  canvas.getContext("2d").putImageData(new ImageData(data, pixels.width, pixels.height), 0, 0);
  return canvas;
}

function blank(width, height) {
  return Object.assign(document.createElement("canvas"), { width, height });
}

/** Paints frames of one run; `palette` is browser_palette() of visual/palette.py. */
class Painter {
  constructor(run, pictures, palette) {
    Object.assign(this, { run, pictures, palette });
  }

  /** One frame into `box`. choice: {view, layer, scale}. */
  frame(ctx, frame, box, choice) {
    ctx.save();
    ctx.beginPath();
    ctx.rect(box.x, box.y, box.w, box.h);
    ctx.clip();
    ctx.imageSmoothingQuality = "high";
    this[choice.view](ctx, frame, box, choice);
    ctx.restore();
  }

  original(ctx, frame, box) {
    this.picture(ctx, frame, box, "plain");
  }

  groups(ctx, frame, box) {
    const { run } = this;
    const merged = (patch) => run.sizes[run.token(frame, patch)] > 1;
    this.picture(ctx, frame, box, "plain");
    this.tint(ctx, box, TINT, (patch) => merged(patch) && run.colours[run.colour[run.token(frame, patch)]]);
    this.lines(ctx, borders(run, box, (patch) => run.token(frame, patch)), `rgba(255, 255, 255, ${FAINT})`, 1);
    const framed = (patch) => (merged(patch) ? run.token(frame, patch) : -1); // all that were not merged are one region
    this.lines(ctx, borders(run, box, framed), this.palette.line, this.thickness(box));
  }

  alive(ctx, frame, box, { layer }) {
    const alive = (patch) => this.run.isAlive(this.run.token(frame, patch), layer);
    this.picture(ctx, frame, box, "dim");
    this.within(ctx, area(this.run, box, alive), () => this.picture(ctx, frame, box, "plain"));
    this.lines(ctx, borders(this.run, box, alive), this.palette.alive, this.thickness(box));
  }

  scores(ctx, frame, box, { layer, scale }) {
    const measured = this.run.measured(layer);
    if (measured === null) return this.picture(ctx, frame, box, "plain");
    this.heat(ctx, frame, box, (token) => this.run.height01(token, measured, scale));
  }

  size(ctx, frame, box) {
    const range = Math.log(Math.max(2, this.run.largest));
    this.heat(ctx, frame, box, (token) => Math.log(this.run.sizes[token]) / range);
  }

  death(ctx, frame, box) {
    this.heat(ctx, frame, box, (token) => (this.run.last[token] + 1) / this.run.layers);
  }

  /** A colour for every token whose value is a number in [0, 1]; the others are dimmed. */
  heat(ctx, frame, box, valueOf) {
    const values = Array.from({ length: this.run.patches }, (_, patch) => valueOf(this.run.token(frame, patch)));
    this.picture(ctx, frame, box, "dim");
    this.within(ctx, area(this.run, box, (patch) => !Number.isNaN(values[patch])), () => {
      this.picture(ctx, frame, box, "grey");
      this.tint(ctx, box, HEAT_OPACITY, (patch) => this.heatColour(values[patch]));
    });
  }

  heatColour(value) {
    return Number.isNaN(value) ? null : this.palette.heat[Math.round(255 * Math.min(1, Math.max(0, value)))];
  }

  picture(ctx, frame, box, which) {
    ctx.drawImage(this.pictures[frame][which], box.x, box.y, box.w, box.h);
  }

  tint(ctx, box, opacity, colourOf) {
    ctx.globalAlpha = opacity;
    for (let patch = 0; patch < this.run.patches; patch++) {
      const colour = colourOf(patch);
      if (!colour) continue;
      const { x, y, w, h } = patchBox(this.run, box, patch);
      ctx.fillStyle = colour;
      ctx.fillRect(x, y, w, h);
    }
    ctx.globalAlpha = 1;
  }

  within(ctx, path, paint) {
    ctx.save();
    ctx.clip(path);
    paint();
    ctx.restore();
  }

  lines(ctx, path, colour, width) {
    ctx.strokeStyle = colour;
    ctx.lineWidth = width;
    ctx.lineCap = "square";
    ctx.stroke(path);
  }

  /** Pixels of a line: thin beside a patch, yet visible on a large image. */
  thickness(box) {
    return Math.min(4, Math.max(1, Math.round(Math.min(box.h / this.run.rows, box.w / this.run.cols) / 12)));
  }

  /** The patch that is read: its group outlined, itself brighter. */
  cursor(ctx, box, { frame, patch }) {
    const token = this.run.token(frame, patch);
    const group = borders(this.run, box, (one) => this.run.token(frame, one) === token, (inside) => inside);
    const { x, y, w, h } = patchBox(this.run, box, patch);
    ctx.fillStyle = "rgba(255, 255, 255, 0.22)";
    ctx.fillRect(x, y, w, h);
    this.lines(ctx, group, "rgba(0, 0, 0, 0.7)", this.thickness(box) + 2);
    this.lines(ctx, group, "#ffffff", this.thickness(box));
  }

  /** The pinned group: lit up, everything else of its frame under a veil. */
  pin(ctx, box, { frame, patch }) {
    const token = this.run.token(frame, patch);
    const others = area(this.run, box, (one) => this.run.token(frame, one) !== token);
    const group = borders(this.run, box, (one) => this.run.token(frame, one) === token, (inside) => inside);
    ctx.fillStyle = "rgba(6, 9, 16, 0.55)";
    ctx.fill(others);
    this.lines(ctx, group, "rgba(0, 0, 0, 0.75)", this.thickness(box) + 3);
    this.lines(ctx, group, this.palette.alive, this.thickness(box) + 1);
  }

  /** A frame that does not hold the pinned group. */
  veil(ctx, box) {
    ctx.fillStyle = "rgba(6, 9, 16, 0.3)";
    ctx.fillRect(box.x, box.y, box.w, box.h);
  }
}
