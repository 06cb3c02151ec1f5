"""Space: whether the app runs where the Hub lends a GPU for one call at a time.

Asked before torch may be imported, so it imports nothing itself.
"""

import os


def is_zero_gpu() -> bool:
    """Whether this is a ZeroGPU Space."""
    return os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")
