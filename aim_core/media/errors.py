"""The one error a user's file can cause, and the sentences that several files share."""

from __future__ import annotations


class MediaError(ValueError):
    """The file cannot be used. The message is a sentence for the user that says what to do.

    It never contains a file name, a path or anything else that came from the file.
    """


DAMAGED_VIDEO = "Nothing in this video can be decoded: it is damaged or cut off. Export it again or try another file."
DAMAGED_PICTURE = "This picture is damaged or cut off. Save it again as PNG or JPEG, or try another one."
NO_PICTURE = "This file has sound but no picture: choose a video or a picture instead."
NO_SOUND = "This file has no sound. Choose another one, or go without."
UNREADABLE_VIDEO = "This video cannot be decoded. Convert it to MP4 (H.264) or try another one."
HEAVY_VIDEO = "This video needs too much memory to decode; try a shorter or smaller one."
HEAVY_PICTURE = "This picture needs too much memory to decode; try a smaller one."
SLOW_VIDEO = "This video takes too long to decode; try a shorter or smaller one."
SLOW_PICTURE = "This picture takes too long to decode; try a smaller one."
CRASHED_VIDEO = "The decoder crashed on this video. Convert it to MP4 (H.264) or try another one."
CRASHED_PICTURE = "The decoder crashed on this picture. Save it again as PNG or JPEG, or try another one."
UNREADABLE_SOUND = "The sound of this file cannot be decoded. Convert it to MP3, WAV or M4A, or go without."
SLOW = {"video": SLOW_VIDEO, "image": SLOW_PICTURE, "sound": UNREADABLE_SOUND}
HEAVY = {"video": HEAVY_VIDEO, "image": HEAVY_PICTURE, "sound": UNREADABLE_SOUND}
CRASHED = {"video": CRASHED_VIDEO, "image": CRASHED_PICTURE, "sound": UNREADABLE_SOUND}
KILLED = (
    "Decoding was ended from outside, most often since the machine is short of memory. "
    "Try again in a minute, or with a smaller file."
)
SECOND_FILE = "This video keeps its pictures in another file. Export it as one file and choose that."
NO_HEIC = "HEIC pictures cannot be read here: save it as JPEG or PNG, or install the Python package pillow-heif."
