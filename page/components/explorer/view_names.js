// View names: what a view is called, from the kind and the numbers that view_names.py found.

/** "frame 3", "frames 3–4", "crop 2, row 1, column 2", "whole picture, 6×6". */
function nameOf(run, texts, view) {
  const { name } = run.views[view];
  return fill(texts.names[name.kind], name);
}

/** The name with a capital and its time. */
function captionOf(run, texts, view) {
  const { name, time } = run.views[view];
  return fill(texts.captions[name.kind], { ...name, seconds: time.toFixed(1) });
}

/** A name for very small views. */
function shortName(run, view) {
  const { name } = run.views[view];
  if (name.kind === "whole") return `${name.rows}×${name.columns}`;
  return name.kind === "frames" ? `${name.first}–${name.last}` : `${name.kind === "crop" ? name.number : name.first}`;
}
