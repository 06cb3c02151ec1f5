"""Answers: the two of them side by side."""

ANSWERS = "## Two answers\nThe same model twice: *dense* with every visual token, *AIM* with what your settings leave."

ANSWER_PANEL = {
    "twiceName": "Why ask twice?",
    "twice": "Tokens that can go without changing the answer were not needed for this question. Tokens whose loss "
    "changes it were. Both runs start from the same frames and words, so only the tokens differ. One equal answer "
    "proves little: try several questions, and look at the first-token chances as well.",
    "dense": "Dense",
    "aim": "AIM",
    "tokens": "Visual tokens",
    "flops": "Prefill, counted",
    "time": "Prefill with merging, measured",
    "nothing": "Press Run to ask.",
    "waiting": "The dense answer is here; AIM has not answered.",
    "same": "✓ Both give the same answer.",
    "apart": "The answers differ in every word.",
    "differ": "The answers share {shared} of {most} words. A word that only one has is underlined.",
    "hand": "By hand",
    "protected": "Tokens protected",
    "removed": "Tokens removed",
    "undo": "Undo",
    "handSame": "✓ Your marks leave the answer of AIM as it was.",
    "handOther": "Your marks change the answer of AIM. A word that AIM alone did not say is underlined.",
    "chancesName": "First token",
    "chancesCaption": "Probability of the first token of the answer, for the likeliest ones of each run",
    "noChances": "How sure each run was of its first token.",
    "token": "Token",
    "sameFirst": "✓ The likeliest first token is the same: “{word}”.",
    "otherFirst": "Dense begins with “{dense}”, AIM with “{aim}”.",
    "otherFirsts": "Dense begins with “{dense}”, AIM with “{aim}”, by hand with “{hand}”.",
    "kl": [
        "KL(dense ‖ AIM) = {nats} nats: how far AIM moves the probabilities of the first token. 0 is not at all.",
        "KL(AIM ‖ by hand) = {nats} nats: how far your marks move them.",
    ],
    "whyName": "Why look at probabilities?",
    "chancesWhy": "Two runs can give the same words and still be differently sure of them. Bars show the probability "
    "of the first token, before any word is said; the Kullback-Leibler divergence sums up the difference over the "
    "whole vocabulary. It is 0.69 nats where a sure answer turns into a coin flip.",
}

SILENT = "(the model ended its turn without a word)"

END_TOKEN = "(end)"
SPACE_TOKEN = "(space)"
HAND_SAME = "Asked again: AIM gives the same answer with your marks. See By hand beside the answers."
HAND_OTHER = "Asked again: AIM gives another answer with your marks. See By hand beside the answers."
