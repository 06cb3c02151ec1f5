"""Figures: still pictures and charts."""

FIGURES = "Figures for slides and papers"
FIGURES_LEAD = "The same run as still pictures and charts, drawn when this part is open."
WHY_FIGURES_NAME = "Why these figures, and how are they read?"
WHY_FIGURES = """Pictures show *where* tokens went, charts show *how many*. The chart of tokens per layer checks a run \
against its plan: the steps should lie on the dotted line. By *rank* every layer uses the whole range of colours, so \
places can be compared; by *log score* it is seen how uneven the scores are. The bars tell what is saved: only the \
language model's part shrinks."""
COST_TITLE = "Compute of one prefill, counted"
FIGURE_LAYER = "Layer"
FIGURE_SCALE = "PageRank scale"
FIGURE_SCALES = {"rank": "by rank", "log": "log score"}
PICTURES = {
    "groups": "Merged groups",
    "alive": "Visual tokens alive",
    "scores": "PageRank scores",
    "retained": "Visual tokens per layer, planned and actual",
    "ranked": "PageRank scores, ranked",
    "cost": "FLOPs of vision encoder and language model",
}
LEGENDS = {
    "groups": "Legend: one tinted, outlined area is one merged token",
    "alive": "Legend: outlined is alive, dim is pruned",
    "scores": "Legend: from low to high importance",
}
