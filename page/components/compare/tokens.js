// @ts-check
// Tokens: where the patches of one run went, unpacked once.

import { unpacked } from "../explorer/unpacking.js";

/** @import { Patches } from "../explorer/layout.js" */

/** @typedef {{row: string, last: string, into: string}} TokensRecord `tokens_record` of record.py */

export class MethodTokens {
  /** @param {Patches[]} views @param {TokensRecord} record */
  constructor(views, record) {
    this.views = views;
    this.row = unpacked(record.row, Int32Array); // of each patch
    this.last = unpacked(record.last, Int16Array); // of each visual row, the last layer that it entered
    this.into = unpacked(record.into, Int32Array); // the row that it was folded into after that, -1 for none
    this.wide = this.row.length / views.length; // patches of a view, filled up
    this.sizes = new Uint16Array(this.last.length); // patches behind each row
    for (const row of this.row) this.sizes[row]++;
  }

  /** @param {number} view @param {number} patch */
  token(view, patch) {
    return this.row[view * this.wide + patch];
  }

  /** @param {number} token */
  isFolded(token) {
    return this.into[token] >= 0;
  }

  /** @param {number} token @param {number} layer */
  isAlive(token, layer) {
    return this.last[token] >= layer;
  }

  /**
   * What a patch shares with others of its token; -1 for one that has a token of its own.
   *
   * @param {number} view
   * @param {number} patch
   */
  group(view, patch) {
    const token = this.token(view, patch);
    return this.sizes[token] > 1 ? token : -1;
  }

  /**
   * Tokens with patches in any of these views that enter a layer; one that spans several counts once.
   *
   * @param {number[]} views
   * @param {number} layer
   */
  aliveIn(views, layer) {
    const rows = views.flatMap((view) => [
      ...this.row.subarray(view * this.wide, view * this.wide + this.views[view].patches),
    ]);
    return [...new Set(rows)].filter((token) => this.isAlive(token, layer)).length;
  }
}
