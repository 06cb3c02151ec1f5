// @ts-check
// Overrides: patches that a visitor protects or removes by hand.

import { fill } from "../common.js";
import { hearOf, now } from "../now.js";

/** @import { Run } from "./run.js" */
/** @import { Spot, State, Tool } from "./state.js" */

/** @typedef {{view: number, patch: number, kind: "protect" | "remove"}} Override */
/** @typedef {Record<"overridesHint" | "overridesNew" | "overridesAsked" | "overridesGone" | "overridesBoth", string>} OverridesTexts */
/** @typedef {Record<"clear" | "ask", HTMLButtonElement> & {overridesNote: HTMLElement}} OverridesParts */

/** @type {readonly Override["kind"][]} */
export const KINDS = ["protect", "remove"];

/**
 * The overrides after a click: those of the patch's group go, and a new one comes unless it was of this kind.
 *
 * @param {Run} run
 * @param {Override[]} overrides
 * @param {Spot} spot
 * @param {Tool} kind
 */
export function overridesWith(run, overrides, { view, patch }, kind) {
  const token = run.token(view, patch);
  const isOwn = (/** @type {Override} */ override) => run.token(override.view, override.patch) === token;
  const others = overrides.filter((override) => !isOwn(override));
  const isSame = overrides.some((override) => isOwn(override) && override.kind === kind);
  return isSame || kind === "look" ? others : [...others, { view, patch, kind }];
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
function areSame(one, other) {
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

/** The toolbar: how many overrides there are, and the buttons that clear them and ask again. */
export class OverridesBar {
  /**
   * @param {OverridesParts} parts
   * @param {OverridesTexts} texts
   * @param {{clear: () => void, ask: () => void}} on
   */
  constructor(parts, texts, on) {
    this.parts = parts;
    this.texts = texts;
    parts.clear.addEventListener("click", () => on.clear());
    parts.ask.addEventListener("click", () => on.ask());
  }

  /** @param {Run | null} run @param {State} state */
  show(run, { overrides }) {
    const isSame = run !== null && areSame(overrides, run.asked);
    const isBoth = run !== null && [...overriddenTokens(run, overrides).values()].includes("both");
    this.parts.ask.disabled = !run || isSame || isBoth;
    this.parts.clear.disabled = !overrides.length;
    const marks = run !== null && !isSame;
    if (marks !== Boolean(now.marks)) hearOf({ marks });
    this.parts.overridesNote.textContent = this.note(overrides, isSame || !run, isBoth);
  }

  /** @param {Override[]} overrides @param {boolean} isSame as those of the run @param {boolean} isBoth */
  note(overrides, isSame, isBoth) {
    const count = (/** @type {Override["kind"]} */ kind) =>
      overrides.filter((override) => override.kind === kind).length;
    if (isBoth) return this.texts.overridesBoth;
    if (!overrides.length) return isSame ? this.texts.overridesHint : this.texts.overridesGone;
    const counts = { protect: count("protect"), remove: count("remove") };
    return fill(isSame ? this.texts.overridesAsked : this.texts.overridesNew, counts);
  }
}
