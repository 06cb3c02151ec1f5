// @ts-check
// Axes: what points can be drawn by, and the Pareto front among them, as `aim_lab.summary.front` has it.

/** @import { LabRow } from "./lab.js" */

/** @typedef {"share" | "ms" | "kv"} Cost */
/** @typedef {"right" | "ofDense" | "alike" | "kl"} Value */
/** @typedef {{row: LabRow, x: number, y: number}} Point */

/** @type {Cost[]} */
export const COSTS = ["share", "ms", "kv"];
/** @type {Value[]} */
export const VALUES = ["right", "ofDense", "alike", "kl"];

/** @param {LabRow} row @param {Value} value */
export function valueIn(row, value) {
  const own = row[value];
  return Array.isArray(own) ? own[0] : own;
}

/** Those that can be drawn. @param {LabRow[]} rows @param {Cost} cost @param {Value} value @returns {Point[]} */
export function points(rows, cost, value) {
  return rows.flatMap((row) => {
    const [x, y] = [row[cost], valueIn(row, value)];
    return x === null || y === null || x <= 0 ? [] : [{ row, x, y }];
  });
}

/** A smaller KL is better. @param {Value} value */
function goodness(value) {
  return (/** @type {Point} */ { y }) => (value === "kl" ? -y : y);
}

/**
 * Those that no other beats in cost and value at once, cheapest first.
 *
 * @param {Point[]} all
 * @param {Value} value
 */
export function front(all, value) {
  const good = goodness(value);
  /** @type {Point[]} */
  const found = [];
  for (const point of [...all].sort((one, other) => one.x - other.x || good(other) - good(one)))
    if (!found.length || good(point) > good(found[found.length - 1])) found.push(point);
  return found;
}

/** 1, 2 and 5 of each power of ten within two ends. @param {number} from @param {number} to */
export function logTicks(from, to) {
  const ticks = [];
  for (let power = Math.floor(Math.log10(from)); power <= Math.ceil(Math.log10(to)); power++)
    for (const digit of [1, 2, 5]) ticks.push(digit * 10 ** power);
  return ticks.filter((tick) => tick >= from && tick <= to);
}

/** About five round numbers within two ends. @param {number} from @param {number} to */
export function ticks(from, to) {
  const rough = (to - from) / 5 || 1;
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = size * ([1, 2, 5, 10].find((one) => one * size >= rough) ?? 10);
  const first = Math.ceil(from / step - 1e-9);
  return Array.from({ length: Math.floor(to / step + 1e-9) - first + 1 }, (_, i) => (first + i) * step);
}
