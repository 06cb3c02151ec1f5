"""Words of the wide questions: many wordings of each type, some never trained on; answers of one word or several."""

from __future__ import annotations

import re
from string import Formatter

from training.questions import ANSWERS, TYPES, WORDINGS

# Asked with a question mark: the answer is a word. The first two of each type are the old world's.
ASKED = {
    "color": (*WORDINGS["color"], "what is the color of the {shape}?", "the {shape} has which color?"),
    "shape": (*WORDINGS["shape"], "what is the shape of the {color} object?", "the {color} object has which shape?"),
    "count": (*WORDINGS["count"], "how many objects can you see?", "what is the number of objects?"),
    "count_kind": (*WORDINGS["count_kind"], "how many {kind} can you see?", "what is the number of {kind}?"),
    "exist": (*WORDINGS["exist"], "can you see a {name}?", "is a {name} in the video?"),
    "position": (*WORDINGS["position"], "which corner is the {name} in?", "what is the place of the {name}?"),
    "motion": (*WORDINGS["motion"], "in which direction does the {name} move?", "which way does the {name} go?"),
    "begins": (*WORDINGS["begins"], "where is the {name} at the start?", "which corner does the {name} start in?"),
    "ends": (*WORDINGS["ends"], "where is the {name} at the end?", "which corner does the {name} end in?"),
    "appears": (
        *WORDINGS["appears"],
        "when can you see the {name} first?",
        "when does the video show the {name} first?",
    ),
    "vanishes": (*WORDINGS["vanishes"], "does the {name} go away?", "has the {name} gone at the end?"),
    "order": (
        *WORDINGS["order"],
        "which object can you see first, the {name} or the {other}?",
        "which is there first, the {name} or the {other}?",
    ),
    "compare": (*WORDINGS["compare"], "can you see more {kind} than {other}?", "are more {kind} there than {other}?"),
}
# Told to describe, the model answers in a sentence.
TOLD = {
    "color": ("describe the color of the {shape}.", "tell me which color the {shape} has."),
    "shape": ("describe the shape of the {color} object.", "tell me which shape the {color} object has."),
    "count": ("tell me how many objects there are.", "describe the number of objects."),
    "count_kind": ("tell me how many {kind} there are.", "describe the number of {kind}."),
    "exist": ("tell me if there is a {name}.", "describe if the video shows a {name}."),
    "position": ("describe where the {name} is.", "tell me which corner the {name} is in."),
    "motion": ("describe how the {name} moves.", "tell me which way the {name} moves."),
    "begins": ("describe where the {name} starts.", "tell me in which corner the {name} starts."),
    "ends": ("describe where the {name} ends.", "tell me in which corner the {name} ends."),
    "appears": ("describe when the {name} appears.", "tell me when the {name} appears."),
    "vanishes": ("tell me if the {name} vanishes.", "describe if the {name} goes away."),
    "order": (
        "tell me which appears first, the {name} or the {other}.",
        "describe which comes first, the {name} or the {other}.",
    ),
    "compare": ("tell me if there are more {kind} than {other}.", "describe if there are more {kind} than {other}."),
}
# Kept out of training: one that asks, one that tells.
KEPT = {
    "color": ("in which color is the {shape}?", "tell me the color of the {shape}."),
    "shape": ("in which shape is the {color} object?", "tell me the shape of the {color} object."),
    "count": ("how many objects are in the video?", "tell me the number of objects."),
    "count_kind": ("how many {kind} are in the video?", "tell me the number of {kind}."),
    "exist": ("is there a {name} in the video?", "tell me if you can see a {name}."),
    "position": ("in which corner can you see the {name}?", "tell me where the {name} is."),
    "motion": ("how does the {name} go?", "tell me how the {name} moves."),
    "begins": ("in which corner is the {name} at the start?", "tell me where the {name} starts."),
    "ends": ("in which corner is the {name} at the end?", "tell me where the {name} ends."),
    "appears": ("at which time can you see the {name} first?", "tell me at which time the {name} appears."),
    "vanishes": ("is the {name} gone?", "tell me if the {name} goes away."),
    "order": (
        "what appears first, the {name} or the {other}?",
        "describe which appears first, the {name} or the {other}.",
    ),
    "compare": ("are there more {kind} in the video than {other}?", "tell me if you can see more {kind} than {other}."),
}
SENTENCES = {
    "color": "the {shape} is {said}",
    "shape": "the {color} object is a {said}",
    "count": "the number of objects is {said}",
    "count_kind": "the number of {kind} is {said}",
    "exist": "{said} a {name}",
    "position": "the {name} is at the {said}",
    "motion": "the {name} {said}",
    "begins": "the {name} starts at the {said}",
    "ends": "the {name} ends at the {said}",
    "appears": "the {name} appears {said}",
    "vanishes": "{said}",
    "order": "the {said} object appears first",
    "compare": "{said}",
}
# What a sentence says for an answer of one word, where that is more than the word.
PHRASES = {
    "exist": {"yes": "yes, there is", "no": "no, there is not"},
    "motion": {"still": "stays still", **{way: f"moves {way}" for way in ("left", "right", "up", "down")}},
    "appears": {"start": "at the start", "middle": "in the middle", "end": "at the end"},
    "vanishes": {"yes": "yes, the {name} vanishes", "no": "no, the {name} stays"},
    "compare": {"yes": "yes, there are more {kind}", "no": "no, there are not more {kind}"},
}
WIDE_ANSWERS = ANSWERS | {"count": ("1", "2", "3", "4", "5", "6"), "count_kind": ("0", "1", "2", "3", "4")}
# What people type for words of the world; the tokenizer takes one for the other.
SYNONYMS = {
    "colour": "color",
    "colours": "color",
    "violet": "purple",
    "turquoise": "cyan",
    "disc": "circle",
    "disk": "circle",
    "dot": "circle",
    "rectangle": "square",
    "box": "square",
    "plus": "cross",
    "donut": "ring",
    "doughnut": "ring",
    "item": "object",
    "items": "objects",
    "thing": "object",
    "things": "objects",
    "shapes": "objects",
    "discs": "circles",
    "disks": "circles",
    "dots": "circles",
    "rectangles": "squares",
    "boxes": "squares",
    "donuts": "rings",
    "clip": "video",
    "movie": "video",
    "film": "video",
    "picture": "video",
    "image": "video",
    "disappear": "vanish",
    "disappears": "vanishes",
    "begin": "start",
    "begins": "starts",
    "top left": "top-left",
    "top right": "top-right",
    "bottom left": "bottom-left",
    "bottom right": "bottom-right",
}


def sentence(kind: str, word: str, words: dict[str, str]) -> str:
    """The answer `word` to a question of type `kind` about `words`, as a sentence."""
    said = PHRASES.get(kind, {}).get(word, word)
    return SENTENCES[kind].format(said=said.format(**words), **words)


def reworded(kind: str, text: str, choice: int) -> str:
    """A question of type `kind` in another of the wordings that training asked in, which of them by `choice`.

    Raises ValueError for a text that is in no wording of this type.
    """
    own = [*ASKED[kind], *TOLD[kind], *KEPT[kind]]
    found = [(wording, match) for wording in own if (match := re.fullmatch(_pattern(wording), text))]
    if not found:
        raise ValueError(f"{text!r} is in no wording of the type {kind}")
    used, match = max(found, key=lambda one: len(one[0]))  # a longer one says more, and leaves less to its words
    others = [wording for wording in ASKED[kind] if wording != used]
    return others[choice % len(others)].format(**match.groupdict())


def _pattern(wording: str) -> str:
    """A regular expression whose groups are the words that a wording leaves open."""
    return re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", re.escape(wording))


def wide_words() -> set[str]:
    """Every word of the wide questions and answers besides names, colours and shapes."""
    texts = [text for group in (ASKED, TOLD) for kind in TYPES for text in group[kind]]
    texts += [*SENTENCES.values(), *(phrase for phrases in PHRASES.values() for phrase in phrases.values())]
    texts += [answer for answers in WIDE_ANSWERS.values() for answer in answers]
    fields = [field for text in texts for field in (part[0] for part in Formatter().parse(text))]
    return {word.strip("?,.") for text in fields for word in text.split()} - {""}
