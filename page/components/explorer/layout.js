// @ts-check
// Layout: where views, captions and patches lie on the canvas, in device pixels.

/** @import { Run, View } from "./run.js" */
/** @import { Spot } from "./state.js" */

/** @typedef {{x: number, y: number, w: number, h: number}} Box in device pixels */
/** @typedef {Pick<View, "rows" | "cols">} Grid */
/** @typedef {Pick<View, "rows" | "cols" | "patches">} Patches a grid and how many patches it has */

/**
 * The height in which views of these proportions (width : height) are all at least `least` wide.
 *
 * @param {number} width
 * @param {number[]} proportions
 * @param {number} gap
 * @param {number} caption its height
 * @param {number} least
 * @param {number} together as in `viewBoxes`
 */
export function heightFor(width, proportions, gap, caption, least, together = 1) {
  const most = Math.max(1, Math.floor((width - gap) / (least + gap)));
  const columns = most < together ? most : most - (most % together);
  const rows = Math.ceil(proportions.length / columns);
  return rows * (Math.ceil(least / meanOf(proportions)) + caption + gap) + gap;
}

/**
 * Boxes of views of these proportions (width : height), as large as they get in the given room, in rows from the
 * middle.
 *
 * @param {number} width
 * @param {number} height
 * @param {number[]} proportions
 * @param {number} gap
 * @param {number} caption its height
 * @param {number} together so many neighbours, such as a picture and its crops, are in one row
 */
export function viewBoxes(width, height, proportions, gap, caption, together = 1) {
  const room = cells(width, height, proportions.length, meanOf(proportions), gap, caption, together);
  return room.map((cell, i) => fitted(cell, proportions[i]));
}

/** @param {number[]} proportions @returns {number} midway between the smallest and the largest */
function meanOf(proportions) {
  const logs = proportions.map(Math.log);
  return Math.exp((Math.min(...logs) + Math.max(...logs)) / 2);
}

/**
 * The largest box of a proportion at the bottom left of a cell, above its caption.
 *
 * @param {Box} cell
 * @param {number} proportion
 */
function fitted(cell, proportion) {
  const h = Math.min(cell.h, Math.floor(cell.w / proportion));
  return { x: cell.x, y: cell.y + cell.h - h, w: Math.min(cell.w, Math.floor(h * proportion)), h };
}

/**
 * Equal boxes of one proportion.
 *
 * @param {number} width
 * @param {number} height
 * @param {number} count
 * @param {number} proportion
 * @param {number} gap
 * @param {number} caption
 * @param {number} together
 */
function cells(width, height, count, proportion, gap, caption, together) {
  let best = null;
  for (let columns = 1; columns <= count; columns++) {
    if (columns > 1 && columns % together) continue;
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

/**
 * Position of a cut between patches, as `patch_edges` in visual/patch_grid.py has it.
 *
 * @param {number} length
 * @param {number} parts
 * @param {number} index
 */
function edge(length, parts, index) {
  return Math.floor((index * length) / parts);
}

/**
 * The part between two such cuts that a pixel is in.
 *
 * @param {number} length
 * @param {number} parts
 * @param {number} at
 */
function partAt(length, parts, at) {
  return Math.ceil(((Math.floor(at) + 1) * parts) / length) - 1;
}

/**
 * The rectangle of a patch inside a view's box.
 *
 * @param {Grid} grid
 * @param {Box} box
 * @param {number} patch
 */
export function patchBox(grid, box, patch) {
  const row = Math.floor(patch / grid.cols);
  const col = patch % grid.cols;
  const x = box.x + edge(box.w, grid.cols, col);
  const y = box.y + edge(box.h, grid.rows, row);
  return { x, y, w: box.x + edge(box.w, grid.cols, col + 1) - x, h: box.y + edge(box.h, grid.rows, row + 1) - y };
}

/**
 * The middle of some patches, as [x, y].
 *
 * @param {Grid} grid
 * @param {Box} box
 * @param {number[]} patches
 */
export function middle(grid, box, patches) {
  const boxes = patches.map((patch) => patchBox(grid, box, patch));
  const mean = (/** @type {(box: Box) => number} */ at) => boxes.reduce((sum, own) => sum + at(own), 0) / boxes.length;
  return [mean(({ x, w }) => x + w / 2), mean(({ y, h }) => y + h / 2)];
}

/**
 * The patch of a view that is closest to a point of the canvas.
 *
 * @param {Grid} grid
 * @param {Box} box
 * @param {number} x
 * @param {number} y
 */
export function nearestPatch({ rows, cols }, box, x, y) {
  const col = Math.min(cols - 1, Math.max(0, partAt(box.w, cols, x - box.x)));
  const row = Math.min(rows - 1, Math.max(0, partAt(box.h, rows, y - box.y)));
  return row * cols + col;
}

/**
 * The patch that is drawn under a point of the canvas; null between views.
 *
 * @param {Run} run
 * @param {Iterable<[view: number, box: Box]>} boxes
 * @param {number} x
 * @param {number} y
 * @returns {Spot | null}
 */
export function patchAt(run, boxes, x, y) {
  for (const [view, box] of boxes) {
    const { rows, cols } = run.views[view];
    const col = partAt(box.w, cols, x - box.x);
    const row = partAt(box.h, rows, y - box.y);
    if (col >= 0 && col < cols && row >= 0 && row < rows) return { view, patch: row * cols + col };
  }
  return null;
}

/**
 * Path of the lines between patches with different labels; the rim is drawn too where `rim` says so of a label.
 *
 * @template L
 * @param {Grid} grid
 * @param {Box} box
 * @param {(patch: number) => L} labelOf
 * @param {(label: L) => boolean} rim
 */
export function borders(grid, box, labelOf, rim = () => false) {
  const path = new Path2D();
  const { rows, cols } = grid;
  const isOutside = (/** @type {number} */ row, /** @type {number} */ col) =>
    row < 0 || col < 0 || row >= rows || col >= cols;
  /** @type {(row: number, col: number, toRow: number, toCol: number) => boolean} */
  const differs = (row, col, toRow, toCol) => {
    if (isOutside(row, col)) return rim(labelOf(toRow * cols + toCol));
    if (isOutside(toRow, toCol)) return rim(labelOf(row * cols + col));
    return labelOf(row * cols + col) !== labelOf(toRow * cols + toCol);
  };
  for (let row = 0; row <= rows; row++)
    for (let col = 0; col <= cols; col++) {
      const x = box.x + edge(box.w, cols, col);
      const y = box.y + edge(box.h, rows, row);
      if (col < cols && differs(row - 1, col, row, col)) {
        path.moveTo(x, y);
        path.lineTo(box.x + edge(box.w, cols, col + 1), y);
      }
      if (row < rows && differs(row, col - 1, row, col)) {
        path.moveTo(x, y);
        path.lineTo(x, box.y + edge(box.h, rows, row + 1));
      }
    }
  return path;
}

/**
 * Path that covers all patches for which `holds`.
 *
 * @param {Patches} grid
 * @param {Box} box
 * @param {(patch: number) => boolean} holds
 */
export function area(grid, box, holds) {
  const path = new Path2D();
  for (let patch = 0; patch < grid.patches; patch++)
    if (holds(patch)) {
      const { x, y, w, h } = patchBox(grid, box, patch);
      path.rect(x, y, w, h);
    }
  return path;
}
