"""The page's fixed texts."""

INTRO = """# AIM Explorer
**Which visual tokens does a multi-modal language model really need?** Give it a video and a \
question. [AIM](https://arxiv.org/abs/2412.03248) merges similar visual tokens inside each frame, \
then drops the least important ones layer by layer. Watch what goes, what stays, and whether the \
answer changes."""

EMBEDDED = """**This page runs a small embedded model that knows only its shape world**: coloured circles, \
squares, triangles, stars, crosses and rings that rest, move, appear and vanish. Take a sample, or \
film shapes of your own. For natural videos start the app with a real checkpoint, such as `python \
app.py --model llava-hf/llava-onevision-qwen2-0.5b-ov-hf` (or `-7b-ov-hf` on a GPU)."""

MODEL = "**Model:** {name}, {layers} layers, {rows}×{columns} visual tokens a frame."

ANSWERS = "## Two answers\nThe same model twice: *dense* with every visual token, *AIM* with what your settings leave."

UNKNOWN = "Words of this question that the model has never seen: {count}. The answer may mean nothing."

SILENT = "(the model ended its turn without a word)"

MERGE = """## 1 · Merged inside each frame
Before the language model, patches that look alike become one visual token. **Keep ratio** is the \
share that is left."""

PRUNE = """## 2 · Pruned layer by layer
Inside the language model, visual tokens are ranked by PageRank over the attention and the lowest \
are dropped: none up to layer **l1**, then evenly, all by layer **l2**. Move the slider to walk \
through the layers."""

ALIVE = "### Alive at this layer"

SCORES = "### What PageRank thinks of them"

COST = "## 3 · What it costs"

WHY_MERGE = """A sky or a wall gives many nearly equal patches, and the model reads every one of them. Tokens \
alternate into two sets; each token of the first finds its most similar partner in the second \
(cosine similarity), and the strongest pairs are averaged. A round removes at most half, so a keep \
ratio of 25 % takes two rounds. Groups never reach across frames."""

WHY_PRUNE = """By the middle of the language model, the text has read most of what it needs from the picture. A \
token matters if tokens that matter attend to it: PageRank on the attention of that layer says how \
much. Attention only looks back, so early tokens collect more; compare *rank* with *log* scores. \
Text tokens are never dropped. Pruned tokens really leave the sequence here, so the time below is \
saved, not estimated."""
