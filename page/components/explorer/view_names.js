// @ts-check
// View names: what a view is called, from the kind and the numbers that view_names.py found.

import { fill } from "../common.js";

/**
 * An entry of `view_names` of view_names.py.
 *
 * @typedef {{kind: "frame" | "frames", first: number, last: number}
 *   | {kind: "whole", rows: number, columns: number}
 *   | {kind: "crop", number: number, row: string, column: string}} ViewName
 */

/** @typedef {{views: {name: ViewName, time: string}[]}} NamedViews */
/** @typedef {Record<ViewName["kind"], string>} KindTexts */

/**
 * "frame 3", "frames 3–4", "crop 2, row 1, column 2", "whole picture, 6×6".
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
 * A name for very small views.
 *
 * @param {NamedViews} run
 * @param {number} view
 */
export function shortName(run, view) {
  const { name } = run.views[view];
  if (name.kind === "whole") return `${name.rows}×${name.columns}`;
  if (name.kind === "crop") return `${name.number}`;
  return name.kind === "frames" ? `${name.first}–${name.last}` : `${name.first}`;
}
