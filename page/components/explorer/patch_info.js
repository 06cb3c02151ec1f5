// @ts-check
// Patch info: the patch under the pointer in words and numbers, and the card of the pinned one.

import { fill, make } from "../common.js";
import { patchBox } from "./layout.js";
import { contextOf } from "./paint.js";
import { historyChart, historyEvents, placeOf } from "./token_history.js";

/** @import { Picture } from "./paint.js" */
/** @import { Run } from "./run.js" */
/** @import { Scale, Spot, State } from "./state.js" */
/** @import { HistoryTexts } from "./token_history.js" */

/** @typedef {"place" | "group" | "size" | "similarity" | "rank" | "score" | "fate"} Field */
/** @typedef {"place" | "rankOf" | "removedFate" | "droppedFate" | "stays" | "goesAfter" | "foldedFate" | "protectedFate" | "spoken"} TextName */
/** @typedef {{fields: Record<Field, string>, chartNote: Record<Scale, string>}} InfoTables */
/** @typedef {HistoryTexts & Record<TextName, string> & InfoTables} InfoTexts */
/** @typedef {{lens: HTMLCanvasElement} & Record<"patchInfo" | "live" | "history" | "historyHint", HTMLElement>} InfoParts */

/** @type {readonly Field[]} */
const FIELDS = ["place", "group", "size", "similarity", "rank", "score", "fate"];

/**
 * What is known of a patch, as texts by the names that the locales use.
 *
 * @param {Run} run
 * @param {InfoTexts} texts
 * @param {Spot} spot
 * @param {Pick<State, "layer" | "overlay" | "scorer" | "head" | "iteration">} state
 */
export function patchInfoOf(run, texts, spot, { layer, overlay, scorer, head, iteration }) {
  const { view, patch } = spot;
  const token = run.token(view, patch);
  const measured = run.measured(layer);
  const own = overlay === "scores" && measured !== null;
  const plain = measured === null ? null : run.scoreScale(measured);
  const scoreScale = own ? run.scoreScale(measured, head, iteration, scorer) : plain;
  const rank = scoreScale?.rank(token);
  const likeness = run.likeness(view, patch);
  return {
    place: placeOf(run, texts.place, texts, spot),
    spoken: placeOf(run, texts.placeSpoken, texts, spot),
    group: run.groupName(view, patch),
    size: String(run.sizes[token]),
    measured: measured ?? "–",
    similarity: likeness === null ? "–" : likeness.toFixed(2),
    rank: rank ? fill(texts.rankOf, rank) : "–",
    score: scoreScale && rank ? scoreText(scoreScale.score(token)) : "–",
    fate: run.isDropped(view, patch) ? texts.droppedFate : fateOf(run, texts, token),
  };
}

/**
 * What becomes of a token, and whether a hand was in it.
 *
 * @param {Run} run
 * @param {InfoTexts} texts
 * @param {number} token
 */
function fateOf(run, texts, token) {
  const pruned = run.prunedBefore(token);
  if (run.isFolded(token)) return fill(texts.foldedFate, { layer: pruned ?? 0, group: run.tokenName(run.into[token]) });
  if (pruned === 0) return texts.removedFate;
  const fate = pruned === null ? texts.stays : fill(texts.goesAfter, { layer: pruned - 1 });
  return run.overridden.get(token) === "protect" ? fill(texts.protectedFate, { fate }) : fate;
}

/** @param {number} score */
function scoreText(score) {
  return score >= 0.001 ? score.toPrecision(3) : score.toExponential(1);
}

/** Shows what is known of patches. */
export class PatchInfo {
  /** @param {InfoParts} parts @param {InfoTexts} texts */
  constructor(parts, texts) {
    this.parts = parts;
    this.texts = texts;
    this.waiting = 0;
    this.fields = FIELDS.map((name) => ({ name, node: make("dd", { "data-field": name }, "–") }));
    for (const { name, node } of this.fields)
      parts.patchInfo.append(make("div", {}, make("dt", {}, texts.fields[name]), node));
  }

  /**
   * The patch at `spot`, or dashes for none.
   *
   * @param {Run | null} run
   * @param {Picture[]} pictures
   * @param {Spot | null} spot
   * @param {State} state
   */
  show(run, pictures, spot, state) {
    const values = run && spot ? patchInfoOf(run, this.texts, spot, state) : null;
    for (const { name, node } of this.fields) node.textContent = values ? values[name] : "–";
    this.enlarge(run, pictures, spot);
    if (values) this.say(fill(this.texts.spoken, values));
  }

  /**
   * The patch itself with a little around it.
   *
   * @param {Run | null} run
   * @param {Picture[]} pictures
   * @param {Spot | null} spot
   */
  enlarge(run, pictures, spot) {
    const canvas = this.parts.lens;
    const ctx = contextOf(canvas);
    ctx.clearRect(0, 0, canvas.width, canvas.height);
    if (!run || !spot) return;
    const picture = pictures[spot.view].plain;
    const whole = { x: 0, y: 0, w: picture.width, h: picture.height };
    const { x, y, w, h } = patchBox(run.views[spot.view], whole, spot.patch);
    ctx.imageSmoothingQuality = "high";
    ctx.drawImage(picture, x - w / 2, y - h / 2, 2 * w, 2 * h, 0, 0, canvas.width, canvas.height);
    ctx.strokeStyle = "#ffffff";
    ctx.lineWidth = 3;
    ctx.strokeRect(canvas.width / 4, canvas.height / 4, canvas.width / 2, canvas.height / 2);
  }

  /**
   * Tell a screen reader, but only where the pointer or the keys come to rest.
   *
   * @param {string} sentence
   */
  say(sentence) {
    clearTimeout(this.waiting);
    this.waiting = window.setTimeout(() => {
      this.parts.live.textContent = sentence;
    }, 120);
  }

  /**
   * The card of the pinned patch, or the hint how to pin one.
   *
   * @param {Run | null} run
   * @param {Spot | null} spot
   * @param {Scale} scale
   * @param {number} layer
   */
  card(run, spot, scale, layer) {
    const { history, historyHint } = this.parts;
    historyHint.hidden = Boolean(spot);
    history.replaceChildren();
    if (!run || !spot) return;
    const events = historyEvents(run, this.texts, spot).map((event) => make("li", {}, event));
    const note = run.scored.length ? this.texts.chartNote[scale] : this.texts.noScores;
    const chart = historyChart(run, this.texts, spot, scale, layer);
    history.append(make("ol", {}, ...events), chart, make("p", { class: "note" }, note));
  }
}
