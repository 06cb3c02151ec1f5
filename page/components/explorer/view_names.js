// Naming: what a view is called, from the kind and the numbers that naming.py found.

/** "frame 3", "frames 3–4", "crop 2, row 1, column 2", "whole picture, 6×6". */
function nameOf(run, words, frame) {
  const { name } = run.views[frame];
  return fill(words.names[name.kind], name);
}

/** The name with a capital and its time. */
function captionOf(run, words, frame) {
  const { name, time } = run.views[frame];
  return fill(words.captions[name.kind], { ...name, seconds: time.toFixed(1) });
}

/** A name for very small frames. */
function shortName(run, frame) {
  const { name } = run.views[frame];
  if (name.kind === "whole") return `${name.rows}×${name.columns}`;
  return name.kind === "frames" ? `${name.first}–${name.last}` : `${name.kind === "crop" ? name.number : name.first}`;
}
