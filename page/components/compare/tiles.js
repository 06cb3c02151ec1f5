// @ts-check
// Tiles: for each run one frame, or all of them in a row, with the tokens that enter the layer; linked by the pointer.

import { make } from "../common.js";
import { borders, nearestPatch, patchBox } from "../explorer/layout.js";
import { contextOf, paintAlive, prepared, stroke } from "../explorer/paint.js";

/** @import { Palette } from "../common.js" */
/** @import { Box, Patches } from "../explorer/layout.js" */
/** @import { Picture } from "../explorer/paint.js" */
/** @import { Run } from "./compare.js" */
/** @import { MethodTokens } from "./tokens.js" */

/** @typedef {{view: number, patch: number}} Spot */
/** @typedef {{layer: number, view: number, all: boolean, at: Spot | null, on: string | null}} Shown */
/** @typedef {{title: string, figure: HTMLElement, canvas: HTMLCanvasElement, count: HTMLElement, tokens: MethodTokens}} Tile */

const GAP = 4; // CSS pixels between frames in a row
const GREY = "rgba(128, 128, 128, 0.55)"; // between groups, on light and on dark
const WIDEST = 480; // pixels of a picture
/** @type {Record<string, [rows: number, cols: number]>} */
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

export class Tiles {
  /**
   * @param {HTMLElement} part
   * @param {Palette} palette
   * @param {(at: Spot | null) => void} read
   * @param {(name: string | null) => void} point
   */
  constructor(part, palette, read, point) {
    this.part = part;
    this.palette = palette;
    this.read = read;
    this.point = point;
    /** @type {Map<string, Tile>} */
    this.tiles = new Map();
    /** @type {Picture[]} */
    this.pictures = [];
    /** @type {string[]} */
    this.addresses = [];
    /** @type {Patches[]} */
    this.views = [];
    this.all = false;
    this.view = 0;
    /** @type {Spot | null} */
    this.at = null;
  }

  /** @param {string[]} addresses of the views' pictures @param {Patches[]} views */
  async load(addresses, views) {
    this.views = views;
    if (addresses.join() === this.addresses.join()) return;
    [this.addresses, this.pictures] = [addresses, []];
    const images = await Promise.all(addresses.map((src) => loaded(src))).catch(() => []);
    if (this.addresses !== addresses) return;
    if (images.length < addresses.length) this.addresses = []; // one did not load: the next row asks again
    this.pictures = images.map((image) =>
      prepared(image, this.palette, null, Math.min(WIDEST, Math.max(1, image.naturalWidth))),
    );
  }

  /**
   * A tile for each run; one that is there stays, with the focus that it may have.
   *
   * @param {Run[]} runs
   * @param {(run: Run) => MethodTokens} tokensOf
   */
  begin(runs, tokensOf) {
    this.tiles = new Map(
      runs.map((run) => [run.name, { ...(this.tiles.get(run.name) ?? this.tile(run)), tokens: tokensOf(run) }]),
    );
    const figures = [...this.tiles.values()].map(({ figure }) => figure);
    for (const [i, figure] of figures.entries())
      if (this.part.children[i] !== figure) this.part.insertBefore(figure, this.part.children[i]);
    while (this.part.children.length > figures.length) this.part.lastElementChild?.remove();
  }

  /** @param {Run} run */
  tile({ name, title }) {
    const canvas = make("canvas", { role: "application", tabindex: 0 });
    const count = make("span");
    const figure = make("figure", {}, canvas, make("figcaption", {}, make("b", {}, title), count));
    for (const kind of /** @type {const} */ (["pointermove", "pointerdown"]))
      canvas.addEventListener(kind, (event) => this.read(this.spotAt(canvas, event)));
    canvas.addEventListener("pointerleave", ({ pointerType }) => pointerType === "mouse" && this.read(null));
    canvas.addEventListener("keydown", (event) => this.press(event));
    for (const [kind, on] of /** @type {const} */ ([
      ["pointerenter", name],
      ["pointerleave", null],
      ["focusin", name],
      ["focusout", null],
    ]))
      figure.addEventListener(kind, () => this.point(on));
    return { title, figure, canvas, count };
  }

  /** @param {Shown} shown @param {(alive: number, of: number) => string} captionOf */
  show(shown, captionOf) {
    [this.all, this.view, this.at] = [shown.all, shown.view, shown.at];
    this.part.dataset.all = String(shown.all);
    for (const [name, tile] of this.tiles) {
      tile.figure.dataset.on = String(name === shown.on);
      const shownViews = shown.all ? [...this.views.keys()] : [shown.view];
      const alive = tile.tokens.aliveIn(shownViews, shown.layer);
      const most = shownViews.reduce((sum, view) => sum + this.views[view].patches, 0);
      tile.count.textContent = captionOf(alive, most);
      tile.canvas.setAttribute("aria-label", `${tile.title}: ${tile.count.textContent}`);
      if (this.pictures.length === this.views.length) this.draw(tile, shown);
    }
  }

  /** @param {Tile} tile @param {Shown} shown */
  draw({ canvas, tokens }, { layer, at }) {
    const ratio = window.devicePixelRatio || 1;
    const width = Math.max(1, Math.round(canvas.clientWidth * ratio));
    const boxes = this.boxes(width, ratio);
    const height = Math.max(1, ...[...boxes.values()].map((box) => box.h));
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const ctx = contextOf(canvas);
    ctx.clearRect(0, 0, width, height);
    for (const [view, box] of boxes) {
      paintAlive(ctx, tokens, this.pictures[view], this.palette, view, box, layer);
      const groups = borders(this.views[view], box, (patch) => tokens.group(view, patch));
      stroke(ctx, groups, GREY, ratio);
      if (at?.view !== view) continue;
      const { x, y, w, h } = patchBox(this.views[view], box, at.patch);
      Object.assign(ctx, { strokeStyle: this.palette.line, lineWidth: 2 * ratio });
      ctx.strokeRect(x, y, w, h);
    }
  }

  /**
   * Where the shown views lie on a canvas of this width, in device pixels.
   *
   * @param {number} width
   * @param {number} ratio device pixels of a CSS pixel
   * @returns {Map<number, Box>}
   */
  boxes(width, ratio) {
    const shown = this.all ? [...this.views.keys()] : [this.view];
    const gap = Math.round(GAP * ratio);
    const w = Math.max(1, Math.floor((width - gap * (shown.length - 1)) / shown.length));
    const box = (/** @type {number} */ view, /** @type {number} */ i) => {
      const { plain } = this.pictures[view];
      return { x: i * (w + gap), y: 0, w, h: Math.max(1, Math.round((w * plain.height) / plain.width)) };
    };
    return new Map(shown.map((view, i) => [view, box(view, i)]));
  }

  /** Arrows go from patch to patch, Escape reads nothing. @param {KeyboardEvent} event */
  press(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const step = STEPS[event.key];
    if (!step && event.key !== "Escape") return;
    event.preventDefault();
    this.at = step ? this.beside(step) : null; // at once: the next key may come before it is drawn
    this.read(this.at);
  }

  /**
   * The patch beside the one that is read, in the next view where a row of all ends; the first of all if none is read.
   *
   * @param {[rows: number, cols: number]} step
   * @returns {Spot}
   */
  beside([down, right]) {
    const shown = this.all ? [...this.views.keys()] : [this.view];
    if (!this.at || !shown.includes(this.at.view)) return { view: shown[0], patch: 0 };
    const { view, patch } = this.at;
    const { rows, cols } = this.views[view];
    const row = Math.min(rows - 1, Math.max(0, Math.floor(patch / cols) + down));
    const col = (patch % cols) + right;
    const next = shown[shown.indexOf(view) + right];
    if (col >= 0 && col < cols) return { view, patch: row * cols + col };
    if (next === undefined) return this.at;
    const over = this.views[next];
    return { view: next, patch: Math.min(row, over.rows - 1) * over.cols + (right > 0 ? 0 : over.cols - 1) };
  }

  /** @param {HTMLCanvasElement} canvas @param {PointerEvent} event @returns {Spot | null} */
  spotAt(canvas, { offsetX, offsetY }) {
    if (this.pictures.length !== this.views.length) return null;
    const ratio = canvas.width / Math.max(1, canvas.clientWidth);
    for (const [view, box] of this.boxes(canvas.width, window.devicePixelRatio || 1)) {
      const [x, y] = [offsetX * ratio, offsetY * ratio];
      if (x >= box.x && x < box.x + box.w) return { view, patch: nearestPatch(this.views[view], box, x, y) };
    }
    return null;
  }
}

/** @param {string} src @returns {Promise<HTMLImageElement>} */
async function loaded(src) {
  const image = make("img", { src });
  await image.decode();
  return image;
}
