"""Decord reader: chosen frames of a video, read by decord from the first frame to the last without a jump.

The package is decord2, which is kept up; decord itself ended with an FFmpeg of 2018. Version 3.4 gives wrong frames
after a jump into an open group of pictures, and `skip_frames` jumps as well when it passes a key frame. Where a frame
does not decode, all later ones move up and the last ones are repeats. So nothing here passes a key frame in one step,
and the file is read to its end, where decord tells if there were repeats. Very rarely a call never returns (seen with
3.4 on a file that ends in hidden frames), so opening, skipping and reading are watched.
"""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

_TIME_S = 2e-3  # times that differ by no more are the same; decord keeps them in float32
_LEVELS = 3.0  # mean difference of two decoders' frames, out of 255: below 2 for 10 bits and interlaced video
_STILL_S, _LEAST_SHARE = 5.0, 0.02  # a call that takes longer while this process has less of one core stands still
_ANY_REPEAT = 1e-9  # decord's `fault_tol`: share of repeated frames that is an error; 0 or less would mean never


class CannotReadError(Exception):
    """decord cannot read this video, or not with certainty. The message is for the log."""


def decord_frames(path: Path, starts: np.ndarray, wanted: np.ndarray, first: np.ndarray) -> Iterator[np.ndarray]:
    """The frames at the indices `wanted`, each (H, W, 3) uint8 RGB, upright, at full size, one at a time.

    starts: (n,) seconds, ascending, when each frame of the video appears.
    wanted: (u,) int64 in [0, n), ascending, each once.
    first:  (H, W, 3) uint8, frame 0 upright, from another decoder: what decord shows must look like it.

    Raises CannotReadError at any point, even after the last frame, and then none of them may be used.
    """
    try:
        reader = _watched(_open, path, starts)
        for index, frame in _read_in_order(reader, len(starts), wanted):
            if index == 0:
                _check_alike(frame, first)
            if index in wanted:
                yield frame
    except Exception as error:  # decord raises errors of its own, ImportError, OSError, RuntimeError, AssertionError
        raise CannotReadError(str(error) or type(error).__name__) from error


def _open(path: Path, starts: np.ndarray):
    """A VideoReader that counts and times the frames like `starts`, else an exception."""
    decord = _imported()
    if "%" in str(path):
        raise ValueError("FFmpeg could take this file name for the pattern of an image sequence")
    reader = decord.VideoReader(str(path.absolute()), ctx=decord.cpu(0), num_threads=2, fault_tol=_ANY_REPEAT)
    if len(reader) != len(starts):
        raise ValueError(f"decord counts {len(reader)} frames, the index {len(starts)}")
    times = reader.get_frame_timestamp(np.arange(len(starts)))[:, 0]  # (n,)
    if not np.allclose(times - times[0], starts - starts[0], rtol=0, atol=_TIME_S):
        raise ValueError("decord and the index disagree on the times")
    return reader


def _imported() -> ModuleType:
    """decord, without CUDA: it would load every library under `nvidia`, 3 GB of the address space of a process that has
    4 for all. ImportError where it is not installed; PyAV reads everything then."""
    known = {"nvidia": sys.modules["nvidia"]} if "nvidia" in sys.modules else {}
    sys.modules["nvidia"] = None  # type: ignore[assignment]  # is not installed, as far as an import can tell
    try:
        import decord
    finally:
        del sys.modules["nvidia"]
        sys.modules.update(known)
    return decord


def _read_in_order(reader, num_frames: int, wanted: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Go from frame 0 to the last one; the index and the pixels of those wanted and of those that must be read."""
    keys = np.array(reader.get_key_indices(), dtype=np.int64)
    stops = [np.array([0, num_frames - 1]), wanted, keys[keys > 0] - 1]
    here = 0
    for stop in np.unique(np.concatenate(stops)).tolist():
        if stop > here:
            # No key frame is in here + 1 ... stop, or there would be a stop before it.
            _watched(reader.skip_frames, stop - here)
        frame = _watched(reader.next)
        here = stop + 1
        if stop == 0 or stop in wanted:
            yield stop, frame.asnumpy()


def _check_alike(frame: np.ndarray, first: np.ndarray) -> None:
    """Raise ValueError if size, orientation or colours differ."""
    if frame.shape != first.shape:
        raise ValueError(f"decord gives frames of shape {frame.shape} instead of {first.shape}")
    difference = float(np.abs(frame[::2, ::2].astype(np.int16) - first[::2, ::2]).mean())
    if difference > _LEVELS:
        raise ValueError(f"decord's first frame is {difference:.1f} levels off")


def _watched(call: Callable, *args) -> Any:
    """What the call returns or raises; TimeoutError where it stands still, and then its thread is left behind."""
    ended: queue.SimpleQueue = queue.SimpleQueue()

    def work() -> None:
        try:
            ended.put((call(*args), None))
        except Exception as error:
            ended.put((None, error))

    threading.Thread(target=work, daemon=True).start()
    used = time.process_time()
    while True:
        try:
            result, error = ended.get(timeout=_STILL_S)
        except queue.Empty:
            before, used = used, time.process_time()
            if used - before < _LEAST_SHARE * _STILL_S:
                raise TimeoutError("decord stands still") from None
            continue
        if error is not None:
            raise error
        return result
