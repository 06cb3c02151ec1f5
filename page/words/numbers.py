"""Numbers: the table of tokens, FLOPs and times."""

NUMBERS = "All numbers"
NUMBERS_LEAD = "What each of the two runs took: tokens, operations and time."
NO_NUMBERS = "*Press Run to see tokens, FLOPs and times side by side.*"
DATA = "All numbers, for programs"
SUMMARY = "Summary"

WHY_NUMBERS_NAME = "Why both count and measure?"
WHY_NUMBERS = """Counted FLOPs depend only on the model and its tokens, so they can be compared between machines. A \
measured time depends on the machine, and holds what the formula leaves out, such as merging, PageRank and memory. \
With a small model the time falls less than the FLOPs; with a large one the two come close. The vision encoder sees \
every patch either way, so AIM saves nothing there."""
DATA_LEAD = "The same numbers and answers as JSON, to copy."

NUMBERS_HEAD = "| | dense | AIM | dense ÷ AIM |"
NUMBERS_ROWS = {
    "first": "Visual tokens into layer 0",
    "mean": "Visual tokens, mean over layers",
    "language": "Language model, prefill (counted)",
    "vision": "Vision encoder (counted, not reduced)",
    "both": "Both; share of vision in it",
    "time": "Prefill with merging (measured here)",
}
NUMBERS_HOW = """FLOPs are counted, not timed. {formula}; d = width, q = query width, kv = key width, m = MLP width. \
A multiplication and an addition are two."""
NOT_TIMED = "Times are measured after the answers, side by side; once a slider has moved, press Run to time both."
_TIME = "from the visual tokens to the first word: merging, the language model and PageRank, without the vision encoder"
TIMED_ONCE = f"Prefill time: {_TIME}; one run each, by the clock, after the answers have warmed the model up."
TIMED = f"""Prefill time: {_TIME}; by the clock, median of {{runs}} runs each (fastest–slowest), dense and AIM \
in turns, after one of each that does not count."""
