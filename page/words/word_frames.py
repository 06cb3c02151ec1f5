"""Words and frames: where the attention of each generated word fell."""

from page.words.explorer import NAMES

WORD_FRAMES = {
    "name": "From word to frames",
    "lead": "Point at a word of an answer, or step through the words with the arrow keys: bars show how much of its "
    "attention fell on each frame.",
    "empty": "Press Run to see which frames each word of the answers looked at.",
    "missing": "Not recorded for this run. Tick “Details” and press Run.",
    "dense": "Dense",
    "aim": "AIM",
    "hand": "By hand",
    "silent": "(no words)",
    "names": NAMES,
    "caption": "{frame} · {seconds} s",
    "strip": "Frames with the attention of the chosen word",
    "total": "{side}: {share} of the attention of “{word}” fell on frames, the rest on text.",
    "none": "{side}: this answer has no such word.",
    "most": "Most on {frame}: {share}.",
    "whyName": "Why?",
    "why": "A word is made from what its token attends to. Each bar is the share of that attention that falls on the "
    "visual tokens of one frame, as a mean over all heads and over the layers that still hold visual tokens; with AIM "
    "those are fewer layers and fewer tokens, so compare the shape of the bars rather than their height. Attention is "
    "not an explanation: a model can attend to a frame and not use it, and what it saw in a frame may reach the answer "
    "through text tokens.",
}
