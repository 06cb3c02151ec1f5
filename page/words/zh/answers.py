"""Answers: the two of them side by side, in Chinese."""

ANSWERS = "## 两个答案\n同一个模型回答两次：*稠密* 读取全部视觉 token，*AIM* 只读取你的设置留下的那些。"

ANSWER_PANEL = {
    "dense": "稠密",
    "aim": "AIM",
    "tokens": "视觉 token",
    "flops": "预填充（计算量）",
    "time": "预填充（实测）",
    "nothing": "按“运行”来提问。",
    "waiting": "稠密的答案已经有了，AIM 还没有回答。",
    "same": "✓ 两个答案相同。",
    "apart": "两个答案没有一个词相同。",
    "differ": "{most} 个词中有 {shared} 个相同。只在一边出现的词带下划线。",
}

SILENT = "（模型没有说一个词就结束了）"
