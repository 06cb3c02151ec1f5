// @ts-check
// Estimate: tiles and a curve that follow the sliders at once.

import {
  draw,
  fill,
  fillTexts,
  inPageLanguage,
  oncePerFrame,
  onResize,
  partsOf,
  percent,
  removalOf,
  useColours,
  whole,
} from "../common.js";
import { estimate } from "./flops.js";

/** @import { Mount, Palette } from "../common.js" */
/** @import { ModelSizes, Settings } from "./flops.js" */

/** @typedef {Record<"of" | "withVision" | "curve" | "how", string>} EstimateTexts */
/** @typedef {"tokens" | "flops" | "kv" | "share"} Tile */
/** @typedef {Record<"root" | "how" | "chart" | Tile | `${Tile}Of`, HTMLElement>} EstimateParts */
/**
 * @typedef {object} EstimateProps
 * @property {Settings} value
 * @property {ModelSizes} model
 * @property {Palette} palette
 * @property {Record<"en" | "zh", EstimateTexts>} texts
 */
/** @typedef {[number, string][]} Units size and name of each, falling */

/** @type {Units} */
const FLOPS_UNITS = [
  [1e15, "PFLOPs"],
  [1e12, "TFLOPs"],
  [1e9, "GFLOPs"],
  [1e6, "MFLOPs"],
  [1, "FLOPs"],
];
/** @type {Units} */
const BYTES_UNITS = [
  [2 ** 30, "GiB"],
  [2 ** 20, "MiB"],
  [2 ** 10, "KiB"],
  [1, "B"],
];

/** @param {Mount<EstimateProps>} mount */
export function start({ element, props, watch }) {
  /** @type {EstimateParts} */
  const parts = partsOf(element);
  const { model } = props;
  const texts = inPageLanguage(props.texts);
  fillTexts(element, texts);
  useColours(parts.root, props.palette);

  const show = oncePerFrame(() => {
    const { dense, aim, vision, text } = estimate(model, props.value);
    parts.tokens.textContent = whole(aim.visual[0]);
    parts.tokensOf.textContent = fill(texts.of, { dense: whole(dense.visual[0]) });
    parts.flops.textContent = scaled(aim.flops, FLOPS_UNITS);
    parts.flopsOf.textContent = fill(texts.of, { dense: scaled(dense.flops, FLOPS_UNITS) });
    parts.kv.textContent = scaled(aim.kv, BYTES_UNITS);
    parts.kvOf.textContent = fill(texts.of, { dense: scaled(dense.kv, BYTES_UNITS) });
    parts.share.textContent = percent(aim.flops / dense.flops);
    const withVision = (aim.flops + vision) / (dense.flops + vision);
    parts.shareOf.textContent = fill(texts.withVision, { share: percent(withVision) });
    const [height, width] = props.value.size;
    const counted = { formula: model.formula, vision: scaled(vision, FLOPS_UNITS), bytes: model.bytes };
    parts.how.textContent = fill(texts.how, { text, height, width, ...counted });
    const room = Math.max(240, parts.chart.clientWidth);
    parts.chart.replaceChildren(curve(texts.curve, dense.visual, aim.visual, room));
  });
  watch("value", show);
  onResize(parts.root, show, removalOf(element));
  show();
}

/**
 * Three digits and a unit: 1.23 T, 45.6 G.
 *
 * @param {number} number
 * @param {Units} units
 */
function scaled(number, units) {
  const [size, unit] = units.find(([size]) => number >= size) ?? units[units.length - 1];
  return `${+(number / size).toPrecision(3)} ${unit}`;
}

/**
 * SVG of `w` pixels: visual tokens entering each layer, dense as a dashed line, AIM as filled steps.
 *
 * @param {string} name
 * @param {number[]} dense
 * @param {number[]} aim
 * @param {number} w
 */
function curve(name, dense, aim, w) {
  const [h, left, right, top, bottom] = [132, 44, 6, 8, 22];
  const x = (/** @type {number} */ layer) => left + ((w - left - right) * layer) / aim.length;
  const y = (/** @type {number} */ count) => top + (h - top - bottom) * (1 - count / dense[0]);
  const svg = draw("svg", { viewBox: `0 0 ${w} ${h}`, role: "img" });
  svg.setAttribute("aria-label", `${name} ${aim.map((n, layer) => `${layer}: ${whole(n)}`).join(", ")}`);
  for (const count of [0, dense[0]]) {
    const level = { x1: left, x2: w - right, y1: y(count), y2: y(count) };
    svg.append(draw("line", { ...level, class: count ? "dense" : "rule" }));
    svg.append(draw("text", { x: left - 6, y: y(count) + 4, class: "end" }, whole(count)));
  }
  const steps = aim.map((n, layer) => `H${x(layer)}V${y(n)}H${x(layer + 1)}`).join("");
  svg.append(draw("path", { d: `M${x(0)},${y(0)}${steps}V${y(0)}Z`, class: "fill" }));
  svg.append(draw("path", { d: `M${x(0)},${y(aim[0])}${steps}`, class: "line" }));
  if (aim[0] < 0.86 * dense[0])
    svg.append(draw("text", { x: left - 6, y: y(aim[0]) + 4, class: "end strong" }, whole(aim[0])));
  const every = Math.ceil(aim.length / 12);
  for (let layer = 0; layer < aim.length; layer += every)
    svg.append(draw("text", { x: (x(layer) + x(layer + 1)) / 2, y: h - 6, class: "mid" }, String(layer)));
  return svg;
}
