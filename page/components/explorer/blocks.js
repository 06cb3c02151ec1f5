// @ts-check
// Blocks: which views are drawn together, crops in the places that they have in their picture.

/** @import { Box } from "./layout.js" */
/** @import { Place, View } from "./run.js" */

/** @typedef {{views: number[], proportion: number, across: number}} Block crops that make one picture, or one view alone */

/**
 * Views as they are drawn: crops of a picture together in their places, any other alone.
 *
 * @param {View[]} views all of a run
 * @param {number[]} shown
 * @param {(view: View) => number} proportionOf width : height
 * @returns {Block[]} across: how many views beside each other
 */
export function blocksOf(views, shown, proportionOf) {
  /** @type {number[][]} */
  const blocks = [];
  for (const view of shown) {
    const last = blocks[blocks.length - 1];
    if (last && isBeside(views[last[0]], views[view])) last.push(view);
    else blocks.push([view]);
  }
  return blocks.map((own) => {
    const first = views[own[0]];
    const { place } = first;
    if (own.length === 1 || !place) return { views: own, proportion: proportionOf(first), across: 1 };
    const [left, top, right, bottom] = around(own.map((view) => /** @type {Place} */ (views[view].place)));
    const [wide, tall] = [(right - left) / (place[2] - place[0]), (bottom - top) / (place[3] - place[1])];
    return { views: own, proportion: (proportionOf(first) * wide) / tall, across: Math.round(wide) };
  });
}

/** @param {View} one @param {View} other @returns {boolean} whether both are crops of one picture */
function isBeside(one, other) {
  const pictureOf = (/** @type {View} */ { name }) => ("picture" in name ? name.picture : 0);
  return one.place !== null && other.place !== null && pictureOf(one) === pictureOf(other);
}

/** @param {Place[]} places @returns {Place} the smallest place with all of them in it */
function around(places) {
  const [lefts, tops, rights, bottoms] = [0, 1, 2, 3].map((side) => places.map((place) => place[side]));
  return [Math.min(...lefts), Math.min(...tops), Math.max(...rights), Math.max(...bottoms)];
}

/**
 * How many blocks each of several pictures has, where all have as many; else 1.
 *
 * @param {View[]} views all of a run
 * @param {Block[]} blocks
 */
export function togetherOf(views, blocks) {
  /** @type {Map<number, number>} */
  const counts = new Map();
  for (const block of blocks) {
    const { name } = views[block.views[0]];
    const picture = "picture" in name ? name.picture : 0;
    counts.set(picture, (counts.get(picture) ?? 0) + 1);
  }
  const [first, ...others] = counts.values();
  return others.length && others.every((count) => count === first) ? first : 1;
}

/**
 * The boxes of a block's views inside its own.
 *
 * @param {View[]} views all of a run
 * @param {Block} block
 * @param {Box} box
 * @param {number} seam between crops
 * @returns {[view: number, box: Box][]}
 */
export function boxesIn(views, block, box, seam) {
  if (block.views.length === 1) return [[block.views[0], box]];
  const places = block.views.map((view) => /** @type {Place} */ (views[view].place));
  const [left, top, right, bottom] = around(places);
  return places.map((place, i) => {
    const [x, endX] = [place[0], place[2]].map((at) => Math.round((box.w * (at - left)) / (right - left)));
    const [y, endY] = [place[1], place[3]].map((at) => Math.round((box.h * (at - top)) / (bottom - top)));
    const [w, h] = [endX - x - (endX < box.w ? seam : 0), endY - y - (endY < box.h ? seam : 0)];
    return [block.views[i], { x: box.x + x, y: box.y + y, w: Math.max(1, w), h: Math.max(1, h) }];
  });
}
