// @ts-check
// View names: what a view is called, from the kind and the numbers that view_names.py found.

import { fill } from "../common.js";

/**
 * An entry of `view_names` of view_names.py.
 *
 * @typedef {{kind: "frame" | "frames", first: number, last: number}
 *   | {kind: "whole", rows: number, columns: number}
 *   | {kind: "crop", number: number, row: string, column: string}
 *   | {kind: "picture", picture: number}
 *   | {kind: "wholeOf", picture: number, rows: number, columns: number}
 *   | {kind: "cropOf", picture: number, number: number, row: string, column: string}} ViewName
 */

/** @typedef {{views: {name: ViewName, time: string}[]}} NamedViews */
/** @typedef {Record<ViewName["kind"], string>} KindTexts */
/** @typedef {KindTexts & Record<"crops" | "cropsOf", string>} CaptionTexts */

/**
 * "frame 3", "frames 3–4", "crop 2", "whole picture, 6×6", "picture 2", "picture 2, crop 1".
 *
 * @param {NamedViews} run
 * @param {{names: KindTexts}} texts
 * @param {number} view
 */
export function nameOf(run, texts, view) {
  const { name } = run.views[view];
  return fill(texts.names[name.kind], name);
}

/**
 * The name with a capital and its time.
 *
 * @param {NamedViews} run
 * @param {{captions: KindTexts}} texts
 * @param {number} view
 */
export function captionOf(run, texts, view) {
  const { name, time } = run.views[view];
  return fill(texts.captions[name.kind], { ...name, time });
}

/**
 * What all crops of a picture are called together.
 *
 * @param {NamedViews} run
 * @param {{captions: CaptionTexts}} texts
 * @param {number} view one of them
 * @param {number} count
 */
export function cropsOf(run, texts, view, count) {
  const { name } = run.views[view];
  return fill(name.kind === "cropOf" ? texts.captions.cropsOf : texts.captions.crops, { ...name, count });
}

/**
 * The picture that a crop is of; "" where there is only one.
 *
 * @param {NamedViews} run
 * @param {{captions: CaptionTexts}} texts
 * @param {number} view
 */
export function pictureOf(run, texts, view) {
  const { name } = run.views[view];
  return "picture" in name ? fill(texts.captions.picture, name) : "";
}

/**
 * A name for very small views.
 *
 * @param {NamedViews} run
 * @param {number} view
 */
export function shortName(run, view) {
  const { name } = run.views[view];
  if (name.kind === "whole" || name.kind === "wholeOf") return `${name.rows}×${name.columns}`;
  if (name.kind === "crop" || name.kind === "cropOf") return `${name.number}`;
  if (name.kind === "picture") return `${name.picture}`;
  return name.kind === "frames" ? `${name.first}–${name.last}` : `${name.first}`;
}
