// @ts-check
// Heat strip: each view once for every answer, under the attention of the chosen word to its patches.

import { make } from "../common.js";
import { contextOf, HeatPainter, prepared } from "../explorer/paint.js";
import { Attention } from "./patches.js";

/** @import { Palette, Side } from "../common.js" */
/** @import { Patches } from "../explorer/layout.js" */
/** @import { Picture } from "../explorer/paint.js" */
/** @import { PatchesRecord } from "./patches.js" */

/** @typedef {{share: number, view: number}} Brightest of one answer's patches */
/** @typedef {Brightest | "nothing" | "unrecorded" | null} Shown of one answer; null where it has no such word */

const WIDTH = 264; // pixels of a canvas: twice the widest view of the strip

export class HeatStrip {
  /** @param {Palette} palette */
  constructor(palette) {
    this.palette = palette;
    /** @type {Map<string, Promise<Picture | null>>} */
    this.known = new Map(); // pictures by their addresses
    /** @type {(Picture | null)[]} */
    this.pictures = []; // of the views
    /** @type {Attention[]} */
    this.sides = [];
    /** @type {Patches[]} */
    this.views = [];
    /** @type {HTMLCanvasElement[][]} */
    this.canvases = []; // by view and side
  }

  /** @param {PatchesRecord | null} record */
  load(record) {
    const { grids, sides, numLayers, numHeads } = record ?? { grids: [], sides: [], numLayers: 0, numHeads: 0 };
    this.views = grids.map(([rows, cols]) => ({ rows, cols, patches: rows * cols }));
    this.sides = sides.map((side) => new Attention(side, numLayers, numHeads));
  }

  /**
   * New canvases, one for each view and side, and their pictures once they are there.
   *
   * @param {string[]} addresses of the pictures
   * @param {Side[]} sides
   * @param {(view: number, side: Side) => string} nameOf
   */
  async begin(addresses, sides, nameOf) {
    const own = addresses.map((_, view) =>
      sides.map((side) => make("canvas", { role: "img", "data-side": side, "aria-label": nameOf(view, side) })),
    );
    [this.canvases, this.pictures] = [own, []];
    this.known = new Map(addresses.map((url) => [url, this.known.get(url) ?? this.picture(url)]));
    const pictures = await Promise.all(addresses.map((url) => this.known.get(url) ?? null));
    if (this.canvases === own) this.pictures = pictures;
  }

  /**
   * Null for one that cannot be loaded.
   *
   * @param {string} url
   * @returns {Promise<Picture | null>}
   */
  async picture(url) {
    const image = make("img", { src: url });
    return image.decode().then(
      () => prepared(image, this.palette, null, WIDTH),
      () => null,
    );
  }

  /**
   * Draw the attention of these words, one of each answer.
   *
   * @param {(number | null)[]} words
   * @param {number} layer
   * @param {number} head
   * @returns {Shown[]}
   */
  show(words, layer, head) {
    return words.map((word, side) => {
      const attention = this.sides[side];
      const isKnown = attention && word !== null && word < attention.words;
      const shares = isKnown ? attention.shares(word, layer, head) : null;
      const best = shares && attention.brightest(shares);
      for (const view of this.canvases.keys()) this.draw(view, side, shares, best?.share ?? 0);
      if (!attention || word === null) return null;
      if (!isKnown) return "unrecorded";
      return best
        ? { share: best.share, view: Math.floor((best.at * this.canvases.length) / attention.row.length) }
        : "nothing";
    });
  }

  /**
   * One view as it is, or under shares of attention.
   *
   * @param {number} view
   * @param {number} side
   * @param {Float32Array | null} shares of the rows
   * @param {number} largest
   */
  draw(view, side, shares, largest) {
    const { canvases, pictures, palette, views } = this;
    const picture = pictures[view];
    if (!picture) return;
    const canvas = canvases[view][side];
    const { width, height } = picture.plain;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const box = { x: 0, y: 0, w: width, h: height };
    const row = this.sides[side]?.row ?? [];
    const wide = row.length / canvases.length;
    const token = (/** @type {number} */ view, /** @type {number} */ patch) => row[view * wide + patch];
    const painter = new HeatPainter({ views, token }, /** @type {Picture[]} */ (pictures), palette);
    if (!shares) painter.picture(contextOf(canvas), view, box, "plain");
    else painter.heat(contextOf(canvas), view, box, (row) => (row < 0 ? NaN : shares[row] / Math.max(largest, 1e-12)));
  }
}
