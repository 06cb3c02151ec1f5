// @ts-check
// Paint: one view under one overlay. Colours and opacities are visual/palette.py's, as in figures.

import { area, borders, patchBox } from "./layout.js";

/** @import { Palette } from "../common.js" */
/** @import { Box, Grid, Patches } from "./layout.js" */
/** @import { Run } from "./run.js" */
/** @import { Choice } from "./state.js" */

/**
 * A view as it is, grey, and faded; `seen`: as the model got it, where that is known.
 *
 * @typedef {Record<"plain" | "grey" | "faded", HTMLCanvasElement> & {seen?: HTMLImageElement | null}} Picture
 */
/** @typedef {CanvasRenderingContext2D} Context */

/** @typedef {{views: Patches[], token: (view: number, patch: number) => number}} Tokens of each patch its visual token */

/**
 * @param {HTMLImageElement} image
 * @param {Palette} palette
 * @param {HTMLImageElement | null} seen
 * @param {number} width in pixels, as the image is if nothing is said
 * @returns {Picture}
 */
export function prepared(image, { fade, fadeGrey, pruned }, seen = null, width = image.naturalWidth) {
  const plain = blank(width, Math.max(1, Math.round((width * image.naturalHeight) / image.naturalWidth)));
  const ctx = contextOf(plain);
  ctx.imageSmoothingQuality = "high";
  ctx.drawImage(image, 0, 0, plain.width, plain.height);
  const pixels = ctx.getImageData(0, 0, plain.width, plain.height);
  return { plain, grey: recoloured(pixels, 1, 0, pruned), faded: recoloured(pixels, fadeGrey, fade, pruned), seen };
}

/**
 * Each pixel as a mix of its brightness and its colour, and then of another colour.
 *
 * @param {ImageData} pixels
 * @param {number} grey share of the brightness
 * @param {number} fade share of the other colour
 * @param {string} colour the other one, as #rrggbb
 */
function recoloured(pixels, grey, fade, colour) {
  const other = [1, 3, 5].map((at) => fade * Number.parseInt(colour.slice(at, at + 2), 16));
  const canvas = blank(pixels.width, pixels.height);
  const data = new Uint8ClampedArray(pixels.data);
  for (let i = 0; i < data.length; i += 4) {
    const light = 0.299 * data[i] + 0.587 * data[i + 1] + 0.114 * data[i + 2];
    for (let part = 0; part < 3; part++)
      data[i + part] = (1 - fade) * (grey * light + (1 - grey) * data[i + part]) + other[part];
  }
  contextOf(canvas).putImageData(new ImageData(data, pixels.width, pixels.height), 0, 0);
  return canvas;
}

/** @param {number} width @param {number} height */
export function blank(width, height) {
  return Object.assign(document.createElement("canvas"), { width, height });
}

/** @param {HTMLCanvasElement} canvas */
export function contextOf(canvas) {
  return /** @type {Context} */ (canvas.getContext("2d"));
}

/**
 * Pixels of a line: thin beside a patch, yet visible on a large image.
 *
 * @param {Grid} grid
 * @param {Box} box
 */
export function thickness(grid, box) {
  return Math.min(4, Math.max(1, Math.round(Math.min(box.h / grid.rows, box.w / grid.cols) / 12)));
}

/**
 * @param {Context} ctx
 * @param {Path2D} path
 * @param {string} colour
 * @param {number} width
 */
export function stroke(ctx, path, colour, width) {
  Object.assign(ctx, { strokeStyle: colour, lineWidth: width, lineCap: "square" });
  ctx.stroke(path);
}

/** Paints views under a value for each visual token. */
export class HeatPainter {
  /** @param {Tokens} tokens @param {Picture[]} pictures @param {Palette} palette */
  constructor(tokens, pictures, palette) {
    this.tokens = tokens;
    this.pictures = pictures;
    this.palette = palette;
  }

  /**
   * A colour for every token whose value is a number in [0, 1]; the others are faded.
   *
   * @param {Context} ctx
   * @param {number} view
   * @param {Box} box
   * @param {(token: number) => number} unitValue
   */
  heat(ctx, view, box, unitValue) {
    const grid = this.tokens.views[view];
    const values = Array.from({ length: grid.patches }, (_, patch) => unitValue(this.tokens.token(view, patch)));
    const paint = () => {
      this.picture(ctx, view, box, "grey");
      this.tint(ctx, grid, box, this.palette.heatOpacity, (patch) => this.heatColour(values[patch]));
    };
    if (!values.some(Number.isNaN)) return paint(); // a path of all patches is slow to clip to
    this.picture(ctx, view, box, "faded");
    this.within(
      ctx,
      area(grid, box, (patch) => !Number.isNaN(values[patch])),
      paint,
    );
  }

  /** @param {number} value */
  heatColour(value) {
    return Number.isNaN(value) ? null : this.palette.heat[Math.round(255 * Math.min(1, Math.max(0, value)))];
  }

  /** @param {Context} ctx @param {number} view @param {Box} box @param {"plain" | "grey" | "faded"} which */
  picture(ctx, view, box, which) {
    ctx.drawImage(this.pictures[view][which], box.x, box.y, box.w, box.h);
  }

  /**
   * @param {Context} ctx
   * @param {Patches} grid
   * @param {Box} box
   * @param {number} opacity
   * @param {(patch: number) => string | null} colourOf
   */
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

  /** @param {Context} ctx @param {Path2D} path @param {() => void} paint */
  within(ctx, path, paint) {
    ctx.save();
    ctx.clip(path);
    paint();
    ctx.restore();
  }
}

/** Paints views of one run under any overlay. */
export class Painter extends HeatPainter {
  /** @param {Run} run @param {Picture[]} pictures @param {Palette} palette */
  constructor(run, pictures, palette) {
    super(run, pictures, palette);
    this.run = run;
  }

  /**
   * One view into `box`.
   *
   * @param {Context} ctx
   * @param {number} view
   * @param {Box} box
   * @param {Choice} choice
   */
  view(ctx, view, box, choice) {
    ctx.save();
    ctx.beginPath();
    ctx.rect(box.x, box.y, box.w, box.h);
    ctx.clip();
    ctx.imageSmoothingQuality = "high";
    this[choice.overlay](ctx, view, box, choice);
    ctx.restore();
  }

  /**
   * The pixels that the model gets, each of them a block.
   *
   * @param {Context} ctx
   * @param {number} view
   * @param {Box} box
   */
  original(ctx, view, box) {
    const { seen } = this.pictures[view];
    if (!seen) return this.picture(ctx, view, box, "plain");
    ctx.imageSmoothingEnabled = false;
    ctx.drawImage(seen, box.x, box.y, box.w, box.h);
  }

  /**
   * Groups after a round, each in the mean colour of its pixels; left of the wipe the picture as it was.
   *
   * @param {Context} ctx
   * @param {number} view
   * @param {Box} box
   * @param {Choice} choice
   */
  groups(ctx, view, box, { round, wipe }) {
    const { run, palette } = this;
    const grid = run.views[view];
    const label = labelsAt(run, view, round);
    const colours = run.groupColours(view, label);
    this.tint(ctx, grid, box, 1, (patch) => colours.get(label(patch)) ?? null);
    const isDropped = (/** @type {number} */ patch) => round >= run.merging.rounds && run.isDropped(view, patch);
    this.within(ctx, area(grid, box, isDropped), () => this.picture(ctx, view, box, "faded"));
    const line = run.isLight(view) ? "0, 0, 0" : "255, 255, 255";
    const width = Math.max(1, Math.floor(thickness(grid, box) / 2));
    stroke(ctx, borders(grid, box, label), `rgba(${line}, ${palette.border})`, width);
    if (!wipe) return;
    const original = new Path2D();
    original.rect(box.x, box.y, Math.round(wipe * box.w), box.h);
    this.within(ctx, original, () => this.picture(ctx, view, box, "plain"));
    ctx.fillStyle = palette.alive;
    if (wipe < 1) ctx.fillRect(box.x + Math.round(wipe * box.w) - 1, box.y, 2, box.h);
  }

  /**
   * One group as it was before merging, everything else of its view grey.
   *
   * @param {Context} ctx
   * @param {number} view
   * @param {Box} box
   * @param {(patch: number) => boolean} isInside
   */
  group(ctx, view, box, isInside) {
    ctx.save();
    Object.assign(ctx, { globalCompositeOperation: "saturation", fillStyle: "grey" });
    ctx.fillRect(box.x, box.y, box.w, box.h);
    ctx.restore();
    this.within(ctx, area(this.run.views[view], box, isInside), () => this.picture(ctx, view, box, "plain"));
  }

  /**
   * What enters a layer keeps its colours, inside a line on its own side; a dot is on what went right before it.
   *
   * @param {Context} ctx
   * @param {number} view
   * @param {Box} box
   * @param {Choice} choice
   */
  alive(ctx, view, box, { layer }) {
    paintAlive(ctx, this.run, this.pictures[view], this.palette, view, box, layer);
  }

  /** @param {Context} ctx @param {number} view @param {Box} box @param {Choice} choice */
  scores(ctx, view, box, choice) {
    const { layer, scale, scorer, head, iteration } = choice;
    const measured = this.run.measured(layer);
    if (measured === null && this.run.lastScored < 0) return this.picture(ctx, view, box, "plain");
    if (measured === null) return this.alive(ctx, view, box, choice);
    const scoreScale = this.run.scoreScale(measured, head, iteration, scorer);
    this.heat(ctx, view, box, (token) => scoreScale.unitScore(token, scale, this.run.tokensOf[view]));
  }

  /** @param {Context} ctx @param {number} view @param {Box} box */
  size(ctx, view, box) {
    const range = Math.log(Math.max(2, this.run.largest));
    this.heat(ctx, view, box, (token) => (this.run.sizes[token] ? Math.log(this.run.sizes[token]) / range : NaN));
  }

  /** @param {Context} ctx @param {number} view @param {Box} box */
  lastLayer(ctx, view, box) {
    this.heat(ctx, view, box, (token) => (this.run.last[token] + 1) / this.run.layers);
  }
}

/**
 * One view with what enters a layer, see `Painter.alive`.
 *
 * @param {Context} ctx
 * @param {Pick<Run, "token" | "isAlive" | "isFolded" | "last"> & {views: Patches[]}} tokens
 * @param {Picture} picture
 * @param {Palette} palette
 * @param {number} view
 * @param {Box} box
 * @param {number} layer
 */
export function paintAlive(ctx, tokens, picture, palette, view, box, layer) {
  const grid = tokens.views[view];
  const isAlive = (/** @type {number} */ patch) => tokens.isAlive(tokens.token(view, patch), layer);
  ctx.drawImage(picture.faded, box.x, box.y, box.w, box.h);
  ctx.save();
  ctx.clip(area(grid, box, isAlive));
  ctx.drawImage(picture.plain, box.x, box.y, box.w, box.h);
  stroke(ctx, borders(grid, box, isAlive), palette.alive, 2 * thickness(grid, box));
  ctx.restore();
  Object.assign(ctx, { fillStyle: palette.alive, strokeStyle: palette.alive, lineWidth: 1 });
  for (let patch = 0; patch < grid.patches; patch++) {
    const token = tokens.token(view, patch);
    if (layer && tokens.last[token] === layer - 1) fillDot(ctx, patchBox(grid, box, patch), tokens.isFolded(token));
  }
}

/**
 * A square a sixth of a patch wide, at least 2 pixels, in its middle, as `dot` in visual/patch_grid.py has it.
 *
 * @param {Context} ctx
 * @param {Box} box of the patch
 * @param {boolean} isRing only a line around it
 */
function fillDot(ctx, { x, y, w, h }, isRing) {
  const side = Math.max(2, Math.floor(Math.min(w, h) / 6));
  const [left, top] = [Math.floor((2 * x + w - side) / 2), Math.floor((2 * y + h - side) / 2)];
  if (isRing) ctx.strokeRect(left - 0.5, top - 0.5, side + 1, side + 1);
  else ctx.fillRect(left, top, side, side);
}

/**
 * The group of each patch of a view: after a round where rounds were recorded, else in the end.
 *
 * @param {Run} run
 * @param {number} view
 * @param {number} round
 * @returns {(patch: number) => number}
 */
export function labelsAt(run, view, round) {
  if (round >= run.merging.rounds) return (patch) => run.token(view, patch);
  const numbers = run.merging.inView(view, round);
  return (patch) => numbers[patch];
}
