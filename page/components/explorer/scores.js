// @ts-check
// Scores: PageRank of every measured layer, after every iteration and in every head where that was recorded.

import { unpackedLog } from "./unpacking.js";

/** @import { Run } from "./run.js" */
/** @import { Scale, Scorer } from "./state.js" */
/** @import { PackedLog } from "./unpacking.js" */

/**
 * `steps_record` of iterations.py; layers: by number, (heads, iterations + 1, kept).
 *
 * @typedef {{heads: number, iterations: number, layers: Record<string, PackedLog>}} StepsRecord
 */

export const ALL_HEADS = -1; // their root mean square, which is the score

export class RecordedScores {
  /** @param {Run} run @param {StepsRecord} steps */
  constructor(run, steps) {
    this.run = run;
    this.heads = steps.heads;
    this.iterations = steps.iterations;
    this.packed = steps.layers;
    /** @type {Map<number, Float32Array>} */
    this.unpacked = new Map();
    /** @type {Map<string, ScoreScale>} */
    this.scales = new Map();
  }

  /**
   * Whether the way to a layer's scores was recorded.
   *
   * @param {number | null} layer
   */
  isRecorded(layer) {
    return layer !== null && layer in this.packed;
  }

  /** @param {number} layer @param {number} head @param {number} iteration @param {Scorer} scorer */
  scoreScale(layer, head, iteration, scorer) {
    const at = Math.min(iteration, this.iterations);
    const isEnd = scorer !== "pagerank" || !this.isRecorded(layer) || (head === ALL_HEADS && at === this.iterations);
    const key = isEnd ? `${layer} ${scorer}` : `${layer} ${head} ${at}`;
    const known = this.scales.get(key);
    if (known) return known;
    const scores = isEnd ? this.run.scoresOf(layer, scorer) : this.scoresAt(layer, head, at);
    const scale = new ScoreScale(scores, this.run.separator);
    this.scales.set(key, scale);
    return scale;
  }

  /**
   * Scores by visual row, NaN where a row is not in this layer.
   *
   * @param {number} layer
   * @param {number} head
   * @param {number} iteration
   */
  scoresAt(layer, head, iteration) {
    const steps = this.stepsOf(layer);
    const kept = steps.length / (this.heads * (this.iterations + 1));
    const start = (/** @type {number} */ one) => (one * (this.iterations + 1) + iteration) * kept;
    const heads = head === ALL_HEADS ? [...Array(this.heads).keys()] : [head];
    let next = 0;
    return this.run.scoresOf(layer).map((score) => {
      if (Number.isNaN(score)) return NaN;
      const squares = heads.reduce((sum, one) => sum + steps[start(one) + next] ** 2, 0);
      next++;
      return Math.sqrt(squares / heads.length);
    });
  }

  /**
   * (heads, iterations + 1, kept)
   *
   * @param {number} layer
   */
  stepsOf(layer) {
    const steps = this.unpacked.get(layer) ?? unpackedLog(this.packed[layer]);
    this.unpacked.set(layer, steps);
    return steps;
  }
}

/** How the tokens of one layer compare by one measurement. */
export class ScoreScale {
  /**
   * @param {Float32Array} scores by visual row, NaN where it is not there
   * @param {Uint8Array} separator by visual row, 1 for one without patches
   */
  constructor(scores, separator) {
    this.scores = scores;
    this.ordered = scores
      .filter((score) => !Number.isNaN(score))
      .sort()
      .reverse();
    const positive = scores.filter((score, row) => !separator[row] && score > 0).sort();
    /** Powers of ten between the smallest positive score of the merged tokens and the largest. */
    this.range = (positive.length ? [positive[0], positive[positive.length - 1]] : [1, 1]).map(Math.log10);
    /** @type {Map<Set<number>, Float32Array>} */
    this.orderedAmong = new Map();
  }

  /** @param {number} token */
  score(token) {
    return this.scores[token];
  }

  /**
   * Place from 1 (highest score) of a token, of how many; null if it is not there.
   *
   * @param {number} token
   */
  rank(token) {
    const score = this.scores[token];
    return Number.isNaN(score) ? null : { place: 1 + countAbove(this.ordered, score), of: this.ordered.length };
  }

  /**
   * How high a token stands, in [0, 1]: by rank (half of the ties count as lower), among all tokens or those of its
   * view, or by the score's logarithm.
   *
   * @param {number} token
   * @param {Scale} scale
   * @param {Set<number>} among the tokens of its view
   */
  unitScore(token, scale, among) {
    const score = this.scores[token];
    if (Number.isNaN(score)) return NaN;
    if (scale === "log") return this.logUnitScore(score);
    const ordered = scale === "frame" ? this.orderedOf(among) : this.ordered;
    const above = countAbove(ordered, score);
    const ties = countAtLeast(ordered, score) - above;
    return ordered.length < 2 ? 0.5 : 1 - (above + (ties - 1) / 2) / (ordered.length - 1);
  }

  /**
   * The scores of some tokens, falling, without those of tokens that are not there.
   *
   * @param {Set<number>} tokens
   */
  orderedOf(tokens) {
    const known = this.orderedAmong.get(tokens);
    if (known) return known;
    const scores = [...tokens].map((token) => this.scores[token]).filter((score) => !Number.isNaN(score));
    const ordered = Float32Array.from(scores).sort().reverse();
    this.orderedAmong.set(tokens, ordered);
    return ordered;
  }

  /** @param {number} score */
  logUnitScore(score) {
    const [low, high] = this.range;
    return high > low ? (Math.log10(Math.max(score, 10 ** low)) - low) / (high - low) : 0.5;
  }
}

/**
 * How many numbers of a falling list are larger.
 *
 * @param {Float32Array} ordered
 * @param {number} value
 */
function countAbove(ordered, value) {
  return bisect(ordered, (one) => one > value);
}

/** @param {Float32Array} ordered @param {number} value */
function countAtLeast(ordered, value) {
  return bisect(ordered, (one) => one >= value);
}

/**
 * Length of the leading part for which `holds`.
 *
 * @param {Float32Array} list
 * @param {(one: number) => boolean} holds
 */
function bisect(list, holds) {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(list[middle])) low = middle + 1;
    else high = middle;
  }
  return low;
}
