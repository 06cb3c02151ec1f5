"""Clock: a time in a video as text, the same on the canvas, in figures and in the film."""

from __future__ import annotations


def clock(seconds: float) -> str:
    """Tenths below a minute, halves rounded up: "0.3 s"; from there on "29:32", and from an hour "1:02:03"."""
    tenths = int(10 * float(seconds) + 0.5)
    if tenths < 600:
        return f"{tenths / 10:.1f} s"
    minutes, rest = divmod(int(float(seconds) + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
