"""Figures: still pictures and charts, in Chinese."""

FIGURES = "用于幻灯片和论文的图"
FIGURES_LEAD = "同一次运行的静态图片和图表，打开这一部分时才绘制。图中的文字和说明是英文。"
WHY_FIGURES_NAME = "为什么有这些图，怎么看？"
WHY_FIGURES = """图片说明 token 在*哪里*消失，图表说明有*多少*。每层 token 数的图表可以检查运行是否符合计划：\
台阶应当落在点线上。按*排名*时每一层都用满整个色阶，便于比较位置；按*对数分数*时能看出分数有多不均匀。\
条形说明省了什么：只有语言模型那一部分会缩短。"""
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
