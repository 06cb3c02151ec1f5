"""Methods picture: what several methods leave of one clip at one cost, for the README.

python -m page.exports.methods_picture
"""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from aim_core.engine import Engine
from aim_core.method_comparison import compare_methods
from visual.method_figures import DrawnRun, methods_frames

ASSETS = Path(__file__).parents[2] / "assets"
CLIP, QUESTION, LAYER = ASSETS / "samples" / "crossing.mp4", "how does the cyan star move?", 6
METHODS = ("aim", "visionzip", "divprune", "vidcom2", "v_cast", "evs", "fewer_frames", "random")
BUDGET, WIDTH = 0.1, 1320  # share of the dense FLOPs; pixels


def main() -> None:
    engine = Engine.from_pretrained(ASSETS / "model", device="cpu")
    runs = compare_methods(engine, CLIP, QUESTION, methods=METHODS, budget=BUDGET, num_timed=0)
    drawn = io.BytesIO()
    shown = [DrawnRun(run.name, run.title, run.trace) for run in runs if run.trace]
    methods_frames(shown, LAYER).savefig(drawn, format="png")
    picture = Image.open(drawn).convert("RGB")
    picture = picture.resize((WIDTH, round(picture.height * WIDTH / picture.width)), Image.Resampling.LANCZOS)
    picture.save(ASSETS / "methods_frames.webp", quality=82)


if __name__ == "__main__":
    main()
