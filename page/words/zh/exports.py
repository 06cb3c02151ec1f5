"""Exports in Chinese."""

EXPORTS = {
    "name": "带走这次结果",
    "lead": "论文用图、短片、数据，或一个无需服务器即可重放的网页。按下按钮，文件会出现在下方并保留一小时。",
    "figures": "图（PNG、SVG）",
    "mp4": "短片（MP4）",
    "gif": "短片（GIF）",
    "page": "可重放的网页（HTML）",
    "saved": "保存的运行（npz）",
    "json": "轨迹（JSON）",
    "csv": "各层计数（CSV）",
    "files": "可以下载",
    "code": "复制为 Python",
    "load": "载入保存的运行",
    "load_lead": "保存的运行（npz）会连同问题、回答和设置一起恢复；不会运行模型。",
    "link": "复制含这些设置的链接",
    "link_name": "链接",
    "why_name": "为什么？",
    "why": "别人能重做的图才可信。图宽为论文的一栏或两栏，每英寸 300 点，字母为轮廓，配色对色盲读者友好。"
    "层和刻度取自上方“图”中的选择。链接包含问题、设置和所用的示例；你自己的视频不会因此离开这台机器。",
}
MAKING = {
    "figures": "正在绘图",
    "mp4": "正在绘制短片",
    "gif": "正在绘制短片",
    "page": "正在打包网页",
    "saved": "正在打包运行",
    "json": "正在写轨迹",
    "csv": "正在写表格",
}
NOTHING_TO_EXPORT = "请先提问，或载入保存的运行。"
NO_COUNTS = "此文件只有轨迹，不知道它的计算量。请在本页提问后再导出。"

SAVED_OTHER = "这不是保存的运行。请选择由本页或 Trace.save 写出的 .npz 文件。"
SAVED_BROKEN = "这个保存的运行已损坏或被改动：各部分不相符。请重新导出。"
SAVED_LARGE = "这个保存的运行解压后超过 {most} MB。请用更少的帧导出。"
LOADED = "页面上是保存的运行，设置为当时的值。要自己提问，请按运行。"
LOADED_ONLY = "保存的运行不能再次提问：文件中没有视频。请先在本页提问。"
LOADED_TRACE = "只有轨迹：没有随之保存问题、回答或计算量。"

LINK_OWN_FILE = "链接包含问题和设置，但不含你自己的文件：打开链接的人需自行选择。"
LINK_BAD = "链接已损坏：{names} 无法使用，保持默认值。"

REPLAY = {
    "title": "AIM Explorer 的一次运行",
    "settings": "保留比例 {keep_ratio}，l1 {l1}，l2 {l2}，{file} 的 {num_frames} 帧，{model}",
    "theme": "深色或浅色",
    "offline": "这个网页是单个文件：不询问服务器，也不加载任何东西。",
    "trace_only": "只有轨迹",
}
