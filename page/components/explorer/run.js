// @ts-check
// Run: the arrays of one run, unpacked once, and every question that the explorer asks of them.
// A view is what a grid of patches covers: a frame, two frames that share their tokens, or a crop of a picture.

import { Merging } from "./merging.js";
import { ALL_HEADS, RecordedScores } from "./scores.js";
import { Sound } from "./sound.js";
import { unpacked } from "./unpacking.js";

/** @import { Override } from "./overrides.js" */
/** @import { StepsRecord } from "./scores.js" */
/** @import { SoundRecord } from "./sound.js" */
/** @import { Scorer } from "./state.js" */
/** @import { ViewName } from "./view_names.js" */

/**
 * `explorer_record` of record.py; a Packed is the text of an array.
 *
 * @typedef {string} Packed
 * @typedef {object} ExplorerRecord
 * @property {ViewRecord[]} views
 * @property {number} numLayers
 * @property {number[]} retained visual tokens that enter each layer
 * @property {number[]} scored layers whose scores were measured
 * @property {Packed} row
 * @property {Packed} group
 * @property {Packed} mean
 * @property {Packed} separator
 * @property {Packed} last
 * @property {Packed} into
 * @property {Packed} scores
 * @property {Packed | null} similarity
 * @property {Packed[]} rounds
 * @property {(number | null)[]} early of each scored layer: rank correlation of its scores with how early a token comes
 * @property {(number | null)[]} held of each scored layer: share of all PageRank that visual tokens hold
 * @property {Partial<Record<Scorer, {scores: Packed, early: (number | null)[]}>>} others what other scorers say
 * @property {StepsRecord} steps
 * @property {SoundRecord | null} audio
 * @property {{kind: Override["kind"], patches: [view: number, patch: number][]}[]} overrides
 */

/** @typedef {[left: number, top: number, right: number, bottom: number]} Place in shares of a picture */
/** @typedef {{grid: [number, number], size: [number, number], time: string, name: ViewName, seen: [number, number] | null, place: Place | null}} ViewRecord */

/**
 * @typedef {object} View
 * @property {number} rows
 * @property {number} cols
 * @property {number} patches
 * @property {number} height in pixels
 * @property {number} width
 * @property {string} time
 * @property {ViewName} name
 * @property {[height: number, width: number] | null} seen its size in pixels as the model got it, where that is known
 * @property {Place | null} place of a crop in its picture
 */

export class Run {
  /** @param {ExplorerRecord} record */
  constructor(record) {
    this.views = record.views.map(viewOf);
    this.numViews = this.views.length;
    this.layers = record.numLayers;
    this.retained = record.retained;
    this.scored = record.scored;
    this.held = record.held;
    this.row = unpacked(record.row, Int32Array); // of each patch
    this.group = unpacked(record.group, Int32Array);
    this.similarity = record.similarity ? unpacked(record.similarity, Float32Array) : null;
    this.wide = this.row.length / this.numViews; // patches of a view, filled up
    this.mean = unpacked(record.mean, Uint8Array); // colour of each patch, three numbers each
    this.separator = unpacked(record.separator, Uint8Array); // of each visual row, like those below
    this.last = unpacked(record.last, Int16Array);
    this.into = unpacked(record.into, Int32Array); // the row that each was folded into, -1 for none
    /** @type {Partial<Record<Scorer, {scores: Packed, early: (number | null)[]}>>} */
    const scorers = { pagerank: { scores: record.scores, early: record.early }, ...record.others };
    /** By scorer and layer. */
    this.scores = eachOf(scorers, ({ scores }) => this.scoresByLayer(unpacked(scores, Float32Array)));
    this.early = eachOf(scorers, ({ early }) => early);
    this.merging = new Merging(
      this,
      record.rounds.map((text) => unpacked(text, Int32Array)),
    );
    this.recordedScores = new RecordedScores(this, record.steps);
    this.sound = record.audio ? new Sound(record.audio) : null;
    this.asked = record.overrides.flatMap(({ kind, patches }) =>
      patches.map(([view, patch]) => ({ view, patch, kind })),
    );
    this.overridden = new Map(this.asked.map(({ view, patch, kind }) => [this.token(view, patch), kind]));
    this.tokensOf = this.views.map((_, view) => this.tokensIn(view)); // a token may be in several views
    this.sizes = this.countSizes();
    this.largest = this.sizes.reduce((most, size) => Math.max(most, size), 1);
    this.tokens = this.tokensOf.map((tokens) => tokens.size); // visual tokens of each view
    this.alive = this.countAlive();
  }

  /** @param {Float32Array} scores (scored layers, visual rows) */
  scoresByLayer(scores) {
    const each = this.last.length;
    return new Map(this.scored.map((layer, i) => [layer, scores.subarray(i * each, (i + 1) * each)]));
  }

  /** Patches behind each visual row; 0 for a patch that was dropped before layer 0. */
  countSizes() {
    const sizes = new Uint16Array(this.last.length);
    for (const [i, row] of this.row.entries()) if (this.group[i] >= 0) sizes[row]++;
    return sizes;
  }

  /**
   * Rows of the visual tokens that have patches in a view.
   *
   * @param {number} view
   * @returns {Set<number>}
   */
  tokensIn(view) {
    const start = view * this.wide;
    return new Set(this.row.subarray(start, start + this.wide).filter((_, patch) => this.group[start + patch] >= 0));
  }

  /**
   * Whether a patch was dropped before layer 0: it is in no visual token, though it has a row of its own here.
   *
   * @param {number} view
   * @param {number} patch
   */
  isDropped(view, patch) {
    return this.group[view * this.wide + patch] < 0;
  }

  /**
   * The row of the visual token that a patch ended in.
   *
   * @param {number} view
   * @param {number} patch
   */
  token(view, patch) {
    return this.row[view * this.wide + patch];
  }

  /**
   * What a group is called: its view and its number there, from 1; a dash for a dropped patch.
   *
   * @param {number} view
   * @param {number} patch
   */
  groupName(view, patch) {
    return this.isDropped(view, patch) ? "–" : `${view + 1}.${this.group[view * this.wide + patch] + 1}`;
  }

  /**
   * Cosine of a patch with the token it ended in; null where there is none, or it was not measured.
   *
   * @param {number} view
   * @param {number} patch
   */
  likeness(view, patch) {
    return this.similarity && !this.isDropped(view, patch) ? this.similarity[view * this.wide + patch] : null;
  }

  /**
   * The patches of one view behind a token.
   *
   * @param {number} view
   * @param {number} token
   */
  members(view, token) {
    return [...Array(this.views[view].patches).keys()].filter((patch) => this.token(view, patch) === token);
  }

  /**
   * The mean colour of each group of a view, by its label.
   *
   * @template L
   * @param {number} view
   * @param {(patch: number) => L} labelOf
   */
  groupColours(view, labelOf) {
    /** @type {Map<L, number[]>} */
    const sums = new Map();
    for (let patch = 0; patch < this.views[view].patches; patch++) {
      const start = 3 * (view * this.wide + patch);
      const sum = sums.get(labelOf(patch)) ?? [0, 0, 0, 0];
      const own = [...this.mean.subarray(start, start + 3), 1];
      sums.set(
        labelOf(patch),
        sum.map((part, i) => part + own[i]),
      );
    }
    const colour = (/** @type {number[]} */ [red, green, blue, count]) =>
      `rgb(${[red, green, blue].map((part) => Math.round(part / count)).join(", ")})`;
    return new Map([...sums].map(([label, sum]) => [label, colour(sum)]));
  }

  /**
   * Whether a view is light on the whole.
   *
   * @param {number} view
   */
  isLight(view) {
    const own = this.mean.subarray(3 * view * this.wide, 3 * (view * this.wide + this.views[view].patches));
    return own.reduce((sum, part) => sum + part, 0) > 127 * own.length;
  }

  /** @param {number} token @param {number} layer */
  isAlive(token, layer) {
    return this.last[token] >= layer;
  }

  /** Whether a token went on in another one. @param {number} token */
  isFolded(token) {
    return this.into[token] >= 0;
  }

  /**
   * What the group of a token is called, see `groupName`: by the first of its patches; a dash for a separator.
   *
   * @param {number} token
   */
  tokenName(token) {
    const at = this.row.indexOf(token);
    return at < 0 ? "–" : this.groupName(Math.floor(at / this.wide), at % this.wide);
  }

  /**
   * The first layer a token does not enter; null for one that is there to the end.
   *
   * @param {number} token
   */
  prunedBefore(token) {
    return this.last[token] === this.layers - 1 ? null : this.last[token] + 1;
  }

  /** The last layer whose scores were measured; -1 for none. */
  get lastScored() {
    return this.scored.at(-1) ?? -1;
  }

  /**
   * `layer` if it was measured, else the nearest measured one below, else the first above; null if none was, and after
   * the last one, since tokens of its map are gone there.
   *
   * @param {number} layer
   */
  measured(layer) {
    if (layer > this.lastScored) return null;
    const below = this.scored.filter((one) => one <= layer);
    return below.length ? below[below.length - 1] : (this.scored[0] ?? null);
  }

  /** The scorer that was asked for, or PageRank where the run was not scored by it. @param {Scorer} scorer */
  knownScorer(scorer) {
    return this.scores.has(scorer) ? scorer : "pagerank";
  }

  /**
   * How far the place of tokens explains the ranking of a measured layer; null where it has no order.
   *
   * @param {number} layer
   * @param {Scorer} scorer
   */
  earlyOf(layer, scorer) {
    return this.early.get(this.knownScorer(scorer))?.[this.scored.indexOf(layer)] ?? null;
  }

  /**
   * Scores of a measured layer by visual row, NaN where a row is not in it.
   *
   * @param {number} layer
   * @param {Scorer} scorer
   */
  scoresOf(layer, scorer = "pagerank") {
    const scores = this.scores.get(scorer)?.get(layer);
    if (!scores) throw new RangeError(`layer ${layer} was not measured`);
    return scores;
  }

  /**
   * How the tokens of a measured layer compare: in the end, or in one head after so many iterations.
   *
   * @param {number} layer
   * @param {Scorer} scorer
   */
  scoreScale(layer, head = ALL_HEADS, iteration = Infinity, scorer = "pagerank") {
    return this.recordedScores.scoreScale(layer, head, iteration, this.knownScorer(scorer));
  }

  /**
   * Share of a measured layer's score, in the end or at a step, that each view's tokens hold; separators count in the
   * whole only.
   *
   * @param {number} layer
   * @param {Scorer} scorer
   */
  viewShares(layer, head = ALL_HEADS, iteration = Infinity, scorer = "pagerank") {
    const shares = new Float64Array(this.numViews);
    let total = 0;
    const { scores } = this.scoreScale(layer, head, iteration, scorer);
    for (const score of scores) if (!Number.isNaN(score)) total += score;
    for (const [view, tokens] of this.tokensOf.entries())
      for (const token of tokens) if (!Number.isNaN(scores[token])) shares[view] += scores[token];
    return total > 0 ? shares.map((share) => share / total) : shares;
  }

  /**
   * How many tokens of a view enter a layer.
   *
   * @param {number} view
   * @param {number} layer
   */
  aliveInView(view, layer) {
    return this.alive[view * this.layers + layer];
  }

  countAlive() {
    const alive = new Uint32Array(this.numViews * this.layers);
    for (const [view, tokens] of this.tokensOf.entries())
      for (const token of tokens)
        for (let layer = 0; layer <= this.last[token]; layer++) alive[view * this.layers + layer]++;
    return alive;
  }
}

/**
 * @template V, W
 * @param {Partial<Record<Scorer, V>>} values
 * @param {(value: V) => W} make
 */
function eachOf(values, make) {
  const entries = /** @type {[Scorer, V][]} */ (Object.entries(values));
  return new Map(entries.map(([scorer, value]) => [scorer, make(value)]));
}

/** @param {ViewRecord} record @returns {View} */
function viewOf({ grid: [rows, cols], size: [height, width], time, name, seen, place }) {
  return { rows, cols, patches: rows * cols, height, width, time, name, seen, place };
}
