// @ts-check
// Overrides: patches that a visitor protects or removes by hand.

/** @import { Run } from "./run.js" */
/** @import { Spot } from "./state.js" */

/** @typedef {{view: number, patch: number, kind: "protect" | "remove"}} Override */

/** @type {readonly Override["kind"][]} */
export const KINDS = ["protect", "remove"];

/**
 * The overrides after some groups were marked, each given by a patch: their own go, and new ones come unless all of them
 * were of this kind. A dropped patch is in no group, so it cannot be marked.
 *
 * @param {Run} run
 * @param {Override[]} overrides
 * @param {Spot[]} spots
 * @param {Override["kind"]} kind
 */
export function overridesWith(run, overrides, spots, kind) {
  const marked = spots.filter(({ view, patch }) => !run.isDropped(view, patch));
  if (!marked.length) return overrides;
  const others = withoutGroups(run, overrides, marked);
  return areMarked(run, overrides, marked, kind) ? others : [...others, ...marked.map((spot) => ({ ...spot, kind }))];
}

/** @param {Run} run @param {Override[]} overrides @param {Spot[]} spots */
function withoutGroups(run, overrides, spots) {
  const tokens = new Set(spots.map(({ view, patch }) => run.token(view, patch)));
  return overrides.filter(({ view, patch }) => !tokens.has(run.token(view, patch)));
}

/**
 * Whether the groups of all these patches are marked this way.
 *
 * @param {Run} run
 * @param {Override[]} overrides
 * @param {Spot[]} spots
 * @param {Override["kind"]} kind
 */
export function areMarked(run, overrides, spots, kind) {
  const own = overrides.filter((override) => override.kind === kind);
  const tokens = new Set(own.map(({ view, patch }) => run.token(view, patch)));
  return spots.every(({ view, patch }) => tokens.has(run.token(view, patch)));
}

/**
 * Token → how it is overridden: "protect", "remove", or "both" where a merge brought two together.
 *
 * @param {Run} run
 * @param {Override[]} overrides
 */
export function overriddenTokens(run, overrides) {
  /** @type {Map<number, Override["kind"] | "both">} */
  const kinds = new Map();
  for (const { view, patch, kind } of overrides) {
    const token = run.token(view, patch);
    kinds.set(token, (kinds.get(token) ?? kind) === kind ? kind : "both");
  }
  return kinds;
}

/**
 * The overrides that still have their view and patch in another run.
 *
 * @param {Override[]} overrides
 * @param {string[]} before addresses of the pictures of the views of the overrides
 * @param {string[]} after those of the other run
 * @param {Run} run the other run
 */
export function carriedOverrides(overrides, before, after, run) {
  return overrides.flatMap((override) => {
    const stays = after[override.view] === before[override.view];
    const view = stays ? override.view : after.indexOf(before[override.view]);
    return view >= 0 && override.patch < run.views[view].patches ? [{ ...override, view }] : [];
  });
}

/**
 * Whether a run was asked without the overrides of the one before.
 *
 * @param {{asked: Override[]}} before
 * @param {{asked: Override[]}} after
 */
export function areTakenBack(before, after) {
  return before.asked.length > 0 && after.asked.length === 0;
}

/**
 * The overrides that a run was not asked with.
 *
 * @param {Override[]} overrides
 * @param {{asked: Override[]}} run
 */
export function withoutAsked(overrides, { asked }) {
  return overrides.filter((override) => !asked.some((one) => areSame([one], [override])));
}

/**
 * Whether two lists say the same of the same patches.
 *
 * @param {Override[]} one
 * @param {Override[]} other
 */
export function areSame(one, other) {
  const names = (/** @type {Override[]} */ overrides) =>
    overrides.map(({ view, patch, kind }) => `${view} ${patch} ${kind}`);
  return names(one).sort().join() === names(other).sort().join();
}

/**
 * What the server is asked with: lists of [view, patch].
 *
 * @param {Override[]} overrides
 */
export function payloadOf(overrides) {
  const of = (/** @type {Override["kind"]} */ kind) =>
    overrides.filter((override) => override.kind === kind).map(({ view, patch }) => [view, patch]);
  return { protect: of("protect"), remove: of("remove") };
}
