"""The page as a whole: title, introduction, which model runs here."""

TITLE = "AIM Explorer"

INTRO = """# AIM Explorer
**Which visual tokens does a multi-modal language model really need?** \
[AIM](https://arxiv.org/abs/2412.03248) merges similar visual tokens inside each frame, then drops the least \
important ones layer by layer. Watch what goes, what stays, and whether the answer changes."""

EMBEDDED = """**A small embedded model runs here that knows only its shape world**: coloured circles, squares, \
triangles, stars, crosses and rings that rest, move, appear and vanish. For natural videos start the app with a \
real checkpoint, such as `python app.py --model llava-hf/llava-onevision-qwen2-0.5b-ov-hf`."""

EMBEDDED_NAME = "the embedded model"
MODEL = "**Model:** {name}, {layers} layers, {tokens} visual tokens a frame."
MODEL_BY_SIZE = """**Model:** {name}, {layers} layers; larger frames give more visual tokens, {tokens} are in {frames} \
frames of {width}×{height} pixels."""
EMBEDDED_INSTEAD = "{problem} Until then, this page runs the embedded model."
