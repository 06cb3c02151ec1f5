"""Figures: still pictures and charts."""

FIGURES = "Figures for slides and papers"
FIGURES_LEAD = "The same run as still pictures and charts, drawn when this part is open."
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
