"""The page as a whole: title, introduction, which model runs here, in Chinese."""

TITLE = "AIM Explorer"
INTRO = """# AIM Explorer
**多模态语言模型到底需要哪些视觉 token？** \
[AIM](https://arxiv.org/abs/2412.03248) 先在每一帧内合并相似的视觉 token，再在语言模型里逐层剪掉最不重要的 token。\
在这里看看哪些 token 走了、哪些留下，答案变没变。"""

EMBEDDED = """**这里运行的是一个小型内置模型，它只认识自己的图形世界**：静止、移动、出现或消失的彩色圆形、\
方形、三角形、星形、十字形和环形。它只懂英文，请用英文提问。要看自然视频，请用真实的模型启动，例如 \
`python app.py --model llava-hf/llava-onevision-qwen2-0.5b-ov-hf`。"""

EMBEDDED_NAME = "内置模型"
MODEL = "**模型**：{name}，{layers} 层，每帧 {tokens} 个视觉 token。"
MODEL_BY_SIZE = "**模型**：{name}，{layers} 层；帧越大，视觉 token 越多：\
{frames} 帧 {width}×{height} 像素共有 {tokens} 个。"
EMBEDDED_INSTEAD = "{problem} 在此之前，本页运行内置模型。"
