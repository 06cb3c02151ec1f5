"""Answers: the two of them side by side, in Chinese."""

ANSWERS = "## 两个答案\n同一个模型回答两次：*稠密* 读取全部视觉 token，*AIM* 只读取你的设置留下的那些。"

ANSWER_PANEL = {
    "twiceName": "为什么问两次？",
    "twice": "去掉之后答案不变的 token，这个问题并不需要；去掉之后答案变了的，就需要。两次运行的帧和文字完全相同，"
    "只有 token 不同。一次答案相同说明不了多少：多问几个问题，也看看第一个 token 的概率。",
    "dense": "稠密",
    "aim": "AIM",
    "tokens": "视觉 token",
    "flops": "预填充（计算量）",
    "time": "预填充（含合并，实测）",
    "nothing": "按“运行”来提问。",
    "waiting": "稠密的答案已经有了，AIM 还没有回答。",
    "same": "✓ 两个答案相同。",
    "apart": "两个答案没有一个词相同。",
    "differ": "{most} 个词中有 {shared} 个相同。只在一边出现的词带下划线。",
    "hand": "手动",
    "protected": "受保护的 token",
    "removed": "移除的 token",
    "undo": "撤销",
    "handSame": "✓ 你的标记没有改变 AIM 的答案。",
    "handOther": "你的标记改变了 AIM 的答案。AIM 没有说的词带下划线。",
    "chancesName": "第一个 token",
    "chancesCaption": "答案第一个 token 的概率：每次运行中最可能的几个",
    "noChances": "每次运行对自己的第一个 token 有多大把握。",
    "token": "Token",
    "sameFirst": "✓ 最可能的第一个 token 相同：“{word}”。",
    "otherFirst": "稠密以“{dense}”开头，AIM 以“{aim}”开头。",
    "otherFirsts": "稠密以“{dense}”开头，AIM 以“{aim}”开头，手动以“{hand}”开头。",
    "kl": [
        "KL(稠密 ‖ AIM) = {nats} nat：AIM 使第一个 token 的概率偏离了多少，0 表示没有偏离。",
        "KL(AIM ‖ 手动) = {nats} nat：你的标记使它偏离了多少。",
    ],
    "whyName": "为什么看概率？",
    "chancesWhy": "两次运行可能说出同样的词，把握却不同。条形表示开口之前第一个 token 的概率；"
    "KL 散度概括整个词表上的差别。如果一个确定的答案变成了抛硬币，它就是 0.69 nat。",
}

SILENT = "（模型没有说一个词就结束了）"

END_TOKEN = "（结束）"
SPACE_TOKEN = "（空格）"
HAND_SAME = "已重新提问：加上你的标记，AIM 的答案不变。见答案旁的“手动”。"
HAND_OTHER = "已重新提问：加上你的标记，AIM 的答案变了。见答案旁的“手动”。"
