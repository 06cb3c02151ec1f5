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

  /** @param {Run[]} runs @param {(run: Run) => MethodTokens} tokensOf */
  begin(runs, tokensOf) {
    this.tiles = new Map(
      runs.map((run) => {
        const canvas = make("canvas", { role: "img" });
        const count = make("span");
        const figure = make("figure", {}, canvas, make("figcaption", {}, make("b", {}, run.title), count));
        for (const kind of /** @type {const} */ (["pointermove", "pointerdown"]))
          canvas.addEventListener(kind, (event) => this.read(this.spotAt(canvas, event)));
        canvas.addEventListener("pointerleave", ({ pointerType }) => pointerType === "mouse" && this.read(null));
        figure.addEventListener("pointerenter", () => this.point(run.name));
        figure.addEventListener("pointerleave", () => this.point(null));
        return [run.name, { title: run.title, figure, canvas, count, tokens: tokensOf(run) }];
      }),
    );
    this.part.replaceChildren(...[...this.tiles.values()].map(({ figure }) => figure));
  }

  /** @param {Shown} shown @param {(alive: number, of: number) => string} captionOf */
  show(shown, captionOf) {
    [this.all, this.view] = [shown.all, shown.view];
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
