// @ts-check
// Token history: what became of one token, as a short list of events and a chart of its rank or score in every layer.

import { draw, fill } from "../common.js";
import { nameOf } from "./view_names.js";

/** @import { Run } from "./run.js" */
/** @import { ScoreScale } from "./scores.js" */
/** @import { Scale, Spot } from "./state.js" */
/** @import { KindTexts } from "./view_names.js" */

/**
 * What a chart and its last event are drawn of: a run, or its sound.
 *
 * @typedef {Pick<Run, "layers" | "retained" | "scored" | "last" | "token" | "tokensOf" | "prunedBefore" | "isFolded" | "tokenName">
 *   & {into?: Int32Array, scoreScale(layer: number): ScoreScale}} Charted
 */
/** @typedef {"bornAs" | "placeSpoken" | "mergedWith" | "notMerged" | "protected" | "removed" | "dropped" | "survives"} EventName */
/** @typedef {"prunedBelow" | "prunedAll" | "prunedUnscored" | "folded"} PrunedName */
/** @typedef {"high" | "low" | "rankAt" | "noScores"} ChartName */
/** @typedef {Record<EventName | PrunedName | ChartName, string> & {names: KindTexts}} HistoryTexts */

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [300, 148, 30, 8, 10, 24]; // of the chart and its margins

/**
 * The events in a token's history, as sentences.
 *
 * @param {Run} run
 * @param {HistoryTexts} texts
 * @param {Spot} spot
 */
export function historyEvents(run, texts, { view, patch }) {
  const token = run.token(view, patch);
  const size = run.sizes[token];
  const events = [fill(texts.bornAs, { place: placeOf(run, texts.placeSpoken, texts, { view, patch }) })];
  if (run.isDropped(view, patch)) return [...events, texts.dropped];
  const group = run.groupName(view, patch);
  events.push(size > 1 ? fill(texts.mergedWith, { others: size - 1, group }) : texts.notMerged);
  if (run.overridden.get(token) === "protect") events.push(texts.protected);
  events.push(endOf(run, texts, token));
  return events;
}

/**
 * The last event: where a token was pruned, or that it was not.
 *
 * @param {Charted} run
 * @param {HistoryTexts} texts
 * @param {number} token
 */
export function endOf(run, texts, token) {
  const pruned = run.prunedBefore(token);
  if (run.isFolded(token))
    return fill(texts.folded, { layer: pruned ?? 0, group: run.tokenName(run.into?.[token] ?? -1) });
  if (pruned === 0) return texts.removed;
  if (pruned === null) return fill(texts.survives, { layers: run.layers });
  const last = measuredLayers(run, token).at(-1);
  const rank = last === pruned - 1 ? run.scoreScale(last).rank(token) : null;
  if (!rank) return fill(texts.prunedUnscored, { layer: pruned - 1 });
  const stay = run.retained[pruned];
  return fill(stay ? texts.prunedBelow : texts.prunedAll, { layer: last, ...rank, stay, next: pruned });
}

/**
 * The measured layers that a token entered.
 *
 * @param {Charted} run
 * @param {number} token
 */
function measuredLayers(run, token) {
  return run.scored.filter((layer) => run.scoreScale(layer).rank(token));
}

/**
 * Where a patch is, as a sentence says it: its view, row and column, counted from 1.
 *
 * @param {Run} run
 * @param {string} sentence
 * @param {{names: KindTexts}} texts
 * @param {Spot} spot
 */
export function placeOf(run, sentence, texts, { view, patch }) {
  const { cols } = run.views[view];
  const name = nameOf(run, texts, view);
  return fill(sentence, { name, row: Math.floor(patch / cols) + 1, column: (patch % cols) + 1 });
}

/**
 * SVG of a token's score in every measured layer, highest on top, above the cut that it had to pass.
 *
 * @param {Charted} run
 * @param {HistoryTexts} texts
 * @param {Spot} spot
 * @param {Scale} scale
 * @param {number} layer the one that is looked at
 */
export function historyChart(run, texts, { view, patch }, scale, layer) {
  const token = run.token(view, patch);
  const x = (/** @type {number} */ at) => LEFT + ((WIDTH - LEFT - RIGHT) * (at + 0.5)) / run.layers;
  const y = (/** @type {number} */ share) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - share);
  const svg = draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", class: "tx-chart" });
  svg.setAttribute("aria-label", chartText(run, texts, token));
  const full = { y: TOP, height: y(0) - TOP };
  const lived = Math.max(0, x(run.last[token] + 0.5) - LEFT);
  svg.append(draw("rect", { x: LEFT, width: lived, ...full, class: "lived" }));
  svg.append(draw("rect", { x: x(layer) - 5, width: 10, ...full, class: "now" }));
  for (const [share, name] of /** @type {[number, string][]} */ ([
    [1, texts.high],
    [0, texts.low],
  ])) {
    svg.append(draw("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y(share), y2: y(share), class: "rule" }));
    svg.append(draw("text", { x: LEFT - 5, y: y(share) + 3.5, class: "tick end" }, name));
  }
  for (let at = 0; at < run.layers; at += Math.ceil(run.layers / 8))
    svg.append(draw("text", { x: x(at), y: HEIGHT - 7, class: "tick mid" }, String(at)));
  for (const at of run.scored) svg.append(...cutMarks(run, at, scale, x, y));
  const heightAt = (/** @type {number} */ at) => run.scoreScale(at).unitScore(token, scale, run.tokensOf[view]);
  const points = measuredLayers(run, token).map((at) => [x(at), y(heightAt(at))]);
  svg.append(draw("polyline", { points: points.map(String).join(" "), class: "path" }));
  for (const [cx, cy] of points) svg.append(draw("circle", { cx, cy, r: 3.4, class: "dot" }));
  return svg;
}

/**
 * A dash at the lowest score that goes on to the next layer; none where all go on, nor within a frame, whose tokens
 * compete with those of all others.
 *
 * @param {Charted} run
 * @param {number} layer
 * @param {Scale} scale
 * @param {(at: number) => number} x
 * @param {(share: number) => number} y
 */
function cutMarks(run, layer, scale, x, y) {
  const next = run.retained[layer + 1];
  const of = run.retained[layer];
  if (next === undefined || next >= of || scale === "frame") return [];
  const byRank = 1 - (next - 0.5) / Math.max(1, of - 1);
  const share = next === 0 ? 1 : scale === "rank" ? byRank : cutScore(run.scoreScale(layer), next);
  const reach = (x(1) - x(0)) / 2;
  return [draw("line", { x1: x(layer) - reach, x2: x(layer) + reach, y1: y(share), y2: y(share), class: "cut" })];
}

/**
 * Where the lowest score that stays lies on the logarithmic scale.
 *
 * @param {ScoreScale} scoreScale
 * @param {number} stay
 */
function cutScore(scoreScale, stay) {
  return scoreScale.logUnitScore(scoreScale.ordered[stay - 1]);
}

/** @param {Charted} run @param {HistoryTexts} texts @param {number} token */
function chartText(run, texts, token) {
  const layers = measuredLayers(run, token);
  const parts = layers.map((layer) => fill(texts.rankAt, { layer, ...run.scoreScale(layer).rank(token) }));
  return parts.length ? parts.join("; ") : texts.noScores;
}
