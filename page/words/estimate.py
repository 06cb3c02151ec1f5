"""Estimate: what the sliders will cost."""

ESTIMATE = {
    "name": "Estimate",
    "before": "What these settings will cost, before any run.",
    "tokens": "Visual tokens",
    "flops": "Prefill",
    "kv": "KV cache",
    "share": "Share of dense",
    "of": "of {dense}",
    "withVision": "{share} with vision encoder",
    "curve": "Visual tokens that enter each layer; dashed: dense",
    "whyName": "Why can this be known, and how is it counted?",
    "how": "The schedule fixes how many tokens enter each layer; a run only decides which. So the cost is known "
    "before: {formula}; d = width, q = query width, kv = key width, m = MLP width; about {text} text tokens. The KV "
    "cache holds a key and a value of every token in every layer, {bytes} bytes a number. Frames are of "
    "{width}×{height} pixels: yours, or an example as long as there are none. The vision encoder costs {vision} more, "
    "whatever the settings. Nothing is timed here.",
}
