"""Numbers: the table of tokens, FLOPs and times, in Chinese."""

NUMBERS = "全部数字"
NUMBERS_LEAD = "两次运行各用了多少：token、运算量和时间。"
NO_NUMBERS = "*按“运行”，并排查看 token 数、FLOPs 和时间。*"
DATA = "全部数字（供程序使用）"
SUMMARY = "摘要"

WHY_NUMBERS_NAME = "为什么既要计算又要实测？"
WHY_NUMBERS = """算出来的 FLOPs 只取决于模型和 token 数，所以不同机器之间可以比较。实测的时间取决于机器，\
也包含公式里没有的部分，比如合并、PageRank 和内存。小模型的时间降得比 FLOPs 少；大模型的两者很接近。\
视觉编码器总要看所有图块，所以 AIM 在那里省不了。"""
DATA_LEAD = "同样的数字和答案，JSON 格式，可以复制。"

NUMBERS_HEAD = "| | 稠密 | AIM | 稠密 ÷ AIM |"
NUMBERS_ROWS = {
    "first": "进入第 0 层的视觉 token",
    "mean": "各层视觉 token 的平均数",
    "language": "语言模型，预填充（计算得出）",
    "vision": "视觉编码器（计算得出，不会减少）",
    "both": "合计；其中视觉编码器的占比",
    "time": "预填充（含合并，本机实测）",
}
NUMBERS_HOW = """FLOPs 是算出来的，不是计时得来的。{formula}；d = 宽度，q = 查询的宽度，kv = 键的宽度，m = MLP 宽度。\
一次乘法和一次加法算两次运算。"""
NOT_TIMED = "时间在回答之后并排测量；滑块动过之后，按“运行”重新计时。"
_TIME = "从视觉 token 到第一个词：合并、语言模型和 PageRank，不含视觉编码器"
TIMED_ONCE = f"预填充时间：{_TIME}；按时钟计，各运行一次，回答时模型已经预热。"
TIMED = (
    f"预填充时间：{_TIME}；按时钟计，各运行 {{runs}} 次取中位数（最快–最慢），稠密与 AIM 轮流进行，先各运行一次不计时。"
)
