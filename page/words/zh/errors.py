"""Errors: what cannot be done, and what to do about it, in Chinese."""

NO_QUESTION = "请先输入一个问题。"
LONG_QUESTION = "问题有 {count} 个词；最多只能有 {most} 个。"
NO_MEDIA = "请上传视频或图片，或选一个示例，再按“运行”。"
BAD_SETTINGS = "这些设置不可用：{reason}。"
EARLY = "这个模型在第 {least} 层及之前需要全部视觉 token，所以 l1 至少为 {least}，却得到 {l1}"
PICTURES_ONLY = "这个模型只能看图片。请在“图片”处上传一张，或只问一帧。"
BAD_FRAMES = "请选 1 到 {most} 帧，而不是 {count}。"
NOT_WHOLE = "{name} 必须是整数，却得到 {value}"
NUM_FRAMES = "帧数"
NO_MEMORY = "内存不够。请减少帧数，或换小一点的模型。"
WENT_WRONG = "这里出了点问题。请再试一次，或换一个文件。"
RESULT_GONE = "这个结果已为更新的结果让出位置。请再按一次“运行”。"
UNKNOWN = "问题中有 {count} 个词是模型从没见过的，答案可能没有意义。内置模型只懂英文。"
BAD_MARKS = "这些标记与页面上的帧不符。请按“运行”，再重新标记。"
BAD_MARKS_BOTH = "这些标记不能同时保留：{reason}。"
MARKS_OFF = "你的标记已被取消：{reason}。"
NO_RUN = "请先按“运行”，再标记图块并重新提问。"

TITLES = {
    "question": "没有问题",
    "long": "问题太长",
    "media": "没有可看的内容",
    "settings": "设置",
    "file": "这个文件不能用",
    "memory": "内存",
    "wrong": "抱歉",
    "gone": "请再运行一次",
    "unknown": "生词",
    "marks": "手动标记",
    "link": "这个链接",
    "stopped": "已停止",
}
