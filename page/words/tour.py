"""Tour: five steps, each with a question to the reader before its run."""

TOUR = {
    "name": "Guided tour",
    "lead": "New here? Five short steps show how AIM works: you predict, the model runs, you see what was measured.",
    "start": "Start the tour",
    "at": "Step {at} of {of}",
    "close": "Close the tour",
    "back": "Back",
    "next": "Next",
    "finish": "Finish",
    "ask": "Your prediction",
    "running": "Running with these settings. What comes next is measured, not prepared.",
    "failed": "The run did not finish. Choose again.",
    "right": "You predicted it.",
    "other": "You expected “{said}”; it is “{came}”.",
    "unmeasured": "This run measured nothing to compare with.",
    "kept": "The answer stayed: “{aim}”.",
    "lost": "The answer changed from “{dense}” to “{aim}”.",
    "silent": "no word",
    "steps": [
        {
            "title": "Why so many tokens?",
            "text": "The picture is cut into patches, and each patch becomes one visual token. The question becomes "
            "text tokens, about one for each word. Nothing is merged or pruned yet.",
            "ask": "How many visual tokens stand beside each text token?",
            "choices": ["fewer than 5", "5 to 20", "more than 20"],
            "found": "Measured: {visual} visual tokens, {text} text tokens, so {per_text} for each.",
            "means": [
                "Few for once. Longer videos bring more: every frame adds the same number again.",
                "Each layer reads all of them, so most of the work goes into the picture.",
                "Each layer reads all of them, so nearly all of the work goes into the picture. AIM makes them fewer.",
            ],
        },
        {
            "title": "Merge what looks alike",
            "text": "Many patches look nearly the same: a wall, a sky. Before the language model starts, AIM merges "
            "the most similar tokens of each frame. With these settings {keep} of them stay.",
            "ask": "How many patches will the largest merged token stand for?",
            "choices": ["up to 4", "5 to 16", "more than 16"],
            "found": "Measured: the largest stands for {largest}. {visual} tokens became {merged}.",
            "means": [
                "The groups stay small: no large area of these frames looks the same.",
                "Even areas share a token; look at the large tinted areas below.",
                "A whole even area became one token; look for it below.",
            ],
        },
        {
            "title": "Who matters? Ask PageRank",
            "text": "Inside the model, tokens attend to tokens. A token is important if important tokens attend to it; "
            "that is PageRank. Attention only looks back: a token sees those before it, never those after it.",
            "ask": "Which half of the visual tokens collects more PageRank?",
            "choices": ["the earlier half", "about the same", "the later half"],
            "found": "Measured in layer {layer}: the earlier half holds {earlier}, the later half {later}.",
            "means": [
                "Early tokens are seen by all that follow, so they collect more, whatever they show.",
                "Position does not decide here. Below, bright patches are the important ones.",
                "Here what the frames show outweighs their place. Below, bright patches are the important ones.",
            ],
        },
        {
            "title": "Prune on a schedule",
            "text": "Up to layer {l1} every merged token stays. Then each layer keeps fewer, those with the highest "
            "PageRank. From layer {l2} on no visual token is left: by then the text has read what it needs.",
            "ask": "How much of the dense prefill is left, counted in FLOPs?",
            "choices": ["less than 20 %", "20 to 50 %", "more than 50 %"],
            "found": "Counted: {share} of the dense prefill.",
            "means": [
                "Merging saves in every layer, pruning in the later ones.",
                "Merging saves in every layer, pruning in the later ones.",
                "Little is saved here: the text is long beside the picture.",
            ],
        },
        {
            "title": "Break it",
            "text": "Now far too little: {keep} of the tokens, and all of those go after layer {l1}.",
            "ask": "Will AIM still answer as the dense model does?",
            "choices": ["yes, the same", "no, something else"],
            "found": "Dense says “{dense}”, AIM says “{aim}”.",
            "means": [
                "It held: this answer needs little of the picture, or can be guessed. Ask something about a small "
                "detail and try again.",
                "It broke. Now move one slider back at a time until the answer returns: that is how much of the "
                "picture this question needs.",
            ],
        },
    ],
}
