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
 * `sound_prompt` of component.py: what a sound adds.
 *
 * @typedef {object} SoundPrompt
 * @property {[number, number][]} chunks audio tokens, and how many chunks have so many
 * @property {number} text tokens
 * @property {number} flops of the audio encoder
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
 * @property {number} [pictures] how many the prompt is of
 * @property {boolean} [hears] whether the model is to hear the sound
 * @property {number} [audio_keep_ratio]
 * @property {number} [audio_floor]
 * @property {SoundPrompt | null} [sound] of the video
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
 * Audio tokens entering each layer: as visual ones, but no fewer than a share of them.
 *
 * @param {number[]} entering as `tokensEntering` has them
 * @param {number} heard tokens left after merging
 * @param {number} floor
 */
function audioEntering(entering, heard, floor) {
  const least = Math.ceil(Math.round(heard * floor * 1e9) / 1e9);
  return entering.map((count) => Math.max(least, count));
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
 * The same numbers for dense and AIM, and all audio tokens.
 *
 * @param {ModelSizes} model
 * @param {Settings} settings
 */
export function estimate(model, settings) {
  const { keep_ratio, l1, frames, kind, prompts, hears = true, audio_keep_ratio = 1, audio_floor = 1 } = settings;
  const { views, suffix, ...prompt } = prompts[kind === "image" ? 0 : Math.min(frames, prompts.length) - 1];
  const sound = (kind !== "image" && hears && settings.sound) || { chunks: [], text: 0, flops: 0 };
  const l2 = Math.max(l1 + 1, settings.l2);
  const all = (/** @type {(size: number) => number} */ left) =>
    views.reduce((sum, [size, count]) => sum + count * left(size), suffix);
  const heard = (/** @type {(size: number) => number} */ left) =>
    sound.chunks.reduce((sum, [size, count]) => sum + count * left(size), 0);
  const each = (/** @type {number} */ count) => Array(model.layers).fill(count);
  const merged = all((size) => numKept(size, keep_ratio));
  const left = heard((size) => numKept(size, audio_keep_ratio));
  const [text, vision] = [prompt.text + sound.text, prompt.vision + sound.flops];
  const priced = (/** @type {number[]} */ visual, /** @type {number[]} */ audio) => {
    const tokens = visual.map((n, layer) => n + audio[layer] + text);
    return {
      visual,
      audio,
      flops: prefillFlops(tokens, model.sizes),
      kv: kvBytes(tokens, model.sizes.kv, model.bytes),
    };
  };
  const entering = (/** @type {number} */ count) => tokensEntering(count, model.layers, l1, l2);
  const dense = priced(each(all((size) => size)), each(heard((size) => size)));
  const aim = priced(entering(merged), audioEntering(entering(left), left, audio_floor));
  return { dense, aim, vision, text };
}
