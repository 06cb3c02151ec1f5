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
function tourValues(step, measured, words) {
  const later = measured?.later_half ?? 0;
  return {
    keep: percent(step.keep_ratio), l1: step.l1, l2: step.l2,
    ...(measured && {
      visual: whole(measured.visual), merged: whole(measured.merged), text: whole(measured.text),
      per_text: whole(measured.per_text), largest: whole(measured.largest), share: percent(measured.share),
      layer: measured.layer, earlier: percent(1 - later), later: percent(later),
      dense: measured.dense || words.silent, aim: measured.aim || words.silent,
    }),
  };
}

/** What is told after a run: the verdict on choice number `said`, the measurement, and what it means. */
function revealed(step, texts, words, said, measured) {
  const came = cameOut(step, measured);
  if (came === null) return [words.unmeasured];
  const values = tourValues(step, measured, words);
  const verdict = said === came ? words.right : fill(words.other, { said: texts.choices[said], came: texts.choices[came] });
  const lines = [verdict, fill(texts.found, values), texts.means[came]];
  if (step.tells_answer) lines.push(fill(measured.changed ? words.lost : words.kept, values));
  return lines;
}
