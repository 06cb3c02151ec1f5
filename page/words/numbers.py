"""Numbers: the table of tokens, FLOPs and times."""

NUMBERS = "All numbers"
NUMBERS_LEAD = "What each of the two runs took: tokens, operations and time."
NO_NUMBERS = "*Press Run to see tokens, FLOPs and times side by side.*"
DATA = "All numbers, for programs"
SUMMARY = "Summary"

WHY_NUMBERS_NAME = "Why both count and measure?"
WHY_NUMBERS = """Counted FLOPs depend only on the model and its tokens, so they can be compared between machines. A \
measured time depends on the machine, and holds what the formula leaves out, such as PageRank and memory. With a small \
model the time falls less than the FLOPs; with a large one the two come close. The vision encoder sees every patch \
either way, so AIM saves nothing there."""
DATA_LEAD = "The same numbers and answers as JSON, to copy."

NUMBERS_HEAD = "| | dense | AIM | dense ÷ AIM |"
NUMBERS_ROWS = {
    "first": "Visual tokens into layer 0",
    "mean": "Visual tokens, mean over layers",
    "language": "Language model, prefill (counted)",
    "vision": "Vision encoder (counted, not reduced)",
    "both": "Both; share of vision in it",
    "time": "Prefill time (measured here)",
}
NUMBERS_HOW = """FLOPs are counted, not timed. {formula}; d = width, q = query width, kv = key width, m = MLP width. \
A multiplication and an addition are two."""
NOT_TIMED = "A slider has moved since both were timed; press Run to time them side by side."
TIMED_ONCE = "Prefill time: one run each, by the clock, PageRank included."
TIMED = "Prefill time: median of {runs} runs each, by the clock, PageRank included."
