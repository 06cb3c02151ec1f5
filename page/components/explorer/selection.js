// @ts-check
// Selection: a rectangle of patches that a drag or the keys span, the views it covers and the groups it holds.

/** @import { Run } from "./run.js" */
/** @import { Spot } from "./state.js" */

/** @typedef {{view: number, from: number, to: number}} Selection two opposite corners, patches of the view */

/**
 * Rows and columns that a selection spans, both ends included.
 *
 * @param {number} cols of its view
 * @param {Selection} selection
 */
export function spanOf(cols, { from, to }) {
  const rows = [from, to].map((patch) => Math.floor(patch / cols));
  const columns = [from, to].map((patch) => patch % cols);
  return { top: Math.min(...rows), bottom: Math.max(...rows), left: Math.min(...columns), right: Math.max(...columns) };
}

/**
 * Whether a patch lies inside, by its number in a grid of so many columns.
 *
 * @param {number} cols
 * @param {Selection} selection
 * @returns {(patch: number) => boolean}
 */
export function insideOf(cols, selection) {
  const { top, bottom, left, right } = spanOf(cols, selection);
  return (patch) => {
    const [row, col] = [Math.floor(patch / cols), patch % cols];
    return row >= top && row <= bottom && col >= left && col <= right;
  };
}

/**
 * The views that show the same place at another time: all of the same grid and size; of crops, those of the same number.
 *
 * @param {Pick<Run, "views">} run
 * @param {number} view
 */
export function sameViews(run, view) {
  const own = run.views[view];
  const place = (/** @type {Run["views"][number]} */ { rows, cols, height, width, name }) =>
    [rows, cols, height, width, name.kind, "number" in name ? name.number : 0].join();
  return [...run.views.keys()].filter((other) => place(run.views[other]) === place(own));
}

/**
 * The views that a selection covers: its own, or all that show the same place.
 *
 * @param {Pick<Run, "views">} run
 * @param {Selection} selection
 * @param {boolean} through
 */
export function coveredViews(run, { view }, through) {
  return through ? sameViews(run, view) : [view];
}

/**
 * A patch of each group that a selection holds: in a covered view, at least half of the patches that the group has there
 * lie inside. Dropped patches are in no group.
 *
 * @param {Run} run
 * @param {Selection} selection
 * @param {boolean} through
 */
export function selectedSpots(run, selection, through) {
  /** @type {Map<number, Spot>} */
  const found = new Map(); // by token
  for (const view of coveredViews(run, selection, through))
    for (const [token, { inside, all, first }] of countsIn(run, selection, view))
      if (inside > 0 && 2 * inside >= all && !found.has(token)) found.set(token, { view, patch: first });
  return [...found.values()];
}

/**
 * Of each token with patches in a view: how many, how many of them lie inside, and the first that does.
 *
 * @param {Run} run
 * @param {Selection} selection
 * @param {number} view
 */
function countsIn(run, selection, view) {
  const { cols, patches } = run.views[view];
  const isInside = insideOf(cols, selection);
  /** @type {Map<number, {inside: number, all: number, first: number}>} */
  const counts = new Map();
  for (let patch = 0; patch < patches; patch++) {
    if (run.isDropped(view, patch)) continue;
    const token = run.token(view, patch);
    const own = counts.get(token) ?? { inside: 0, all: 0, first: -1 };
    counts.set(token, own);
    own.all++;
    if (isInside(patch) && own.inside++ === 0) own.first = patch;
  }
  return counts;
}
