// Layout: where frames, captions and patches lie on the canvas, in device pixels.

/** Boxes {x, y, w, h} of all frames, as large as they get in the given room, in rows from the middle. */
function frameBoxes(width, height, count, proportion, gap, caption) {
  let best = null;
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns);
    const wide = (width - gap * (columns + 1)) / columns;
    const tall = (height - gap * (rows + 1)) / rows - caption;
    const h = Math.floor(Math.min(tall, wide / proportion));
    if (h > 0 && (!best || h > best.h)) best = { columns, rows, h, w: Math.floor(h * proportion) };
  }
  if (!best) return [];
  const { columns, rows, w, h } = best;
  const left = Math.floor((width - columns * w - (columns - 1) * gap) / 2);
  const top = Math.floor((height - rows * (h + caption) - (rows - 1) * gap) / 2);
  return Array.from({ length: count }, (_, i) => ({
    x: left + (i % columns) * (w + gap),
    y: top + Math.floor(i / columns) * (h + caption + gap),
    w,
    h,
  }));
}

/** Position of a cut between patches, as `patch_edges` in visual/patches.py has it. */
function edge(length, parts, index) {
  return Math.floor((index * length) / parts);
}

/** The rectangle of a patch inside a frame's box. */
function patchBox(run, box, patch) {
  const row = Math.floor(patch / run.cols);
  const col = patch % run.cols;
  const x = box.x + edge(box.w, run.cols, col);
  const y = box.y + edge(box.h, run.rows, row);
  return { x, y, w: box.x + edge(box.w, run.cols, col + 1) - x, h: box.y + edge(box.h, run.rows, row + 1) - y };
}

/** The patch under a point of the canvas, as {frame, patch}; null between frames. */
function patchAt(run, boxes, x, y) {
  for (const [frame, box] of boxes) {
    const col = Math.floor(((x - box.x) / box.w) * run.cols);
    const row = Math.floor(((y - box.y) / box.h) * run.rows);
    if (col >= 0 && col < run.cols && row >= 0 && row < run.rows) return { frame, patch: row * run.cols + col };
  }
  return null;
}

/** Path of the lines between patches with different labels; the rim is drawn too where `rim` says so of a label. */
function borders(run, box, labelOf, rim = () => false) {
  const path = new Path2D();
  const label = (row, col) => (row < 0 || col < 0 || row >= run.rows || col >= run.cols ? undefined : labelOf(row * run.cols + col));
  const differs = (one, other) => (one === undefined ? rim(other) : other === undefined ? rim(one) : one !== other);
  for (let row = 0; row <= run.rows; row++)
    for (let col = 0; col <= run.cols; col++) {
      const x = box.x + edge(box.w, run.cols, col);
      const y = box.y + edge(box.h, run.rows, row);
      if (col < run.cols && differs(label(row - 1, col), label(row, col))) {
        path.moveTo(x, y);
        path.lineTo(box.x + edge(box.w, run.cols, col + 1), y);
      }
      if (row < run.rows && differs(label(row, col - 1), label(row, col))) {
        path.moveTo(x, y);
        path.lineTo(x, box.y + edge(box.h, run.rows, row + 1));
      }
    }
  return path;
}

/** Path that covers all patches for which `holds`. */
function area(run, box, holds) {
  const path = new Path2D();
  for (let patch = 0; patch < run.patches; patch++)
    if (holds(patch)) {
      const { x, y, w, h } = patchBox(run, box, patch);
      path.rect(x, y, w, h);
    }
  return path;
}
