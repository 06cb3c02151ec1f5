// @ts-check
// Sound: the audio tokens of one run, unpacked once, and what the explorer asks of them.

import { ScoreScale } from "./scores.js";
import { unpacked } from "./unpacking.js";

/**
 * `sound_record` of sound_record.py; a Packed is the text of an array.
 *
 * @typedef {string} Packed
 * @typedef {object} SoundRecord
 * @property {number} seconds that a token stands for
 * @property {number[]} retained audio tokens that enter each layer
 * @property {Packed} chunk
 * @property {Packed} start
 * @property {Packed} row
 * @property {Packed | null} loudness
 * @property {Packed} last
 * @property {number[]} scored layers whose scores were measured
 * @property {Packed} scores
 * @property {number[]} views seconds of the first frame of each view
 */

export class Sound {
  /** @param {SoundRecord} record */
  constructor(record) {
    this.seconds = record.seconds;
    this.retained = record.retained;
    this.layers = record.retained.length;
    this.views = record.views;
    this.scored = record.scored;
    this.chunk = unpacked(record.chunk, Int32Array); // of each token, like those below
    this.start = unpacked(record.start, Float32Array);
    this.row = unpacked(record.row, Int32Array);
    this.loudness = record.loudness ? unpacked(record.loudness, Float32Array) : null;
    this.last = unpacked(record.last, Int16Array); // of each merged token
    this.count = this.row.length;
    this.length = Math.max(this.start[this.count - 1] + this.seconds, ...this.views);
    const scores = unpacked(record.scores, Float32Array);
    const each = this.last.length;
    this.scales = new Map(
      this.scored.map((layer, i) => [
        layer,
        new ScoreScale(scores.subarray(i * each, (i + 1) * each), new Uint8Array(each)),
      ]),
    );
    /** @type {number[][]} tokens behind each merged one */
    this.members = Array.from({ length: each }, () => []);
    for (const [token, row] of this.row.entries()) this.members[row].push(token);
    /** @type {Set<number>[]} merged tokens of each chunk */
    this.tokensOf = [];
    for (const [token, row] of this.row.entries()) {
      this.tokensOf[this.chunk[token]] ??= new Set();
      this.tokensOf[this.chunk[token]].add(row);
    }
    this.first = this.tokensOf.map((_, chunk) => this.chunk.indexOf(chunk)); // token of each chunk
    this.loudest = this.loudness?.reduce((most, own) => Math.max(most, own), 1e-6) ?? 1;
    this.largest = this.members.reduce((most, own) => Math.max(most, own.length), 1);
  }

  /** The merged token of a token; as `Run.token` is asked. @param {number} _chunk @param {number} token */
  token(_chunk, token) {
    return this.row[token];
  }

  /** @param {number} token @param {number} layer */
  isAlive(token, layer) {
    return this.last[this.row[token]] >= layer;
  }

  /** The first layer a merged token does not enter; null for one that is there to the end. @param {number} row */
  prunedBefore(row) {
    return this.last[row] === this.layers - 1 ? null : this.last[row] + 1;
  }

  isFolded() {
    return false;
  }

  tokenName() {
    return "";
  }

  /** How loud a token is, in [0, 1] of the loudest; 1 where that is not known. @param {number} token */
  loud(token) {
    return this.loudness ? this.loudness[token] / this.loudest : 1;
  }

  /** @param {number} layer */
  scoreScale(layer) {
    const scale = this.scales.get(layer);
    if (!scale) throw new RangeError(`layer ${layer} was not measured`);
    return scale;
  }

  /** As `Run.measured`. @param {number} layer */
  measured(layer) {
    if (layer > (this.scored.at(-1) ?? -1)) return null;
    return this.scored.findLast((one) => one <= layer) ?? this.scored[0] ?? null;
  }

  /** Where a group begins within its chunk, in [0, 1). @param {number} token */
  placeOfGroup(token) {
    const chunk = this.chunk[token];
    const first = this.members[this.row[token]][0] - this.first[chunk];
    const size = (this.first[chunk + 1] ?? this.count) - this.first[chunk];
    return first / size;
  }

  /** The token that sounds at a time. @param {number} seconds */
  tokenAt(seconds) {
    let [low, high] = [0, this.count - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.start[middle] <= seconds) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
