// @ts-check
// FLOPs: aim_core/ops/merging.py `num_kept`, aim_core/config.py `tokens_entering` and aim_core/ops/flops.py, in the
// browser.

/**
 * `model_sizes` of component.py.
 *
 * @typedef {object} ModelSizes
 * @property {{hidden: number, kv: number, intermediate: number, q: number}} sizes
 * @property {number} layers
 * @property {number} bytes of a number
 * @property {string} formula
 * @property {boolean} isSmall whether it runs again whenever a slider moves
 * @property {number} keepRatio the usual one
 */

/**
 * An entry of `prompts` of component.py: what so many frames put into a prompt.
 *
 * @typedef {object} Prompt
 * @property {[number, number][]} views patches, and how many views have so many
 * @property {number} suffix visual tokens that are never merged
 * @property {number} text tokens
 * @property {number} vision operations of the vision side
 */

/**
 * The panel's value.
 *
 * @typedef {object} Settings
 * @property {number} keep_ratio
 * @property {number} l1
 * @property {number} l2
 * @property {number} frames
 * @property {[number, number]} size height and width of the frames
 * @property {Prompt[]} prompts for 1, 2, ... frames; a picture is one
 * @property {"video" | "image"} [kind]
 * @property {ModelSizes} model
 */

/**
 * Tokens left of a frame's `num` at a keep ratio: rounded up, at least 1.
 *
 * @param {number} num
 * @param {number} ratio
 */
export function numKept(num, ratio) {
  return Math.max(1, Math.ceil(Math.round(num * ratio * 1e9) / 1e9));
}

/**
 * Visual tokens entering each layer: all up to l1, none from l2 on, linear between.
 *
 * @param {number} visual
 * @param {number} layers
 * @param {number} l1
 * @param {number} l2
 */
function tokensEntering(visual, layers, l1, l2) {
  const steps = l2 - l1;
  const share = (/** @type {number} */ layer) => Math.min(steps, Math.max(0, l2 - layer));
  return Array.from({ length: layers }, (_, layer) => Math.floor((share(layer) * visual) / steps));
}

/**
 * Operations of the language model's prefill; a multiplication and an addition are two.
 *
 * @param {number[]} tokens
 * @param {ModelSizes["sizes"]} sizes
 */
export function prefillFlops(tokens, { hidden: d, kv, intermediate: m, q }) {
  return tokens.reduce((sum, n) => sum + 2 * n * (2 * d * q + 2 * d * kv) + 6 * n * d * m + 4 * n * n * q, 0);
}

/**
 * Bytes of the keys and values that the prefill leaves for decoding.
 *
 * @param {number[]} tokens
 * @param {number} kv
 * @param {number} bytes
 */
export function kvBytes(tokens, kv, bytes) {
  return tokens.reduce((sum, n) => sum + 2 * n * kv * bytes, 0);
}

/**
 * The same numbers for dense and AIM.
 *
 * @param {ModelSizes} model
 * @param {Settings} settings
 */
export function estimate(model, { keep_ratio, l1, l2, frames, kind, prompts }) {
  const { views, suffix, text, vision } = prompts[kind === "image" ? 0 : Math.min(frames, prompts.length) - 1];
  const all = (/** @type {(size: number) => number} */ left) =>
    views.reduce((sum, [size, count]) => sum + count * left(size), suffix);
  const dense = Array(model.layers).fill(all((size) => size));
  const merged = all((size) => numKept(size, keep_ratio));
  const aim = tokensEntering(merged, model.layers, l1, Math.max(l1 + 1, l2));
  const priced = (/** @type {number[]} */ visual) => {
    const tokens = visual.map((n) => n + text);
    return { visual, flops: prefillFlops(tokens, model.sizes), kv: kvBytes(tokens, model.sizes.kv, model.bytes) };
  };
  return { dense: priced(dense), aim: priced(aim), vision, text };
}
