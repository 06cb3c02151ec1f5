// @ts-check
// Patches: the attention of each word to every visual token, by layer and head, as patches.py packed it.

import { unpacked } from "../explorer/unpacking.js";

/**
 * `patches_record` of patches.py.
 *
 * @typedef {object} PatchesRecord
 * @property {[rows: number, columns: number][]} grids of each view
 * @property {number} numLayers
 * @property {number} numHeads 1 where only the mean over heads was recorded
 * @property {PackedSide[]} sides
 */

/** @typedef {{words: number} & Record<"row" | "last" | "levels" | "peaks", string>} PackedSide */

export const ALL = -1; // layers, or heads: their mean

/** What the words of one answer attended to. */
export class Attention {
  /** @param {PackedSide} side @param {number} numLayers @param {number} numHeads */
  constructor(side, numLayers, numHeads) {
    this.words = side.words; // the first ones, of which it is known
    this.numLayers = numLayers;
    this.numHeads = numHeads;
    this.row = unpacked(side.row, Int32Array); // of each patch of each view, -1 for none
    this.last = unpacked(side.last, Int16Array); // layer of each visual row, -1 for none
    this.levels = unpacked(side.levels, Uint8Array);
    this.peaks = unpacked(side.peaks, Float32Array);
    /** @type {number[][]} */
    this.entered = [...Array(numLayers).keys()].map((layer) => this.rowsIn(layer));
    this.starts = [0]; // where each layer begins
    for (const rows of this.entered) this.starts.push((this.starts.at(-1) ?? 0) + rows.length);
  }

  /** @param {number} layer */
  rowsIn(layer) {
    return [...this.last.keys()].filter((row) => this.last[row] >= layer);
  }

  /**
   * The share of attention on each visual row: of one layer, or the mean over those that hold visual tokens; of one
   * head or the mean over all. NaN for a row that is gone.
   *
   * @param {number} word
   * @param {number} layer
   * @param {number} head
   */
  shares(word, layer, head) {
    const layers = [...this.entered.keys()].filter((one) => this.entered[one].length && [ALL, one].includes(layer));
    const heads = head === ALL || this.numHeads === 1 ? [...Array(this.numHeads).keys()] : [head];
    const shares = new Float32Array(this.last.length).fill(NaN);
    for (const row of this.rowsIn(Math.max(0, layer))) shares[row] = 0;
    for (const layer of layers)
      for (const head of heads) this.add(shares, word, layer, head, 1 / (layers.length * heads.length));
    return shares;
  }

  /**
   * @param {Float32Array} shares
   * @param {number} word
   * @param {number} layer
   * @param {number} head
   * @param {number} weight
   */
  add(shares, word, layer, head, weight) {
    const one = word * this.numHeads + head;
    const start = one * this.starts[this.numLayers] + this.starts[layer];
    const step = (weight * this.peaks[one * this.numLayers + layer]) / 255;
    for (const [i, row] of this.entered[layer].entries()) shares[row] += step * this.levels[start + i];
  }

  /**
   * The patch whose token has the largest share; null where all are gone.
   *
   * @param {Float32Array} shares of the rows
   * @returns {{share: number, at: number} | null} at: among the patches of all views
   */
  brightest(shares) {
    let best = null;
    for (const [at, row] of this.row.entries())
      if (row >= 0 && shares[row] > (best?.share ?? -1)) best = { share: shares[row], at };
    return best;
  }
}
