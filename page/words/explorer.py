"""Explorer: the canvas of frames, its readings and the timeline."""

EXPLORE = """## What happened to every token
Patches that look alike were merged into one visual token; then, layer by layer, the least important \
tokens were dropped. Point at a patch to read it, click to follow its group."""

WHY_MERGE_NAME = "Why merge?"

WHY_MERGE = """A sky or a wall gives many nearly equal patches, and the model reads every one of them. Tokens \
alternate into two sets; each token of the first finds its most similar partner in the second \
(cosine similarity), and the strongest pairs are averaged. A round removes at most half, so a keep \
ratio of 25 % takes two rounds. Groups never reach across frames."""

WHY_PRUNE_NAME = "Why prune by PageRank?"

WHY_PRUNE = """By the middle of the language model, the text has read most of what it needs from the picture. A \
token matters if tokens that matter attend to it: PageRank on the attention of that layer says how \
much. Attention only looks back, so early tokens collect more; compare *rank* with *log* scores. \
Text tokens are never dropped. Pruned tokens really leave the sequence here, so the prefill time is \
saved, not estimated."""

WHY_MARKS_NAME = "Why mark patches by hand?"

WHY_MARKS = """A picture of scores says what the method found important, not what the answer needs. Marks test it: \
remove the tokens of one object, ask again, and see whether the answer falls; or protect them at a keep ratio that is \
too low, and see whether it comes back. Nothing else changes between the two runs, so the difference is the work of \
those tokens."""

NAMES = {
    "frame": "frame {first}",
    "frames": "frames {first}–{last}",
    "whole": "whole picture, {rows}×{columns}",
    "crop": "crop {number}",
}

EXPLORER = {
    "viewsName": "What to show on the frames",
    "views": {
        "original": "Original",
        "groups": "Groups",
        "alive": "Alive",
        "scores": "PageRank",
        "size": "Group size",
        "death": "Last layer",
    },
    "scalesName": "Scale of PageRank",
    "scales": {"rank": "Rank", "log": "Log score"},
    "zoomsName": "How many frames to show",
    "zooms": {"all": "All frames", "one": "One frame"},
    "notes": {
        "original": "The frames as the model gets them.",
        "groups": "One tinted, outlined area is one merged token.",
        "alive": "Tokens that enter this layer keep their colours.",
        "scores": "How important each token is to this layer, by PageRank over its attention.",
        "size": "How many patches share one token.",
        "death": "The last layer that each token enters.",
    },
    "legend": {
        "merged": "merged",
        "single": "not merged",
        "alive": "enters this layer",
        "gone": "pruned before",
        "rank": ["least", "most important"],
        "log": ["low score", "high, log scale"],
        "early": "early",
        "late": "to the end",
    },
    "stepsName": "Step by step",
    "steps": {"round": "Round", "iteration": "Iteration"},
    "stepNotes": {
        "round": [
            "Before merging, every patch is a visual token of its own.",
            "In a round, every second token may join the most similar of the others; the strongest links win.",
        ],
        "iteration": [
            "Before the first iteration, every token of the layer holds the same share.",
            "In an iteration, every token hands its share on to the tokens that it attends to.",
        ],
    },
    "before": "before",
    "tokens": "{count} visual tokens",
    "tokensName": "tokens",
    "links": "Links",
    "head": "Head",
    "allHeads": "All heads",
    "oneHead": "Head {head}",
    "playSteps": "Play the steps",
    "stepBack": "One step back",
    "stepNext": "One step on",
    "toolsName": "What a click on a patch does",
    "tools": {"look": "Look", "protect": "+ Protect", "remove": "× Remove"},
    "clear": "Clear",
    "ask": "Ask again with these marks",
    "marksHint": "Protect or remove groups by hand, then see what becomes of the answer.",
    "marksNew": "{protect} protected, {remove} removed; not asked yet.",
    "marksAsked": "This run was asked with these marks: {protect} protected, {remove} removed.",
    "marksGone": "The marks of this run are gone; ask again to see it without them.",
    "marksBoth": "One token is marked both ways: click it to choose one.",
    "nearest": "Layer {layer} was not measured; these scores are from layer {measured}.",
    "noScores": "Nothing was pruned, so no scores were measured.",
    "canvasName": "Frames of the run. Arrow keys read patches, Enter pins one.",
    "empty": "Take a sample or upload a video, ask, and press Run.",
    "layer": "Layer",
    "frame": "Frame",
    "of": "{value} of {most}",
    "playLayers": "Play the layers",
    "playFrames": "Play the frames",
    "captions": {
        "frame": "{first} · {seconds} s",
        "frames": "frames {first}–{last} · {seconds} s",
        "whole": "whole picture · {rows}×{columns}",
        "crop": "crop {number} · row {row}, column {column}",
    },
    "names": NAMES,
    "readingName": "This patch",
    "fields": {
        "place": "Place",
        "group": "Group",
        "size": "Patches in it",
        "similarity": "Similarity to its token",
        "rank": "Rank",
        "score": "Score",
        "fate": "Fate",
    },
    "place": "{name}, row {row}, col {column}",
    "placeSpoken": "{name}, row {row}, column {column}",
    "rankOf": "{place} of {of}",
    "stays": "stays to the end",
    "goesAfter": "pruned after layer {layer}",
    "removedFate": "removed by hand",
    "protectedFate": "protected; {fate}",
    "spoken": "{spoken}. Group {group}, patches in it: {size}, similarity to its token {similarity}. "
    "Rank {rank} in layer {measured}, score {score}. Fate: {fate}.",
    "lifeName": "Life of this token",
    "lifeHint": "Click a patch, or press Enter on it: its group lights up, and its life is told here.",
    "bornAs": "A patch: {place}.",
    "mergedWith": "Merged with {others} more into group {group}, one visual token.",
    "notMerged": "Like no other: it stays a visual token of its own.",
    "protected": "Protected by hand: ranked above all others.",
    "removed": "Removed by hand, before layer 0.",
    "survives": "Goes through all {layers} layers.",
    "prunedBelow": "Pruned after layer {layer}: rank {place} of {of}, and only {stay} go on to layer {next}.",
    "prunedAll": "Pruned after layer {layer} with all others; it was rank {place} of {of}.",
    "prunedUnscored": "Pruned after layer {layer}.",
    "chartNote": {
        "rank": "Rank in each measured layer. Dashes: the last rank that goes on.",
        "log": "Score in each measured layer, log scale of that layer. Dashes: the lowest score that goes on.",
    },
    "rankAt": "layer {layer}: rank {place} of {of}",
    "high": "top",
    "low": "last",
    "timeName": "Frame by frame",
    "timeLead": "Bars: the share of PageRank that each frame holds. Below: how many of its tokens enter each layer.",
    "timeCanvas": "Timeline of frames and layers. Arrow keys choose a frame and a layer.",
    "share": "share",
    "framesLeft": "At layer {layer}, {left} of {frames} frames still have visual tokens.",
    "topFrame": "Most PageRank in layer {layer}: {name}, {share}.",
    "timeWhy": "Attention only looks back: later tokens can point at earlier ones, never the other way round. "
    "So PageRank flows towards the first frames, and the last ones are often pruned first. Compare a question about "
    "the beginning with one about the end of a video.",
    "why": "Why?",
    "keysName": "Keys",
    "keys": "Arrows: next patch · Page up, Page down: next frame · Enter: pin · Escape: unpin · [ and ]: layer · "
    "1 to 6: view · Z: one frame or all · P: play the layers · , and .: round or iteration · L, + and -: look, protect "
    "or remove with Enter · C: clear the marks",
}
