"""Figures: still pictures and charts, in Chinese."""

FIGURES = "用于幻灯片和论文的图"
FIGURES_LEAD = "同一次运行的静态图片和图表，打开这一部分时才绘制。图中的文字和说明是英文。"
COST_TITLE = "Compute of one prefill, counted"
FIGURE_LAYER = "层"
FIGURE_SCALE = "PageRank 的刻度"
FIGURE_SCALES = {"rank": "按排名", "log": "对数分数"}
PICTURES = {
    "groups": "合并后的组",
    "alive": "仍在的视觉 token",
    "scores": "PageRank 分数",
    "retained": "每层的视觉 token：计划与实际",
    "ranked": "PageRank 分数，从高到低",
    "cost": "视觉编码器和语言模型的 FLOPs",
}
LEGENDS = {
    "groups": "图例：同色且有轮廓的一块区域是一个合并后的 token",
    "alive": "图例：有轮廓的仍在，变暗的已被剪枝",
    "scores": "图例：重要性从低到高",
}
