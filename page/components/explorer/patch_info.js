// Patch info: the patch under the pointer in words and numbers, and the card of the pinned one.

/** What is known of a patch, as texts by the names that the locales use. */
function patchInfoOf(run, texts, spot, { layer, overlay, head, iteration }) {
  const { view, patch } = spot;
  const token = run.token(view, patch);
  const measured = run.measured(layer);
  const steps = overlay === "scores" ? [head, iteration] : [];
  const scoreScale = measured === null ? null : run.scoreScale(measured, ...steps);
  const rank = scoreScale && scoreScale.rank(token);
  const likeness = run.likeness(view, patch);
  return {
    place: placeOf(run, texts.place, texts, spot),
    spoken: placeOf(run, texts.placeSpoken, texts, spot),
    group: run.groupName(view, patch),
    size: run.sizes[token],
    measured: measured ?? "–",
    similarity: likeness === null ? "–" : likeness.toFixed(2),
    rank: rank ? fill(texts.rankOf, rank) : "–",
    score: rank ? scoreText(scoreScale.score(token)) : "–",
    fate: fateOf(run, texts, token),
  };
}

/** What becomes of a token, and whether a hand was in it. */
function fateOf(run, texts, token) {
  const pruned = run.prunedBefore(token);
  if (pruned === 0) return texts.removedFate;
  const fate = pruned === null ? texts.stays : fill(texts.goesAfter, { layer: pruned - 1 });
  return run.byHand.get(token) === "protect" ? fill(texts.protectedFate, { fate }) : fate;
}

function scoreText(score) {
  return score >= 0.001 ? score.toPrecision(3) : score.toExponential(1);
}

/** Shows readings; `parts` are the elements of explorer.html, `texts` those of the locales. */
class PatchInfo {
  constructor(parts, texts) {
    Object.assign(this, { parts, texts, fields: {} });
    for (const name of ["place", "group", "size", "similarity", "rank", "score", "fate"]) {
      const value = make("dd", { "data-field": name }, "–");
      parts.patchInfo.append(make("div", {}, make("dt", {}, texts.fields[name]), value));
      this.fields[name] = value;
    }
  }

  /** The patch at `spot`, or dashes for none. */
  show(run, pictures, spot, state) {
    const values = spot ? patchInfoOf(run, this.texts, spot, state) : null;
    for (const [name, node] of Object.entries(this.fields))
      node.textContent = values ? values[name] : "–";
    this.enlarge(run, pictures, spot);
    if (values) this.say(fill(this.texts.spoken, values));
  }

  /** The patch itself with a little around it. */
  enlarge(run, pictures, spot) {
    const canvas = this.parts.lens;
    const ctx = canvas.getContext("2d");
    ctx.clearRect(0, 0, canvas.width, canvas.height);
    if (!spot) return;
    const picture = pictures[spot.view].plain;
    const { x, y, w, h } = patchBox(run.views[spot.view], { x: 0, y: 0, w: picture.width, h: picture.height }, spot.patch);
    ctx.imageSmoothingQuality = "high";
    ctx.drawImage(picture, x - w / 2, y - h / 2, 2 * w, 2 * h, 0, 0, canvas.width, canvas.height);
    ctx.strokeStyle = "#ffffff";
    ctx.lineWidth = 3;
    ctx.strokeRect(canvas.width / 4, canvas.height / 4, canvas.width / 2, canvas.height / 2);
  }

  /** Tell a screen reader, but only where the pointer or the keys come to rest. */
  say(sentence) {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => (this.parts.live.textContent = sentence), 120);
  }

  /** The card of the pinned patch, or the hint how to pin one. */
  card(run, spot, scale, layer) {
    const { history, historyHint } = this.parts;
    historyHint.hidden = Boolean(spot);
    history.replaceChildren();
    if (!spot) return;
    const events = historyEvents(run, this.texts, spot).map((event) => make("li", {}, event));
    const note = run.scored.length ? this.texts.chartNote[scale] : this.texts.noScores;
    history.append(make("ol", {}, ...events), historyChart(run, this.texts, spot, scale, layer), make("p", { class: "note" }, note));
  }
}
