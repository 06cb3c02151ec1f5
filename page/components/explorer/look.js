// @ts-check
// Look: what the explorer shows, as a link holds it.

import { OVERLAYS, SCORERS, START, TABS } from "./state.js";

/** @import { State } from "./state.js" */

/**
 * Names and values for a link.
 *
 * @param {State} state
 * @returns {Record<string, string>}
 */
export function lookOf({ overlay, scorer, layer, view, pinned, tab }) {
  /** @type {Record<string, string>} */
  const look = { overlay, layer: String(layer), frame: String(view + 1), tab };
  if (scorer !== START.scorer) look.scorer = scorer;
  if (pinned) look.patch = `${pinned.view + 1}.${pinned.patch}`;
  return look;
}

/**
 * The part of the state that a link holds; what cannot be is left out.
 *
 * @param {string} link what comes after the "#"
 * @returns {Partial<State>}
 */
export function stateIn(link) {
  const given = new URLSearchParams(link);
  const overlay = OVERLAYS.find((name) => name === given.get("overlay"));
  const scorer = SCORERS.find((name) => name === given.get("scorer"));
  const tab = TABS.find((name) => name === given.get("tab"));
  const [layer, frame] = [wholeIn(given.get("layer")), wholeIn(given.get("frame"))];
  const [of, patch] = (given.get("patch") ?? "").split(".").map(wholeIn);
  return {
    ...(overlay && { overlay }),
    ...(scorer && { scorer }),
    ...(tab && { tab }),
    ...(layer !== null && { layer }),
    ...(frame && { view: frame - 1 }),
    ...(of && patch !== null && patch !== undefined && { pinned: { view: of - 1, patch } }),
  };
}

/** @param {string | null} text @returns {number | null} */
function wholeIn(text) {
  return text && /^\d{1,4}$/.test(text) ? Number(text) : null;
}
