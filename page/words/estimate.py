"""Estimate: what the sliders will cost."""

ESTIMATE = {
    "name": "Estimate",
    "before": "before any run",
    "tokens": "Visual tokens",
    "flops": "Prefill",
    "kv": "KV cache",
    "share": "Share of dense",
    "of": "of {dense}",
    "withVision": "{share} with vision encoder",
    "curve": "Visual tokens that enter each layer; dashed: dense",
    "whyName": "How is this counted?",
    "how": "{formula}; d = width, kv = key width, m = MLP width; {text} text tokens. The KV cache holds a key and a "
    "value of every token in every layer, {bytes} bytes a number. The vision encoder costs {vision} more, whatever "
    "the settings. Nothing is timed here.",
}
