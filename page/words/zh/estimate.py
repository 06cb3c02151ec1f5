"""Estimate: what the sliders will cost, in Chinese."""

ESTIMATE = {
    "name": "估算",
    "before": "这些设置会花多少，运行之前就知道。",
    "tokens": "视觉 token",
    "flops": "预填充",
    "kv": "KV 缓存",
    "share": "相对稠密",
    "of": "稠密为 {dense}",
    "withVision": "加上视觉编码器为 {share}",
    "curve": "进入每一层的视觉 token；虚线：稠密",
    "whyName": "为什么能事先知道，又是怎么算的？",
    "how": "计划规定了每一层进入多少个 token；运行只决定是哪些。所以花费事先就知道："
    "{formula}；d = 宽度，q = 查询的宽度，kv = 键的宽度，m = MLP 宽度；约 {text} 个文本 token。"
    "KV 缓存为每一层的每个 token 保存一个键和一个值，每个数 {bytes} 字节。"
    "帧的大小是 {width}×{height} 像素：还不知道您的文件时，以此为例。"
    "视觉编码器另需 {vision}，与设置无关。这里没有任何计时。",
}
