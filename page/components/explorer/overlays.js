// @ts-check
// Overlays: what lies over a painted view: links of a merge, overrides, the cursor, the pinned group.

import { area, borders, middle, patchBox } from "./layout.js";
import { stroke, thickness } from "./paint.js";

/** @import { Palette } from "../common.js" */
/** @import { Box, Grid } from "./layout.js" */
/** @import { Override } from "./overrides.js" */
/** @import { Context } from "./paint.js" */
/** @import { Run } from "./run.js" */
/** @import { Spot } from "./state.js" */

/** @typedef {Override["kind"] | "both"} Overridden what is done to a token */

const DARK = "rgba(0, 0, 0, 0.75)"; // beside a light line, so that it is seen on any picture

export class Overlays {
  /** @param {Run} run @param {Palette} palette */
  constructor(run, palette) {
    this.run = run;
    this.palette = palette;
  }

  /**
   * From each token that a round merged to the one it joined.
   *
   * @param {Context} ctx
   * @param {Box} box
   * @param {number} view
   * @param {number} round
   * @param {number} grown share of the way that is drawn
   */
  links(ctx, box, view, round, grown) {
    const grid = this.run.views[view];
    const cell = Math.min(box.w / grid.cols, box.h / grid.rows);
    const lines = new Path2D();
    const ends = new Path2D();
    for (const { from, to } of this.run.merging.links(view, round)) {
      const [x, y] = middle(grid, box, from);
      const [endX, endY] = middle(grid, box, to);
      lines.moveTo(x, y);
      lines.lineTo(x + grown * (endX - x), y + grown * (endY - y));
      ends.moveTo(endX, endY);
      ends.arc(endX, endY, Math.max(1.5, cell / 8), 0, 2 * Math.PI);
    }
    const width = Math.max(1, cell / 14);
    stroke(ctx, lines, DARK, width + Math.max(1.5, width));
    stroke(ctx, ends, DARK, Math.max(1.5, width));
    stroke(ctx, lines, this.palette.line, width);
    ctx.fillStyle = this.palette.alive;
    ctx.fill(ends);
  }

  /**
   * Protected groups have a line of their own and a plus, removed ones are hatched and have a cross.
   *
   * @param {Context} ctx
   * @param {Box} box
   * @param {number} view
   * @param {Map<number, Overridden>} kinds by token
   */
  overrides(ctx, box, view, kinds) {
    const grid = this.run.views[view];
    for (const kind of new Set(kinds.values())) {
      const own = (/** @type {number} */ patch) => kinds.get(this.run.token(view, patch)) === kind;
      const label = (/** @type {number} */ patch) => (own(patch) ? this.run.token(view, patch) : -1);
      if (kind !== "protect") this.hatch(ctx, area(grid, box, own), box, grid);
      this.rim(ctx, box, grid, label, (token) => token >= 0, this.colourOf(kind), 1);
      for (const patch of firstPatches(grid.patches, label)) this.badge(ctx, patchBox(grid, box, patch), kind);
    }
  }

  /**
   * The rectangle that is about to be marked.
   *
   * @param {Context} ctx
   * @param {Box} box
   * @param {number} view
   * @param {(patch: number) => boolean} isInside
   */
  selection(ctx, box, view, isInside) {
    const grid = this.run.views[view];
    ctx.fillStyle = "rgba(255, 255, 255, 0.16)";
    ctx.fill(area(grid, box, isInside));
    const path = borders(grid, box, isInside, (inside) => inside);
    const wide = thickness(grid, box) + 1;
    stroke(ctx, path, DARK, wide + 2);
    ctx.setLineDash([4 * wide, 2 * wide]);
    stroke(ctx, path, "#ffffff", wide);
    ctx.setLineDash([]);
  }

  /** @param {Overridden} kind */
  colourOf(kind) {
    return kind === "protect" ? this.palette.protected : this.palette.line;
  }

  /** @param {Context} ctx @param {Path2D} path @param {Box} box @param {Grid} grid */
  hatch(ctx, path, box, grid) {
    const step = Math.max(4, Math.min(box.w / grid.cols, box.h / grid.rows) / 3);
    ctx.save();
    ctx.clip(path);
    ctx.fillStyle = "rgba(6, 9, 16, 0.62)";
    ctx.fill(path);
    const lines = new Path2D();
    for (let at = -box.h; at < box.w; at += step) {
      lines.moveTo(box.x + at, box.y + box.h);
      lines.lineTo(box.x + at + box.h, box.y);
    }
    stroke(ctx, lines, "rgba(255, 255, 255, 0.7)", Math.max(1, step / 6));
    ctx.restore();
  }

  /**
   * A round sign in the middle of a patch: plus, cross, or both for a token with two of them.
   *
   * @param {Context} ctx
   * @param {Box} box
   * @param {Overridden} kind
   */
  badge(ctx, { x, y, w, h }, kind) {
    const size = Math.max(5, Math.min(w, h) * 0.36);
    const [midX, midY] = [x + w / 2, y + h / 2];
    const sign = new Path2D();
    const arm = size * 0.55;
    const slant = arm * 0.75;
    const stroked = (/** @type {number} */ dx, /** @type {number} */ dy) => {
      sign.moveTo(midX - dx, midY - dy);
      sign.lineTo(midX + dx, midY + dy);
    };
    if (kind !== "remove") {
      stroked(arm, 0);
      stroked(0, arm);
    }
    if (kind !== "protect") {
      stroked(slant, slant);
      stroked(slant, -slant);
    }
    const disc = new Path2D();
    disc.arc(midX, midY, size, 0, 2 * Math.PI);
    ctx.fillStyle = "#0b0e14";
    ctx.fill(disc);
    stroke(ctx, disc, this.colourOf(kind), Math.max(1, size / 6));
    stroke(ctx, sign, this.colourOf(kind), Math.max(1.5, size / 4));
  }

  /**
   * The patch that is read: its group outlined, itself brighter.
   *
   * @param {Context} ctx
   * @param {Box} box
   * @param {Spot} spot
   * @param {(patch: number) => number} label the group of a patch
   */
  cursor(ctx, box, { view, patch }, label) {
    const grid = this.run.views[view];
    const { x, y, w, h } = patchBox(grid, box, patch);
    ctx.fillStyle = "rgba(255, 255, 255, 0.22)";
    ctx.fillRect(x, y, w, h);
    const holds = (/** @type {number} */ one) => label(one) === label(patch);
    this.rim(ctx, box, grid, holds, (inside) => inside, "#ffffff", 0);
  }

  /**
   * The pinned group: lit up, everything else of a view under a veil.
   *
   * @param {Context} ctx
   * @param {Box} box
   * @param {number} view
   * @param {number} token
   */
  pin(ctx, box, view, token) {
    ctx.fillStyle = "rgba(6, 9, 16, 0.55)";
    ctx.fill(area(this.run.views[view], box, (one) => this.run.token(view, one) !== token));
    this.outline(ctx, box, view, token, this.palette.alive, 1);
  }

  /**
   * @param {Context} ctx
   * @param {Box} box
   * @param {number} view
   * @param {number} token
   * @param {string} colour
   * @param {number} more pixels of line
   */
  outline(ctx, box, view, token, colour, more) {
    const holds = (/** @type {number} */ patch) => this.run.token(view, patch) === token;
    this.rim(ctx, box, this.run.views[view], holds, (inside) => inside, colour, more);
  }

  /**
   * A line between patches with different labels, and at the rim where `rims` says so, with a dark one beside it.
   *
   * @template L
   * @param {Context} ctx
   * @param {Box} box
   * @param {Grid} grid
   * @param {(patch: number) => L} label
   * @param {(label: L) => boolean} rims
   * @param {string} colour
   * @param {number} more pixels of line
   */
  rim(ctx, box, grid, label, rims, colour, more) {
    const path = borders(grid, box, label, rims);
    stroke(ctx, path, DARK, thickness(grid, box) + more + 2);
    stroke(ctx, path, colour, thickness(grid, box) + more);
  }

  /**
   * A view that does not hold the pinned group.
   *
   * @param {Context} ctx
   * @param {Box} box
   */
  veil(ctx, box) {
    ctx.fillStyle = "rgba(6, 9, 16, 0.3)";
    ctx.fillRect(box.x, box.y, box.w, box.h);
  }
}

/**
 * The first patch of each label that is not negative.
 *
 * @param {number} patches
 * @param {(patch: number) => number} label
 */
function firstPatches(patches, label) {
  /** @type {Map<number, number>} */
  const first = new Map();
  for (let patch = patches - 1; patch >= 0; patch--) first.set(label(patch), patch);
  first.delete(-1);
  return first.values();
}
