"""Answers: the two of them side by side."""

ANSWERS = "## Two answers\nThe same model twice: *dense* with every visual token, *AIM* with what your settings leave."

ANSWER_PANEL = {
    "dense": "Dense",
    "aim": "AIM",
    "tokens": "Visual tokens",
    "flops": "Prefill, counted",
    "time": "Prefill, measured",
    "nothing": "Press Run to ask.",
    "waiting": "The dense answer is here; AIM has not answered.",
    "same": "✓ Both give the same answer.",
    "apart": "The answers differ in every word.",
    "differ": "The answers share {shared} of {most} words. A word that only one has is underlined.",
}

SILENT = "(the model ended its turn without a word)"
