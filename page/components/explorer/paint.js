// @ts-check
// Paint: one view under one overlay. Colours and opacities are visual/palette.py's, as in figures.

import { area, borders, patchBox } from "./layout.js";

/** @import { Palette } from "../common.js" */
/** @import { Box, Grid } from "./layout.js" */
/** @import { Run, View } from "./run.js" */
/** @import { Choice } from "./state.js" */

/** @typedef {Record<"plain" | "grey" | "dim", HTMLCanvasElement>} Picture a view as it is, grey, and dimmed */
/** @typedef {CanvasRenderingContext2D} Context */

/**
 * @param {HTMLImageElement} image
 * @param {Palette} palette
 * @returns {Picture}
 */
export function prepared(image, { dim, dimGrey }) {
  const plain = blank(image.naturalWidth, image.naturalHeight);
  const ctx = contextOf(plain);
  ctx.drawImage(image, 0, 0);
  const pixels = ctx.getImageData(0, 0, plain.width, plain.height);
  return { plain, grey: recoloured(pixels, 1, 0), dim: recoloured(pixels, dimGrey * dim, (1 - dimGrey) * dim) };
}

/**
 * Each pixel as a mix of its brightness and its colour.
 *
 * @param {ImageData} pixels
 * @param {number} grey share of the brightness
 * @param {number} colour share of the colour
 */
function recoloured(pixels, grey, colour) {
  const canvas = blank(pixels.width, pixels.height);
  const data = new Uint8ClampedArray(pixels.data);
  for (let i = 0; i < data.length; i += 4) {
    const light = 0.299 * data[i] + 0.587 * data[i + 1] + 0.114 * data[i + 2];
    for (let part = i; part < i + 3; part++) data[part] = grey * light + colour * data[part];
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

/** Paints views of one run. */
export class Painter {
  /** @param {Run} run @param {Picture[]} pictures @param {Palette} palette */
  constructor(run, pictures, palette) {
    this.run = run;
    this.pictures = pictures;
    this.palette = palette;
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

  /** @param {Context} ctx @param {number} view @param {Box} box */
  original(ctx, view, box) {
    this.picture(ctx, view, box, "plain");
  }

  /**
   * Groups after a round, in the colours of those that they end in.
   *
   * @param {Context} ctx
   * @param {number} view
   * @param {Box} box
   * @param {Choice} choice
   */
  groups(ctx, view, box, { round }) {
    const { run, palette } = this;
    const grid = run.views[view];
    const label = labelsAt(run, view, round);
    const sizes = new Map();
    for (let patch = 0; patch < grid.patches; patch++) sizes.set(label(patch), (sizes.get(label(patch)) ?? 0) + 1);
    const isMerged = (/** @type {number} */ patch) => sizes.get(label(patch)) > 1;
    const colour = (/** @type {number} */ patch) => run.colours[run.colour[run.token(view, patch)]];
    this.picture(ctx, view, box, "plain");
    this.tint(ctx, grid, box, palette.tint, (patch) => (isMerged(patch) ? colour(patch) : null));
    stroke(ctx, borders(grid, box, label), `rgba(255, 255, 255, ${palette.faint})`, 1);
    const framed = (/** @type {number} */ patch) => (isMerged(patch) ? label(patch) : -1); // the others are one region
    stroke(ctx, borders(grid, box, framed), palette.line, thickness(grid, box));
  }

  /** @param {Context} ctx @param {number} view @param {Box} box @param {Choice} choice */
  alive(ctx, view, box, { layer }) {
    const grid = this.run.views[view];
    const isAlive = (/** @type {number} */ patch) => this.run.isAlive(this.run.token(view, patch), layer);
    this.picture(ctx, view, box, "dim");
    this.within(ctx, area(grid, box, isAlive), () => this.picture(ctx, view, box, "plain"));
    stroke(ctx, borders(grid, box, isAlive), this.palette.alive, thickness(grid, box));
  }

  /** @param {Context} ctx @param {number} view @param {Box} box @param {Choice} choice */
  scores(ctx, view, box, choice) {
    const { layer, scale, head, iteration } = choice;
    const measured = this.run.measured(layer);
    if (measured === null && this.run.lastScored < 0) return this.picture(ctx, view, box, "plain");
    if (measured === null) return this.alive(ctx, view, box, choice);
    const scoreScale = this.run.scoreScale(measured, head, iteration);
    this.heat(ctx, view, box, (token) => scoreScale.unitScore(token, scale));
  }

  /** @param {Context} ctx @param {number} view @param {Box} box */
  size(ctx, view, box) {
    const range = Math.log(Math.max(2, this.run.largest));
    this.heat(ctx, view, box, (token) => Math.log(this.run.sizes[token]) / range);
  }

  /** @param {Context} ctx @param {number} view @param {Box} box */
  lastLayer(ctx, view, box) {
    this.heat(ctx, view, box, (token) => (this.run.last[token] + 1) / this.run.layers);
  }

  /**
   * A colour for every token whose value is a number in [0, 1]; the others are dimmed.
   *
   * @param {Context} ctx
   * @param {number} view
   * @param {Box} box
   * @param {(token: number) => number} unitValue
   */
  heat(ctx, view, box, unitValue) {
    const grid = this.run.views[view];
    const values = Array.from({ length: grid.patches }, (_, patch) => unitValue(this.run.token(view, patch)));
    const holds = area(grid, box, (patch) => !Number.isNaN(values[patch]));
    this.picture(ctx, view, box, "dim");
    this.within(ctx, holds, () => {
      this.picture(ctx, view, box, "grey");
      this.tint(ctx, grid, box, this.palette.heatOpacity, (patch) => this.heatColour(values[patch]));
    });
  }

  /** @param {number} value */
  heatColour(value) {
    return Number.isNaN(value) ? null : this.palette.heat[Math.round(255 * Math.min(1, Math.max(0, value)))];
  }

  /** @param {Context} ctx @param {number} view @param {Box} box @param {keyof Picture} which */
  picture(ctx, view, box, which) {
    ctx.drawImage(this.pictures[view][which], box.x, box.y, box.w, box.h);
  }

  /**
   * @param {Context} ctx
   * @param {View} grid
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
