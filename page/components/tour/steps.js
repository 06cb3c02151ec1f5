// @ts-check
// Steps: what a run says about a prediction, in plain values. Nothing here touches the page.

import { fill, percent, whole } from "../common.js";

/**
 * `Step` of steps.py.
 *
 * @typedef {object} Step
 * @property {number} keep_ratio
 * @property {number} l1
 * @property {number} l2
 * @property {number} frames
 * @property {"per_text" | "largest" | "later_half" | "share" | "changed"} measure what is to be predicted
 * @property {number[]} bounds ascending; choice i is right where i of them are not above the measure
 * @property {string} overlay what the explorer shows
 * @property {number} layer
 * @property {boolean} tells_answer whether it is also told if the answer has changed
 */

/**
 * `measured` of steps.py.
 *
 * @typedef {object} Measured
 * @property {Pick<Step, "keep_ratio" | "l1" | "l2" | "frames">} settings
 * @property {number} when two runs that measure the same are two
 * @property {string} dense
 * @property {string} aim
 * @property {number} changed
 * @property {number} visual
 * @property {number} merged
 * @property {number} text
 * @property {number} per_text
 * @property {number} largest
 * @property {number} share
 * @property {number | null} layer
 * @property {number | null} later_half
 */

/** @typedef {{choices: string[], found: string, means: string[]}} StepTexts */
/** @typedef {Record<"right" | "other" | "unmeasured" | "kept" | "lost" | "silent", string>} VerdictTexts */

/**
 * Whether a measured run is the one that the step asked for.
 *
 * @param {Step} step
 * @param {Measured} measured
 */
export function isRunOf(step, { settings }) {
  const names = /** @type {const} */ (["keep_ratio", "l1", "l2", "frames"]);
  return names.every((name) => Math.abs(settings[name] - step[name]) < 1e-6);
}

/**
 * Number of the choice that came out; null where the run measured nothing of the kind.
 *
 * @param {Step} step
 * @param {Measured} measured
 */
export function cameOut(step, measured) {
  const value = measured[step.measure];
  return value === null ? null : step.bounds.filter((bound) => value >= bound).length;
}

/**
 * The values that the sentences of a step may name, as texts.
 *
 * @param {Step} step
 * @param {Measured | null} measured
 * @param {VerdictTexts} texts
 */
export function tourValues(step, measured, texts) {
  const settings = { keep: percent(step.keep_ratio), l1: step.l1, l2: step.l2 };
  if (!measured) return settings;
  const later = measured.later_half ?? 0;
  return {
    ...settings,
    visual: whole(measured.visual),
    merged: whole(measured.merged),
    text: whole(measured.text),
    per_text: whole(measured.per_text),
    largest: whole(measured.largest),
    share: percent(measured.share),
    layer: measured.layer,
    earlier: percent(1 - later),
    later: percent(later),
    dense: measured.dense || texts.silent,
    aim: measured.aim || texts.silent,
  };
}

/**
 * What is told after a run: the verdict on choice number `predicted`, the measurement, and what it means.
 *
 * @param {Step} step
 * @param {StepTexts} stepTexts
 * @param {VerdictTexts} texts
 * @param {number} predicted
 * @param {Measured} measured
 */
export function revealed(step, stepTexts, texts, predicted, measured) {
  const came = cameOut(step, measured);
  if (came === null) return [texts.unmeasured];
  const values = tourValues(step, measured, texts);
  const choices = { said: stepTexts.choices[predicted], came: stepTexts.choices[came] };
  const verdict = predicted === came ? texts.right : fill(texts.other, choices);
  const lines = [verdict, fill(stepTexts.found, values), stepTexts.means[came]];
  if (step.tells_answer) lines.push(fill(measured.changed ? texts.lost : texts.kept, values));
  return lines;
}
