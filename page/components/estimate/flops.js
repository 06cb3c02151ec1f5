// FLOPs: aim_core/ops/merging.py `num_kept`, aim_core/config.py `tokens_entering` and aim_core/ops/flops.py, in the browser.

/** Tokens left of a frame's `num` at a keep ratio: rounded up, at least 1. */
function numKept(num, ratio) {
  return Math.max(1, Math.ceil(Math.round(num * ratio * 1e9) / 1e9));
}

/** Visual tokens entering each layer: all up to l1, none from l2 on, linear between. */
function tokensEntering(visual, layers, l1, l2) {
  const steps = l2 - l1;
  return Array.from({ length: layers }, (_, layer) => Math.floor((Math.min(steps, Math.max(0, l2 - layer)) * visual) / steps));
}

/** Operations of the language model's prefill; a multiplication and an addition are two. */
function prefillFlops(tokens, { hidden: d, kv, intermediate: m, q }) {
  return tokens.reduce((sum, n) => sum + 2 * n * (2 * d * q + 2 * d * kv) + 6 * n * d * m + 4 * n * n * q, 0);
}

/** Bytes of the keys and values that the prefill leaves for decoding. */
function kvBytes(tokens, kv, bytes) {
  return tokens.reduce((sum, n) => sum + 2 * n * kv * bytes, 0);
}

/** Settings on a model → the same numbers for dense and AIM. prompts: as `page/components/estimate/component.py` has them. */
function estimate(model, { keep_ratio, l1, l2, frames, kind, prompts }) {
  const { views, suffix, text, vision } = prompts[kind === "image" ? 0 : Math.min(frames, prompts.length) - 1];
  const all = (left) => views.reduce((sum, [size, count]) => sum + count * left(size), suffix);
  const dense = Array(model.layers).fill(all((size) => size));
  const merged = all((size) => numKept(size, keep_ratio));
  const aim = tokensEntering(merged, model.layers, l1, Math.max(l1 + 1, l2));
  const priced = (visual) => {
    const tokens = visual.map((n) => n + text);
    return { visual, flops: prefillFlops(tokens, model.sizes), kv: kvBytes(tokens, model.sizes.kv, model.bytes) };
  };
  return { dense: priced(dense), aim: priced(aim), vision, text };
}
