// @ts-check
// Overrides: patches that a visitor protects or removes by hand.

import { fill } from "../common.js";

/** @import { Run } from "./run.js" */
/** @import { Spot, State, Tool } from "./state.js" */

/** @typedef {{view: number, patch: number, kind: "protect" | "remove"}} Mark */
/** @typedef {Record<"marksHint" | "marksNew" | "marksAsked" | "marksGone" | "marksBoth", string>} MarksTexts */
/** @typedef {Record<"clear" | "ask", HTMLButtonElement> & {marksNote: HTMLElement}} MarksParts */

/** @type {readonly Mark["kind"][]} */
export const KINDS = ["protect", "remove"];

/**
 * The marks after a click: those of the patch's group go, and a new one comes unless it was of this kind.
 *
 * @param {Run} run
 * @param {Mark[]} marks
 * @param {Spot} spot
 * @param {Tool} kind
 */
export function marksWith(run, marks, { view, patch }, kind) {
  const token = run.token(view, patch);
  const isOwn = (/** @type {Mark} */ mark) => run.token(mark.view, mark.patch) === token;
  const others = marks.filter((mark) => !isOwn(mark));
  const isSame = marks.some((mark) => isOwn(mark) && mark.kind === kind);
  return isSame || kind === "look" ? others : [...others, { view, patch, kind }];
}

/**
 * Token → how it is marked: "protect", "remove", or "both" where a merge brought two marks together.
 *
 * @param {Run} run
 * @param {Mark[]} marks
 */
export function markedTokens(run, marks) {
  /** @type {Map<number, Mark["kind"] | "both">} */
  const kinds = new Map();
  for (const { view, patch, kind } of marks) {
    const token = run.token(view, patch);
    kinds.set(token, (kinds.get(token) ?? kind) === kind ? kind : "both");
  }
  return kinds;
}

/**
 * The marks that still have their view and patch in another run.
 *
 * @param {Mark[]} marks
 * @param {string[]} before addresses of the pictures of the views that were marked
 * @param {string[]} after those of the other run
 * @param {Run} run the other run
 */
export function marksCarried(marks, before, after, run) {
  return marks.flatMap((mark) => {
    const stays = after[mark.view] === before[mark.view];
    const view = stays ? mark.view : after.indexOf(before[mark.view]);
    return view >= 0 && mark.patch < run.views[view].patches ? [{ ...mark, view }] : [];
  });
}

/**
 * Whether a run was asked without the marks of the one before.
 *
 * @param {{asked: Mark[]}} before
 * @param {{asked: Mark[]}} after
 */
export function areTakenBack(before, after) {
  return before.asked.length > 0 && after.asked.length === 0;
}

/**
 * The marks that a run was not asked with.
 *
 * @param {Mark[]} marks
 * @param {{asked: Mark[]}} run
 */
export function withoutAsked(marks, { asked }) {
  return marks.filter((mark) => !asked.some((one) => areSameMarks([one], [mark])));
}

/**
 * Whether two lists mark the same patches in the same way.
 *
 * @param {Mark[]} one
 * @param {Mark[]} other
 */
function areSameMarks(one, other) {
  const names = (/** @type {Mark[]} */ marks) => marks.map(({ view, patch, kind }) => `${view} ${patch} ${kind}`);
  return names(one).sort().join() === names(other).sort().join();
}

/**
 * What the server is asked with: lists of [view, patch].
 *
 * @param {Mark[]} marks
 */
export function marksAsked(marks) {
  const of = (/** @type {Mark["kind"]} */ kind) =>
    marks.filter((mark) => mark.kind === kind).map(({ view, patch }) => [view, patch]);
  return { protect: of("protect"), remove: of("remove") };
}

/** The toolbar: how many patches are marked, and the buttons that clear the marks and ask again. */
export class MarksBar {
  /**
   * @param {MarksParts} parts
   * @param {MarksTexts} texts
   * @param {{clear: () => void, ask: () => void}} on
   */
  constructor(parts, texts, on) {
    this.parts = parts;
    this.texts = texts;
    parts.clear.addEventListener("click", () => on.clear());
    parts.ask.addEventListener("click", () => on.ask());
  }

  /** @param {Run | null} run @param {State} state */
  show(run, { marks }) {
    const isSame = run !== null && areSameMarks(marks, run.asked);
    const isBoth = run !== null && [...markedTokens(run, marks).values()].includes("both");
    this.parts.ask.disabled = !run || isSame || isBoth;
    this.parts.clear.disabled = !marks.length;
    this.parts.marksNote.textContent = this.note(marks, isSame || !run, isBoth);
  }

  /** @param {Mark[]} marks @param {boolean} isSame as those of the run @param {boolean} isBoth */
  note(marks, isSame, isBoth) {
    const count = (/** @type {Mark["kind"]} */ kind) => marks.filter((mark) => mark.kind === kind).length;
    if (isBoth) return this.texts.marksBoth;
    if (!marks.length) return isSame ? this.texts.marksHint : this.texts.marksGone;
    const counts = { protect: count("protect"), remove: count("remove") };
    return fill(isSame ? this.texts.marksAsked : this.texts.marksNew, counts);
  }
}
