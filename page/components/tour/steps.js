// Steps: what a run says about a prediction, in plain values. Nothing here touches the page.

/** Whether a measured run is the one that the step asked for. */
function isRunOf(step, { settings }) {
  return ["keep_ratio", "l1", "l2", "frames"].every((name) => Math.abs(settings[name] - step[name]) < 1e-6);
}

/** Number of the choice that came out; null where the run measured nothing of the kind. */
function cameOut(step, measured) {
  const value = measured[step.measure];
  return value === null ? null : step.bounds.filter((bound) => value >= bound).length;
}

/** The values that the sentences of a step may name, as texts. */
function tourValues(step, measured, texts) {
  const later = measured?.later_half ?? 0;
  return {
    keep: percent(step.keep_ratio), l1: step.l1, l2: step.l2,
    ...(measured && {
      visual: whole(measured.visual), merged: whole(measured.merged), text: whole(measured.text),
      per_text: whole(measured.per_text), largest: whole(measured.largest), share: percent(measured.share),
      layer: measured.layer, earlier: percent(1 - later), later: percent(later),
      dense: measured.dense || texts.silent, aim: measured.aim || texts.silent,
    }),
  };
}

/** What is told after a run: the verdict on choice number `said`, the measurement, and what it means. */
function revealed(step, stepTexts, texts, said, measured) {
  const came = cameOut(step, measured);
  if (came === null) return [texts.unmeasured];
  const values = tourValues(step, measured, texts);
  const verdict = said === came ? texts.right : fill(texts.other, { said: stepTexts.choices[said], came: stepTexts.choices[came] });
  const lines = [verdict, fill(stepTexts.found, values), stepTexts.means[came]];
  if (step.tells_answer) lines.push(fill(measured.changed ? texts.lost : texts.kept, values));
  return lines;
}
