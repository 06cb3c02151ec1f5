"""Sound: the sound of a file, mono at SOUND_RATE, each sample where the clock of the pictures has it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.audio.resampler import AudioResampler
from av.stream import Disposition

from aim_core.media.container import CODECS, DAMAGE, open_file, packets
from aim_core.media.errors import NO_SOUND, UNREADABLE_SOUND, MediaError
from aim_core.media.frames import SOUND_RATE
from aim_core.media.limits import Limits

# Decoders by their names in FFmpeg, beside those of uncompressed sound.
_CODECS = (
    "aac,ac3,adpcm_ima_qt,adpcm_ima_wav,adpcm_ms,adpcm_swf,alac,amrnb,amrwb,eac3,flac,libopencore_amrnb,"
    "libopencore_amrwb,libopus,libvorbis,mp1,mp1float,mp2,mp2float,mp3,mp3float,nellymoser,opus,speex,vorbis,wmav1,wmav2"
)
_UNCOMPRESSED = (
    "pcm_alaw,pcm_f32be,pcm_f32le,pcm_f64le,pcm_mulaw,pcm_s16be,pcm_s16le,pcm_s24be,pcm_s24le,pcm_s32be,pcm_s32le,"
    "pcm_s8,pcm_u8,pcm_bluray,pcm_dvd"
)
SOUND_CODECS = frozenset(f"{_CODECS},{_UNCOMPRESSED}".split(","))
_RATES, _CHANNELS = (1000, 384_000), 32
_LOOK_UP = 0.05  # seconds between looks at the processor's time, which in a sandbox takes as long as a frame does
_GAP_S = 0.05  # a jump of the clock that is a gap or a cut; less is how a container rounds


@dataclass(frozen=True, eq=False)
class Sound:
    """samples: (n,) float32 at SOUND_RATE a second, up to the last that is there; None for none.

    state: one of SOUND_STATES but "": what became of it.
    """

    samples: np.ndarray | None
    state: str


def sound_of_film(
    path: Path, container: str, begin: float, length: float, most: float, limits: Limits, until: float
) -> Sound:
    """What is heard while a film is seen; nothing that is wrong with its sound keeps the pictures from being shown.

    begin:  when the first picture appears by the clock of the file; length: seconds of film.
    most:   seconds that are wanted, from the first picture on.
    until:  by `time.monotonic`, when to go without.
    """
    try:
        samples = _read(path, container, begin, min(length, most), limits, until)
    except TimeoutError:
        return Sound(None, "slow")
    except Exception:  # a decoder may raise anything on hostile bytes
        return Sound(None, "unreadable")
    if samples is None:
        return Sound(None, "none")
    is_cut = length > most and len(samples) >= int(most * SOUND_RATE)
    return Sound(samples, "cut" if is_cut else "heard")


def read_sound(path: Path, container: str, most: float, limits: Limits) -> np.ndarray:
    """(n,) float32, the first `most` seconds of the sound of a file; of a film, from its first picture on.

    Raises MediaError where there is none.
    """
    try:
        samples = _read(path, container, None, most, limits)
    except MediaError:
        raise
    except (MemoryError, TimeoutError, av.error.FFmpegError, ValueError) as error:
        raise MediaError(UNREADABLE_SOUND) from error
    if samples is None:
        raise MediaError(NO_SOUND)
    return samples


def _read(
    path: Path, container: str, begin: float | None, seconds: float, limits: Limits, until: float = math.inf
) -> np.ndarray | None:
    """The samples from `begin` on, for None from where the file says that it begins; None where it has no sound."""
    with open_file(path, container, codecs=CODECS | SOUND_CODECS) as file:
        stream = _stream(file)
        if stream is None:
            return None
        track = _Track(round(seconds * SOUND_RATE), _begin(file) if begin is None else begin)
        for frame in _frames(file, stream, limits, until):
            track.take(frame)
            if track.is_full:
                break
        track.end_stretch()
    if not track.end:
        raise MediaError(UNREADABLE_SOUND)
    return track.samples[: track.end]


def _begin(file: av.container.InputContainer) -> float | None:
    """When the first picture of a film appears; None for a file of sound, which begins with its first sample."""
    picture = file.streams.best("video")
    if not isinstance(picture, av.VideoStream) or picture.disposition & Disposition.attached_pic:
        return None
    if picture.start_time is None or not picture.time_base:
        return None
    return float(picture.start_time * picture.time_base)


def _stream(file: av.container.InputContainer) -> av.AudioStream | None:
    """The sound that belongs to the picture. Raises MediaError for one that may not be decoded."""
    picture = file.streams.best("video")
    stream = file.streams.best("audio", related=picture) if picture else file.streams.best("audio")
    if not isinstance(stream, av.AudioStream):
        return None
    if stream.codec_context is None or stream.codec_context.codec.name not in SOUND_CODECS:
        raise MediaError(UNREADABLE_SOUND)
    return stream


def _frames(
    file: av.container.InputContainer, stream: av.AudioStream, limits: Limits, until: float
) -> Iterator[av.AudioFrame]:
    """All that decodes. Raises TimeoutError once that has taken too long, MediaError for a rate that no sound has."""
    ends, looked = time.process_time() + limits.sound_cpu_seconds, -math.inf
    for frames in _batches(file, stream):
        now = time.monotonic()
        if now > until:
            raise TimeoutError
        if now - looked > _LOOK_UP:
            looked = now
            if time.process_time() > ends:
                raise TimeoutError
        for frame in frames:
            is_sane = _RATES[0] <= frame.sample_rate <= _RATES[1] and 1 <= frame.layout.nb_channels <= _CHANNELS
            if not is_sane:
                raise MediaError(UNREADABLE_SOUND)
            yield frame


def _batches(file: av.container.InputContainer, stream: av.AudioStream) -> Iterator[list[av.AudioFrame]]:
    for packet in packets(file, stream):
        try:
            yield stream.codec_context.decode(packet)
        except DAMAGE:
            yield []
    try:
        yield stream.codec_context.decode(None)
    except DAMAGE:
        yield []


class _Track:
    """Samples on the clock of the file: `num` of them from `begin` on, silent where nothing was written.

    Frames that follow one another are resampled as one stretch; where the clock jumps, another begins at its time.
    """

    def __init__(self, num: int, begin: float | None):
        self.samples, self.begin, self.end = np.zeros(num, np.float32), begin, 0
        self._resampler: AudioResampler | None = None
        self._kind: tuple | None = None  # of the frames of this stretch
        self._next = 0.0  # when the next frame of this stretch is due, in seconds from `begin`
        self._place = 0  # of its next sample

    @property
    def is_full(self) -> bool:
        return self._place >= len(self.samples)

    def take(self, frame: av.AudioFrame) -> None:
        """Add one frame."""
        if self.begin is None:
            self.begin = frame.time or 0.0
        at = self._next if frame.time is None else frame.time - self.begin
        kind = frame.sample_rate, frame.format.name, frame.layout.name
        if self._kind != kind or abs(at - self._next) > _GAP_S:
            self.end_stretch()
            self._kind, self._next, self._place = kind, at, round(at * SOUND_RATE)
            self._resampler = AudioResampler("flt", "mono", SOUND_RATE)
        assert self._resampler is not None
        self._next += frame.samples / frame.sample_rate
        self._write(self._resampler.resample(frame))

    def end_stretch(self) -> None:
        """Write what the resampler still holds."""
        if self._resampler is not None:
            self._write(self._resampler.resample(None))
            self._resampler = None

    def _write(self, frames: list[av.AudioFrame]) -> None:
        for frame in frames:
            values = np.nan_to_num(frame.to_ndarray()[0], posinf=1.0, neginf=-1.0).clip(-1, 1)
            start, self._place = self._place, self._place + len(values)
            first, last = max(0, start), min(len(self.samples), self._place)
            if first < last:
                self.samples[first:last] = values[first - start : last - start]
                self.end = max(self.end, last)
