// Layout: where views, captions and patches lie on the canvas, in device pixels.

/** Boxes {x, y, w, h} of views of these proportions, as large as they get in the given room, in rows from the middle. */
function viewBoxes(width, height, proportions, gap, caption) {
  const logs = proportions.map(Math.log);
  const proportion = Math.exp((Math.min(...logs) + Math.max(...logs)) / 2);
  return cells(width, height, proportions.length, proportion, gap, caption).map((cell, i) => fitted(cell, proportions[i]));
}

/** The largest box of a proportion at the bottom left of a cell, above its caption. */
function fitted(cell, proportion) {
  const h = Math.min(cell.h, Math.floor(cell.w / proportion));
  return { x: cell.x, y: cell.y + cell.h - h, w: Math.min(cell.w, Math.floor(h * proportion)), h };
}

/** Equal boxes of one proportion. */
function cells(width, height, count, proportion, gap, caption) {
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

/** Position of a cut between patches, as `patch_edges` in visual/patch_grid.py has it. */
function edge(length, parts, index) {
  return Math.floor((index * length) / parts);
}

/** The rectangle of a patch inside a view's box. grid: a view of the run. */
function patchBox(grid, box, patch) {
  const row = Math.floor(patch / grid.cols);
  const col = patch % grid.cols;
  const x = box.x + edge(box.w, grid.cols, col);
  const y = box.y + edge(box.h, grid.rows, row);
  return { x, y, w: box.x + edge(box.w, grid.cols, col + 1) - x, h: box.y + edge(box.h, grid.rows, row + 1) - y };
}

/** The middle of some patches, as [x, y]. */
function middle(grid, box, patches) {
  const centres = patches.map((patch) => patchBox(grid, box, patch)).map(({ x, y, w, h }) => [x + w / 2, y + h / 2]);
  return [0, 1].map((axis) => centres.reduce((sum, centre) => sum + centre[axis], 0) / centres.length);
}

/** The patch under a point of the canvas, as {view, patch}; null between views. */
function patchAt(run, boxes, x, y) {
  for (const [view, box] of boxes) {
    const { rows, cols } = run.views[view];
    const col = Math.floor(((x - box.x) / box.w) * cols);
    const row = Math.floor(((y - box.y) / box.h) * rows);
    if (col >= 0 && col < cols && row >= 0 && row < rows) return { view, patch: row * cols + col };
  }
  return null;
}

/** Path of the lines between patches with different labels; the rim is drawn too where `rim` says so of a label. */
function borders(grid, box, labelOf, rim = () => false) {
  const path = new Path2D();
  const label = (row, col) => (row < 0 || col < 0 || row >= grid.rows || col >= grid.cols ? undefined : labelOf(row * grid.cols + col));
  const differs = (one, other) => (one === undefined ? rim(other) : other === undefined ? rim(one) : one !== other);
  for (let row = 0; row <= grid.rows; row++)
    for (let col = 0; col <= grid.cols; col++) {
      const x = box.x + edge(box.w, grid.cols, col);
      const y = box.y + edge(box.h, grid.rows, row);
      if (col < grid.cols && differs(label(row - 1, col), label(row, col))) {
        path.moveTo(x, y);
        path.lineTo(box.x + edge(box.w, grid.cols, col + 1), y);
      }
      if (row < grid.rows && differs(label(row, col - 1), label(row, col))) {
        path.moveTo(x, y);
        path.lineTo(x, box.y + edge(box.h, grid.rows, row + 1));
      }
    }
  return path;
}

/** Path that covers all patches for which `holds`. */
function area(grid, box, holds) {
  const path = new Path2D();
  for (let patch = 0; patch < grid.patches; patch++)
    if (holds(patch)) {
      const { x, y, w, h } = patchBox(grid, box, patch);
      path.rect(x, y, w, h);
    }
  return path;
}
