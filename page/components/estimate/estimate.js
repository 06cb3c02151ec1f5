// @ts-check
// Estimate: tiles and a curve that follow the sliders at once.

import {
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
import { curve, Plot } from "./curve.js";
import { estimate } from "./flops.js";
import { Handles } from "./handles.js";

/** @import { Mount, Palette } from "../common.js" */
/** @import { Settings } from "./flops.js" */
/** @import { HandleName, HandleTexts } from "./handles.js" */

/** @typedef {Record<"of" | "withVision" | "curve" | "how" | "frames" | "several" | "sound", string> & {handles: HandleTexts}} EstimateTexts */
/** @typedef {"tokens" | "flops" | "kv" | "share"} Tile */
/** @typedef {Record<"root" | "how" | "sound" | "chart" | HandleName | Tile | `${Tile}Of`, HTMLElement>} EstimateParts */
/**
 * @typedef {object} EstimateProps
 * @property {Settings} value
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
  const texts = inPageLanguage(props.texts);
  fillTexts(element, texts);
  useColours(parts.root, props.palette);
  const handles = new Handles(parts, texts.handles);

  const show = oncePerFrame(() => {
    const { model } = props.value;
    const { dense, aim, vision, text } = estimate(model, props.value);
    parts.tokens.textContent = whole(aim.visual[0]);
    parts.tokensOf.textContent = fill(texts.of, { dense: whole(dense.visual[0]) });
    parts.sound.hidden = !dense.audio[0];
    const heard = { aim: whole(aim.audio[0]), dense: whole(dense.audio[0]), last: whole(aim.audio.at(-1) ?? 0) };
    parts.sound.textContent = fill(texts.sound, heard);
    parts.flops.textContent = scaled(aim.flops, FLOPS_UNITS);
    parts.flopsOf.textContent = fill(texts.of, { dense: scaled(dense.flops, FLOPS_UNITS) });
    parts.kv.textContent = scaled(aim.kv, BYTES_UNITS);
    parts.kvOf.textContent = fill(texts.of, { dense: scaled(dense.kv, BYTES_UNITS) });
    parts.share.textContent = percent(aim.flops / dense.flops);
    const withVision = (aim.flops + vision) / (dense.flops + vision);
    parts.shareOf.textContent = fill(texts.withVision, { share: percent(withVision) });
    const [height, width] = props.value.size;
    const counted = { formula: model.formula, vision: scaled(vision, FLOPS_UNITS), bytes: model.bytes };
    const pictures = props.value.pictures ?? 1;
    const frames = fill(pictures > 1 ? texts.several : texts.frames, { height, width, pictures });
    parts.how.textContent = fill(texts.how, { text, frames, ...counted });
    const plot = new Plot(Math.max(240, parts.chart.clientWidth), model.layers, dense.visual[0]);
    parts.chart.replaceChildren(curve(plot, texts.curve, dense.visual, aim.visual));
    handles.show(plot, props.value, aim.visual[0]);
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
