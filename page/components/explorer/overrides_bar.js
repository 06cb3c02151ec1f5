// @ts-check
// Overrides bar: the buttons of the marks, and beside them what is marked and what that did to the answer.

import { fill, make, whole } from "../common.js";
import { hearOf, now } from "../now.js";
import { areMarked, areSame, overriddenTokens } from "./overrides.js";
import { sameViews, selectedSpots, spanOf } from "./selection.js";

/** @import { Override } from "./overrides.js" */
/** @import { Run } from "./run.js" */
/** @import { Selection } from "./selection.js" */
/** @import { State } from "./state.js" */

/**
 * `by_hand_record` of by_hand.py: both answers, and how many visual tokens were behind them.
 *
 * @typedef {object} ByHand
 * @property {string} aim
 * @property {string} hand
 * @property {boolean} same whether they have the same words
 * @property {number} entered the first layer, with the marks
 * @property {number} enteredAlone without them
 */

/** @typedef {"overridesHint" | "overridesHow" | "overridesNew" | "overridesAsked" | "overridesGone" | "overridesBoth"} NoteName */
/** @typedef {Record<NoteName | "asking" | "sameAnswer" | "otherAnswer" | "handTokens", string>} Sentences */
/** @typedef {Sentences & {selecting: Record<Override["kind"] | "off" | "none", string>, sides: Record<"aim" | "hand", string>}} OverridesTexts */
/** @typedef {Record<"clear" | "undoMark" | "ask", HTMLButtonElement> & {through: HTMLInputElement}} OverridesInputs */
/** @typedef {OverridesInputs & Record<"overridesNote" | "handSaid", HTMLElement>} OverridesParts */
/** @typedef {{through: (isOn: boolean) => void} & Record<"clear" | "undo" | "ask", () => void>} OverridesEvents */

export class OverridesBar {
  /**
   * @param {OverridesParts} parts
   * @param {OverridesTexts} texts
   * @param {OverridesEvents} on
   */
  constructor(parts, texts, on) {
    this.parts = parts;
    this.texts = texts;
    parts.clear.addEventListener("click", () => on.clear());
    parts.undoMark.addEventListener("click", () => on.undo());
    parts.ask.addEventListener("click", () => on.ask());
    parts.through.addEventListener("change", () => on.through(parts.through.checked));
  }

  /**
   * @param {Run | null} run
   * @param {State} state
   * @param {ByHand | null} hand what the marks of the run did
   */
  show(run, state, hand) {
    const { parts } = this;
    const isSame = run !== null && areSame(state.overrides, run.asked);
    const isBoth = run !== null && [...overriddenTokens(run, state.overrides).values()].includes("both");
    parts.ask.disabled = !run || isSame || isBoth || Boolean(now.asking);
    parts.clear.disabled = !state.overrides.length;
    parts.undoMark.disabled = !state.past.length;
    parts.through.checked = state.through;
    parts.through.disabled = !run || state.tool === "look" || sameViews(run, state.view).length < 2;
    const marks = run !== null && !isSame;
    if (marks !== Boolean(now.marks)) hearOf({ marks });
    parts.overridesNote.dataset.refused = String(Boolean(state.refused));
    write(parts.overridesNote, this.note(run, state, isSame || !run, isBoth));
    this.answers(isSame && !now.asking ? hand : null);
  }

  /**
   * @param {Run | null} run
   * @param {State} state
   * @param {boolean} isSame as those of the run
   * @param {boolean} isBoth
   */
  note(run, state, isSame, isBoth) {
    const { texts } = this;
    const { overrides, selection, tool, refused } = state;
    if (run && selection && tool !== "look") return this.selected(run, state, selection, tool);
    if (now.asking) return texts.asking;
    if (refused) return refused;
    if (isBoth) return texts.overridesBoth;
    if (!run || (!overrides.length && isSame)) return tool === "look" ? texts.overridesHint : texts.overridesHow;
    if (!overrides.length) return texts.overridesGone;
    const kinds = [...overriddenTokens(run, overrides).values()];
    const count = (/** @type {Override["kind"]} */ kind) => kinds.filter((own) => own === kind).length;
    const counts = { protect: count("protect"), remove: count("remove") };
    return fill(isSame ? texts.overridesAsked : texts.overridesNew, counts);
  }

  /**
   * What is about to be marked.
   *
   * @param {Run} run
   * @param {State} state
   * @param {Selection} selection
   * @param {Override["kind"]} kind
   */
  selected(run, { overrides, through }, selection, kind) {
    const spots = selectedSpots(run, selection, through);
    const { top, bottom, left, right } = spanOf(run.views[selection.view].cols, selection);
    const size = { rows: bottom - top + 1, columns: right - left + 1, count: spots.length };
    const { selecting } = this.texts;
    if (!spots.length) return fill(selecting.none, size);
    return fill(areMarked(run, overrides, spots, kind) ? selecting.off : selecting[kind], size);
  }

  /**
   * Both answers and the tokens behind them, while the marks are those of the run.
   *
   * @param {ByHand | null} hand
   */
  answers(hand) {
    const { handSaid } = this.parts;
    const { texts } = this;
    const key = JSON.stringify(hand);
    if (handSaid.dataset.key === key) return;
    handSaid.dataset.key = key;
    handSaid.hidden = !hand;
    if (!hand) return handSaid.replaceChildren();
    const tokens = fill(texts.handTokens, { entered: whole(hand.entered), alone: whole(hand.enteredAlone) });
    handSaid.replaceChildren(
      make("strong", {}, hand.same ? texts.sameAnswer : texts.otherAnswer),
      ...this.side("hand", hand.hand),
      ...this.side("aim", hand.aim),
      ` ${tokens}`,
    );
  }

  /** @param {"aim" | "hand"} name @param {string} answer */
  side(name, answer) {
    return [" ", make("b", { "data-side": name }, this.texts.sides[name]), " ", make("q", {}, answer), " "];
  }
}

/**
 * Only where it differs: what a screen reader was told once, it is not told again.
 *
 * @param {HTMLElement} node
 * @param {string} sentence
 */
function write(node, sentence) {
  if (node.textContent !== sentence) node.textContent = sentence;
}
