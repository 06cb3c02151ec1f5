"""Words and frames: where the attention of each generated word fell, in Chinese."""

from page.words.zh.explorer import NAMES

WORD_FRAMES = {
    "name": "从词到帧",
    "lead": "指向答案中的一个词，或用方向键逐词移动：条形表示这个词的注意力有多少落在每一帧上。",
    "empty": "按“运行”，看看答案中的每个词看了哪些帧。",
    "missing": "这次运行没有记录。请勾选“细节”，再按“运行”。",
    "dense": "稠密",
    "aim": "AIM",
    "hand": "手动",
    "silent": "（没有词）",
    "names": NAMES,
    "caption": "{frame} · {seconds} 秒",
    "strip": "各帧，以及所选词的注意力",
    "total": "{side}：“{word}”的注意力有 {share} 落在各帧上，其余落在文本上。",
    "none": "{side}：这个答案里没有这个词。",
    "most": "最多的是{frame}：{share}。",
    "whyName": "为什么？",
    "why": "一个词由它的 token 所注意到的内容产生。每个条形是这份注意力落在一帧的视觉 token 上的比例，"
    "对所有注意力头和仍有视觉 token 的各层取平均；AIM 的层数和 token 都更少，所以请比较条形的形状，而不是高度。"
    "注意力不是解释：模型可以注意一帧却不使用它，而它在一帧中看到的内容也可能经由文本 token 到达答案。",
}
