// Token history: what became of one token, as a short list of events and a chart of its rank or score in every layer.

/** The events in a token's history, as sentences. */
function historyEvents(run, texts, { view, patch }) {
  const token = run.token(view, patch);
  const size = run.sizes[token];
  const events = [fill(texts.bornAs, { place: placeOf(run, texts.placeSpoken, texts, { view, patch }) })];
  events.push(size > 1 ? fill(texts.mergedWith, { others: size - 1, group: run.groupName(view, patch) }) : texts.notMerged);
  const pruned = run.prunedBefore(token);
  const measured = run.scored.filter((layer) => run.scoreScale(layer).rank(token));
  const last = measured[measured.length - 1];
  if (run.byHand.get(token) === "protect") events.push(texts.protected);
  if (pruned === 0) events.push(texts.removed);
  else if (pruned === null) events.push(fill(texts.survives, { layers: run.layers }));
  else if (pruned - 1 === last) {
    const { place, of } = run.scoreScale(last).rank(token);
    const stay = run.retained[pruned];
    events.push(fill(stay ? texts.prunedBelow : texts.prunedAll, { layer: last, place, of, stay, next: pruned }));
  } else events.push(fill(texts.prunedUnscored, { layer: pruned - 1 }));
  return events;
}

/** Where a patch is, as a sentence says it: its view, row and column, counted from 1. */
function placeOf(run, sentence, texts, { view, patch }) {
  const { cols } = run.views[view];
  const name = nameOf(run, texts, view);
  return fill(sentence, { name, row: Math.floor(patch / cols) + 1, column: (patch % cols) + 1 });
}

/** SVG of a token's score in every measured layer, highest on top, above the cut that it had to pass. */
function historyChart(run, texts, { view, patch }, scale, layer) {
  const token = run.token(view, patch);
  const w = 300, h = 148, left = 30, right = 8, top = 10, bottom = 24;
  const x = (at) => left + ((w - left - right) * (at + 0.5)) / run.layers;
  const y = (share) => top + (h - top - bottom) * (1 - share);
  const svg = draw("svg", { viewBox: `0 0 ${w} ${h}`, role: "img", class: "tx-chart" });
  svg.setAttribute("aria-label", chartText(run, texts, token));
  const lived = run.last[token] + 1;
  svg.append(draw("rect", { x: left, y: top, width: Math.max(0, x(lived - 0.5) - left), height: y(0) - top, class: "lived" }));
  svg.append(draw("rect", { x: x(layer) - 5, y: top, width: 10, height: y(0) - top, class: "now" }));
  for (const [share, name] of [[1, texts.high], [0, texts.low]]) {
    svg.append(draw("line", { x1: left, x2: w - right, y1: y(share), y2: y(share), class: "rule" }));
    svg.append(draw("text", { x: left - 5, y: y(share) + 3.5, class: "tick end" }, name));
  }
  for (let at = 0; at < run.layers; at += Math.ceil(run.layers / 8))
    svg.append(draw("text", { x: x(at), y: h - 7, class: "tick mid" }, String(at)));
  for (const at of run.scored) cutMark(svg, run, at, scale, x, y);
  const points = run.scored.filter((at) => run.scoreScale(at).rank(token)).map((at) => [x(at), y(run.scoreScale(at).unitScore(token, scale))]);
  svg.append(draw("polyline", { points: points.map(String).join(" "), class: "path" }));
  for (const [cx, cy] of points) svg.append(draw("circle", { cx, cy, r: 3.4, class: "dot" }));
  return svg;
}

/** A dash at the lowest score that goes on to the next layer. */
function cutMark(svg, run, layer, scale, x, y) {
  const next = run.retained[layer + 1];
  const of = run.retained[layer];
  if (next === undefined || next >= of) return;
  const share = next === 0 ? 1 : scale === "rank" ? 1 - (next - 0.5) / Math.max(1, of - 1) : cutScore(run.scoreScale(layer), next);
  const reach = (x(1) - x(0)) / 2;
  const at = { x1: x(layer) - reach, x2: x(layer) + reach, y1: y(share), y2: y(share), class: "cut" };
  svg.append(draw("line", at));
}

/** Where the lowest score that stays lies on the logarithmic scale. */
function cutScore(scoreScale, stay) {
  return scoreScale.logUnitScore(scoreScale.ordered[stay - 1]);
}

function chartText(run, texts, token) {
  const ranks = run.scored.filter((at) => run.scoreScale(at).rank(token));
  const parts = ranks.map((at) => fill(texts.rankAt, { layer: at, ...run.scoreScale(at).rank(token) }));
  return parts.length ? parts.join("; ") : texts.noScores;
}
