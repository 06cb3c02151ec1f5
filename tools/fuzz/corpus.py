"""Corpus: containers and codecs that people upload, and what is special about some of them."""

from __future__ import annotations

from dataclasses import replace

from tools.fuzz.clips import Clip

_STEADY = tuple(i / 10 for i in range(40))
_VARYING = tuple(i / 10 + max(0, i - 20) * 0.3 for i in range(40))
_GAP = tuple(i / 10 + (5 if i >= 15 else 0) for i in range(40))

_TELEVISION = {"rate": 25, "seconds": tuple(i / 25 for i in range(40))}

_X264 = {"g": "12", "bf": "3", "sc_threshold": "0"}
_ONE = _X264 | {"g": "250"}
_OPEN, _CLOSED = _X264 | {"x264-params": "open-gop=1"}, _X264 | {"x264-params": "open-gop=0"}
_X265 = {"x265-params": "keyint=12:bframes=3:open-gop={}:log-level=none:pools=1"}
_VPX = {"deadline": "realtime", "cpu-used": "8", "g": "12"}
_HIDDEN = {"deadline": "good", "cpu-used": "5", "g": "12", "auto-alt-ref": "1", "lag-in-frames": "12"}
_LARGE = {"size": (3840, 2160), "seconds": _STEADY[:12]}


def _x265(open_group: int) -> dict[str, str]:
    return {key: value.format(open_group) for key, value in _X265.items()}


PLAIN = (
    Clip("h264 closed.mp4", "libx264", _CLOSED),
    Clip("h264 open.mp4", "libx264", _OPEN),
    Clip("h264 one group.mp4", "libx264", _ONE),
    Clip("h264 no b.mp4", "libx264", {"g": "12", "bf": "0"}),
    Clip("h264 refresh.mp4", "libx264", {"g": "12", "x264-params": "intra-refresh=1"}),
    Clip("h264 10 bits.mp4", "libx264", _CLOSED, pixels="yuv420p10le"),
    Clip("h264 interlaced.mp4", "libx264", _CLOSED | {"flags": "+ildct+ilme"}),
    Clip("h264 fast start.mp4", "libx264", _CLOSED, muxing={"movflags": "faststart"}),
    Clip("h264 fragments.mp4", "libx264", _CLOSED, muxing={"movflags": "frag_keyframe+empty_moov"}),
    Clip("h264 sound.mp4", "libx264", _CLOSED, sound=True),
    Clip("h264.mov", "libx264", _OPEN),
    Clip("h264.3gp", "libx264", {"g": "12", "bf": "0"}),
    Clip("hevc closed.mp4", "libx265", _x265(0)),
    Clip("hevc open.mp4", "libx265", _x265(1)),
    Clip("hevc 10 bits.mov", "libx265", _x265(1), pixels="yuv420p10le"),
    Clip("av1.mp4", "libsvtav1", {"preset": "12", "g": "12"}),
    Clip("vp9.mp4", "libvpx-vp9", _VPX),
    Clip("mpeg4.mp4", "mpeg4", {"g": "12", "bf": "2"}),
    Clip("h263.3gp", "h263", size=(176, 144)),
    Clip("prores.mov", "prores_ks", pixels="yuv422p10le"),
    Clip("mjpeg.mov", "mjpeg", pixels="yuvj420p"),
    Clip("dnxhr.mov", "dnxhd", {"profile": "dnxhr_lb"}, pixels="yuv422p", size=(320, 240)),
    Clip("qtrle.mov", "qtrle", {"g": "12"}, pixels="rgb24"),
    Clip("png.mov", "png", pixels="rgb24"),
    Clip("h264.mkv", "libx264", _OPEN),
    Clip("hevc.mkv", "libx265", _x265(1)),
    Clip("ffv1.mkv", "ffv1"),
    Clip("mjpeg.mkv", "mjpeg", pixels="yuvj420p"),
    Clip("mpeg2.mkv", "mpeg2video", {"g": "12", "bf": "2"}, **_TELEVISION),
    Clip("vp8.webm", "libvpx", _VPX),
    Clip("vp9.webm", "libvpx-vp9", _VPX),
    Clip(
        "vp9 hidden.webm",
        "libvpx-vp9",
        _HIDDEN,
    ),
    Clip("vp9 sound.webm", "libvpx-vp9", _VPX, sound=True),
    Clip("av1.webm", "libsvtav1", {"preset": "12", "g": "12"}),
    Clip("h264 b.avi", "libx264", _CLOSED),
    Clip("h264 b one group.avi", "libx264", _ONE),
    Clip("h264 no b.avi", "libx264", {"g": "12", "bf": "0"}),
    Clip("mpeg4 b.avi", "mpeg4", {"g": "12", "bf": "2"}),
    Clip("mpeg4.avi", "mpeg4", {"g": "12"}),
    Clip("msmpeg4.avi", "msmpeg4", {"g": "12"}),
    Clip("mjpeg.avi", "mjpeg", pixels="yuvj420p"),
    Clip("huffyuv.avi", "huffyuv", pixels="yuv422p"),
    Clip("raw.avi", "rawvideo"),
    Clip("h264.ts", "libx264", _OPEN, format="mpegts"),
    Clip("h264 closed.ts", "libx264", _CLOSED, format="mpegts"),
    Clip("h264 camera.mts", "libx264", _CLOSED, format="mpegts", muxing={"mpegts_m2ts_mode": "1"}, sound=True),
    Clip("hevc.ts", "libx265", _x265(1), format="mpegts"),
    Clip("mpeg2.ts", "mpeg2video", {"g": "12", "bf": "2"}, format="mpegts", **_TELEVISION),
    Clip("mpeg1.mpg", "mpeg1video", {"g": "12", "bf": "2"}, format="mpeg", **_TELEVISION),
    Clip("mpeg2.vob", "mpeg2video", {"g": "12", "bf": "2"}, format="vob", **_TELEVISION),
    Clip("flv1.flv", "flv", {"g": "12"}),
    Clip("h264.flv", "libx264", _CLOSED),
    Clip("wmv1.wmv", "wmv1", {"g": "12"}, format="asf"),
    Clip("wmv2.wmv", "wmv2", {"g": "12"}, format="asf"),
    Clip("msmpeg4.asf", "msmpeg4", {"g": "12"}, format="asf"),
    Clip("colours.gif", "gif", pixels="rgb8"),
    Clip("animation.png", "apng", pixels="rgb24", format="apng"),
    Clip("clear animation.png", "apng", pixels="rgba", format="apng"),
    Clip("sequence.avif", "libsvtav1", {"preset": "12", "g": "12"}, format="avif"),
)


def _changed(clip: Clip, word: str, **changes) -> Clip:
    stem, dot, end = clip.name.rpartition(".")
    return replace(clip, name=f"{stem} {word}{dot}{end}", **changes)


_BY_NAME = {clip.name: clip for clip in PLAIN}
_TIMED = "h264 open.mp4,hevc open.mp4,h264.mkv,vp9.webm,av1.mp4,h264.ts,h264.flv,colours.gif,animation.png"
_WITH_TIMES = _TIMED.split(",")

SPECIAL = (
    *(_changed(_BY_NAME[name], "varying", seconds=_VARYING) for name in _WITH_TIMES),
    *(_changed(_BY_NAME[name], "gap", seconds=_GAP) for name in _WITH_TIMES),
    *(_changed(_BY_NAME["h264 closed.mp4"], f"turned {by}", turned=by) for by in (90, 180, 270)),
    *(_changed(_BY_NAME["hevc closed.mp4"], f"turned {by}", turned=by) for by in (90, 270)),
    _changed(_BY_NAME["h264 closed.mp4"], "cover", cover=True),
    _changed(_BY_NAME["h264 closed.mp4"], "one", seconds=(0.0,)),
    _changed(_BY_NAME["h264 open.mp4"], "late", seconds=tuple(3 + s for s in _STEADY)),
    _changed(_BY_NAME["h264 closed.mp4"], "4K", options={"preset": "ultrafast"}, **_LARGE),
    _changed(_BY_NAME["hevc closed.mp4"], "4K", options=_x265(0) | {"preset": "ultrafast"}, **_LARGE),
)
CLIPS = PLAIN + SPECIAL


def named(name: str) -> Clip:
    """The clip of this name."""
    return next(clip for clip in CLIPS if clip.name == name)
