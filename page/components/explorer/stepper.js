// @ts-check
// Stepper: rounds of merging in the overlay "groups", iterations of PageRank in the overlay "scores".

import { fill, make, whole } from "../common.js";
import { ALL_HEADS } from "./scores.js";

/** @import { Run } from "./run.js" */
/** @import { State } from "./state.js" */

/** @typedef {"round" | "iteration"} StepName */
/** @typedef {{name: StepName, most: number, value: number}} Steps what can be stepped, how far, and how far it is */
/** @typedef {Record<"before" | "of" | "tokens" | "tokensName" | "allHeads" | "oneHead", string>} Sentences */
/** @typedef {Sentences & {steps: Record<StepName, string>}} StepTexts */
/** @typedef {Record<"steps" | "stepName" | "stepValue" | "stepCounts", HTMLElement>} Outputs */
/** @typedef {Record<"stepBack" | "stepNext", HTMLButtonElement> & Record<"step" | "links", HTMLInputElement>} Inputs */
/** @typedef {Outputs & Inputs & {head: HTMLSelectElement}} StepParts */

/**
 * What can be stepped now; null for nothing.
 *
 * @param {Run | null} run
 * @param {State} state
 * @returns {Steps | null}
 */
export function stepsOf(run, { overlay, scorer, layer, round, iteration }) {
  if (!run) return null;
  const { rounds } = run.merging;
  if (overlay === "groups" && rounds) return { name: "round", most: rounds, value: Math.min(round, rounds) };
  if (overlay !== "scores" || run.knownScorer(scorer) !== "pagerank") return null;
  if (!run.recordedScores.isRecorded(run.measured(layer))) return null;
  const most = run.recordedScores.iterations;
  return { name: "iteration", most, value: Math.min(iteration, most) };
}

/**
 * The state after a step to `value`; the last one is kept as "the end", however many the next run has.
 *
 * @param {Steps} steps
 * @param {number} value
 * @returns {Partial<State>}
 */
export function stepTo({ name, most }, value) {
  const at = Math.min(most, Math.max(0, value));
  return { [name]: at === most ? Infinity : at };
}

export class Stepper {
  /**
   * @param {StepParts} parts
   * @param {StepTexts} texts
   * @param {(change: Partial<State>) => void} set
   * @param {(value: number) => void} move
   */
  constructor(parts, texts, set, move) {
    this.parts = parts;
    this.texts = texts;
    /** @type {Steps | null} */
    this.steps = null;
    parts.step.addEventListener("input", () => move(Number(parts.step.value)));
    parts.stepBack.addEventListener("click", () => move((this.steps?.value ?? 0) - 1));
    parts.stepNext.addEventListener("click", () => move((this.steps?.value ?? 0) + 1));
    parts.links.addEventListener("change", () => set({ links: parts.links.checked }));
    parts.head.addEventListener("change", () => set({ head: Number(parts.head.value) }));
  }

  /** @param {Run | null} run @param {State} state */
  show(run, state) {
    const { parts, texts } = this;
    this.steps = stepsOf(run, state);
    parts.steps.dataset.used = this.steps ? this.steps.name : "no";
    if (!run || !this.steps) return;
    const { name, most, value } = this.steps;
    parts.stepName.textContent = texts.steps[name];
    parts.step.max = String(most);
    parts.step.value = String(value);
    parts.stepBack.disabled = value === 0;
    parts.stepNext.disabled = value === most;
    const text = value === 0 && name === "round" ? texts.before : fill(texts.of, { value, most });
    parts.stepValue.textContent = text;
    parts.step.setAttribute("aria-label", texts.steps[name]);
    const count = name === "round" ? `, ${fill(texts.tokens, { count: whole(run.merging.counts[value]) })}` : "";
    parts.step.setAttribute("aria-valuetext", `${text}${count}`);
    parts.links.checked = state.links;
    if (name === "round") this.counts(run.merging.counts, value);
    else this.heads(run.recordedScores.heads, state.head);
  }

  /**
   * Tokens after every round, the shown one in bold.
   *
   * @param {number[]} counts
   * @param {number} now
   */
  counts(counts, now) {
    const nodes = counts.flatMap((count, round) => [
      ...(round ? [" → "] : []),
      make(round === now ? "strong" : "span", {}, whole(count)),
    ]);
    this.parts.stepCounts.replaceChildren(...nodes, ` ${this.texts.tokensName}`);
  }

  /**
   * All heads or one of them; a single one may stand for all.
   *
   * @param {number} count
   * @param {number} chosen
   */
  heads(count, chosen) {
    const { head } = this.parts;
    const single = count > 1 ? [...Array(count).keys()] : [];
    if (head.options.length !== single.length + 1) {
      const option = (/** @type {number} */ value, /** @type {string} */ name) => make("option", { value }, name);
      const names = single.map((one) => option(one, fill(this.texts.oneHead, { head: one + 1 })));
      head.replaceChildren(option(ALL_HEADS, this.texts.allHeads), ...names);
    }
    head.value = String(chosen);
  }
}
