"""Numbers: the table of tokens, FLOPs and times."""

NUMBERS = "All numbers"
NO_NUMBERS = "*Press Run to see tokens, FLOPs and times side by side.*"
DATA = "All numbers, for programs"
SUMMARY = "Summary"

NUMBERS_HEAD = "| | dense | AIM | dense ÷ AIM |"
NUMBERS_ROWS = {
    "first": "Visual tokens into layer 0",
    "mean": "Visual tokens, mean over layers",
    "language": "Language model, prefill (counted)",
    "vision": "Vision encoder (counted, not reduced)",
    "both": "Both; share of vision in it",
    "time": "Prefill time (measured here)",
}
NUMBERS_HOW = """FLOPs are counted, not timed. {formula}; d = width, kv = key width, m = MLP width. \
A multiplication and an addition are two."""
NOT_TIMED = "A slider has moved since both were timed; press Run to time them side by side."
TIMED_ONCE = "Prefill time: one run each, by the clock, PageRank included."
TIMED = "Prefill time: median of {runs} runs each, by the clock, PageRank included."
