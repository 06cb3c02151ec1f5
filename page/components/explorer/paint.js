// Paint: one view under one overlay. Colours and opacities are visual/palette.py's, as in figures.

/** A view three times: as it is, grey, and dimmed. */
function prepared(image, { dim, dimGrey }) {
  const plain = blank(image.naturalWidth, image.naturalHeight);
  plain.getContext("2d").drawImage(image, 0, 0);
  const pixels = plain.getContext("2d").getImageData(0, 0, plain.width, plain.height);
  return { plain, grey: recoloured(pixels, 1, 0), dim: recoloured(pixels, dimGrey * dim, (1 - dimGrey) * dim) };
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

/** Pixels of a line: thin beside a patch, yet visible on a large image. */
function thickness(grid, box) {
  return Math.min(4, Math.max(1, Math.round(Math.min(box.h / grid.rows, box.w / grid.cols) / 12)));
}

function stroke(ctx, path, colour, width) {
  Object.assign(ctx, { strokeStyle: colour, lineWidth: width, lineCap: "square" });
  ctx.stroke(path);
}

/** Paints views of one run; `palette` is browser_palette() of visual/palette.py. */
class Painter {
  constructor(run, pictures, palette) {
    Object.assign(this, { run, pictures, palette });
  }

  /** One view into `box`. choice: {overlay, layer, scale, round, head, iteration}. */
  view(ctx, view, box, choice) {
    ctx.save();
    ctx.beginPath();
    ctx.rect(box.x, box.y, box.w, box.h);
    ctx.clip();
    ctx.imageSmoothingQuality = "high";
    this[choice.overlay](ctx, view, box, choice);
    ctx.restore();
  }

  original(ctx, view, box) {
    this.picture(ctx, view, box, "plain");
  }

  /** Groups after a round, in the colours of those that they end in. */
  groups(ctx, view, box, { round }) {
    const { run } = this;
    const grid = run.views[view];
    const label = labelsAt(run, view, round);
    const sizes = new Map();
    for (let patch = 0; patch < grid.patches; patch++) sizes.set(label(patch), (sizes.get(label(patch)) || 0) + 1);
    const merged = (patch) => sizes.get(label(patch)) > 1;
    this.picture(ctx, view, box, "plain");
    this.tint(ctx, grid, box, this.palette.tint, (patch) => merged(patch) && run.colours[run.colour[run.token(view, patch)]]);
    stroke(ctx, borders(grid, box, label), `rgba(255, 255, 255, ${this.palette.faint})`, 1);
    const framed = (patch) => (merged(patch) ? label(patch) : -1); // all that were not merged are one region
    stroke(ctx, borders(grid, box, framed), this.palette.line, thickness(grid, box));
  }

  alive(ctx, view, box, { layer }) {
    const grid = this.run.views[view];
    const alive = (patch) => this.run.isAlive(this.run.token(view, patch), layer);
    this.picture(ctx, view, box, "dim");
    this.within(ctx, area(grid, box, alive), () => this.picture(ctx, view, box, "plain"));
    stroke(ctx, borders(grid, box, alive), this.palette.alive, thickness(grid, box));
  }

  scores(ctx, view, box, { layer, scale, head, iteration }) {
    const measured = this.run.measured(layer);
    if (measured === null) return this.picture(ctx, view, box, "plain");
    const scoreScale = this.run.scoreScale(measured, head, iteration);
    this.heat(ctx, view, box, (token) => scoreScale.unitScore(token, scale));
  }

  size(ctx, view, box) {
    const range = Math.log(Math.max(2, this.run.largest));
    this.heat(ctx, view, box, (token) => Math.log(this.run.sizes[token]) / range);
  }

  lastLayer(ctx, view, box) {
    this.heat(ctx, view, box, (token) => (this.run.last[token] + 1) / this.run.layers);
  }

  /** A colour for every token whose value is a number in [0, 1]; the others are dimmed. */
  heat(ctx, view, box, valueOf) {
    const grid = this.run.views[view];
    const values = Array.from({ length: grid.patches }, (_, patch) => valueOf(this.run.token(view, patch)));
    this.picture(ctx, view, box, "dim");
    this.within(ctx, area(grid, box, (patch) => !Number.isNaN(values[patch])), () => {
      this.picture(ctx, view, box, "grey");
      this.tint(ctx, grid, box, this.palette.heatOpacity, (patch) => this.heatColour(values[patch]));
    });
  }

  heatColour(value) {
    return Number.isNaN(value) ? null : this.palette.heat[Math.round(255 * Math.min(1, Math.max(0, value)))];
  }

  picture(ctx, view, box, which) {
    ctx.drawImage(this.pictures[view][which], box.x, box.y, box.w, box.h);
  }

  tint(ctx, grid, box, opacity, colourOf) {
    ctx.globalAlpha = opacity;
    for (let patch = 0; patch < grid.patches; patch++) {
      const colour = colourOf(patch);
      if (!colour) continue;
      const { x, y, w, h } = patchBox(grid, box, patch);
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
}

/** The group of each patch of a view: after a round where rounds were recorded, else in the end. */
function labelsAt(run, view, round) {
  if (round >= run.merging.rounds) return (patch) => run.token(view, patch);
  const numbers = run.merging.inView(view, round);
  return (patch) => numbers[patch];
}
