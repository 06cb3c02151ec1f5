"""Methods by name: how to make each, its paper, and its settings as plain data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from inspect import Parameter, signature

from aim_core.config import AimConfig
from aim_core.methods import knobs
from aim_core.methods.ablations import merge_only, prune_only
from aim_core.methods.across_frames import across_frames
from aim_core.methods.aim import aim_method
from aim_core.methods.aim_text import aim_text
from aim_core.methods.average_pooling import average_pooling
from aim_core.methods.base import Method
from aim_core.methods.divprune import divprune
from aim_core.methods.dycoke import dycoke
from aim_core.methods.evs import evs
from aim_core.methods.fastv import fastv
from aim_core.methods.fastvid import fastvid
from aim_core.methods.fewer_frames import fewer_frames
from aim_core.methods.flashvid import flashvid
from aim_core.methods.framefusion import framefusion
from aim_core.methods.holitom import holitom
from aim_core.methods.prumerge import prumerge, prumerge_plus
from aim_core.methods.pyramid_drop import pyramid_drop
from aim_core.methods.random_patches import random_patches
from aim_core.methods.sparsevlm import sparsevlm
from aim_core.methods.tome import tome
from aim_core.methods.tome_in_tower import tome_in_tower
from aim_core.methods.tome_over_frames import tome_over_frames
from aim_core.methods.uniform import uniform
from aim_core.methods.v_cast import v_cast
from aim_core.methods.vidcom2 import vidcom2
from aim_core.methods.visionzip import visionzip
from aim_core.methods.vtw import vtw


@dataclass(frozen=True)
class MethodEntry:
    """A method that can be made by name.

    make:    its settings, by keyword → the method.
    title:   as it is called in its paper.
    paper:   the paper's arXiv id; "" for a baseline without one.
    variant: what differs from the method as released; "" for nothing.
    knob:    the setting that a budget may move (`aim_core.budget`).
    """

    make: Callable[..., Method]
    title: str
    paper: str = ""
    variant: str = ""
    knob: knobs.Knob = knobs.SHARE

    @property
    def settings(self) -> dict[str, float | int | str]:
        """Its settings with their defaults, as plain data."""
        parameters = signature(self.make).parameters.values()
        return {one.name: one.default for one in parameters if one.default is not Parameter.empty}


def _aim(keep_ratio: float = 0.25, l1: int = 14, l2: int = 22) -> Method:
    return aim_method(AimConfig(keep_ratio, l1, l2))


_PRUMERGE = "by attention and keys averaged over heads, behind the projector; a patch is added to one token alone"
METHODS = {
    "aim": MethodEntry(_aim, "AIM", "2412.03248", knob=knobs.AIM),
    "merge_only": MethodEntry(merge_only, "AIM, merging only", "2412.03248"),
    "prune_only": MethodEntry(prune_only, "AIM, pruning only", "2412.03248", knob=knobs.SCHEDULE),
    "aim_text": MethodEntry(
        aim_text, "AIM, text pruned too", "2412.03248", "text tokens leave as well; AIM keeps all of them", knobs.AIM
    ),
    "across_frames": MethodEntry(
        across_frames,
        "AIM across frames",
        "2412.03248",
        "merged through time, which the paper leaves open",
        knobs.AIM,
    ),
    "fastv": MethodEntry(fastv, "FastV", "2403.06764", "scored as its paper says, not as its code does", knobs.FASTV),
    "pyramid_drop": MethodEntry(
        pyramid_drop,
        "PyramidDrop",
        "2410.17247",
        "tokens keep their positions; the released code numbers them anew",
        knobs.PYRAMID,
    ),
    "sparsevlm": MethodEntry(
        sparsevlm,
        "SparseVLM",
        "2410.04417",
        "first version; positions are kept, the released code numbers tokens anew",
        knobs.SPARSEVLM,
    ),
    "vtw": MethodEntry(vtw, "VTW", "2405.05803", "the layer is given, not searched for", knobs.LAYER),
    "evs": MethodEntry(evs, "EVS", "2510.14624", "features are compared, as vLLM does; the paper compares pixels"),
    "vidcom2": MethodEntry(vidcom2, "VidCom²", "2505.14454"),
    "v_cast": MethodEntry(v_cast, "V-CAST", "2603.27650"),
    "tome": MethodEntry(tome, "ToMe", "2210.09461", "after the vision tower, not in its layers"),
    "tome_in_tower": MethodEntry(
        tome_in_tower,
        "ToMe in the tower",
        "2210.09461",
        "patches take their token's feature where the tower ends, are pooled as the model does, then joined once more",
    ),
    "tome_over_frames": MethodEntry(
        tome_over_frames, "ToMe over frames", "2210.09461", "after the vision tower, in windows of frames"
    ),
    "prumerge": MethodEntry(prumerge, "LLaVA-PruMerge", "2403.15388", _PRUMERGE),
    "prumerge_plus": MethodEntry(prumerge_plus, "LLaVA-PruMerge+", "2403.15388", _PRUMERGE),
    "visionzip": MethodEntry(visionzip, "VisionZip", "2412.04467", "behind the projector, tokens in raster order"),
    "fastvid": MethodEntry(
        fastvid, "FastVID", "2503.11187", "frame means and attention received for the tower's pooling head"
    ),
    "holitom": MethodEntry(holitom, "HoliTom", "2505.21334", "tokens in raster order"),
    "flashvid": MethodEntry(flashvid, "FlashVID", "2602.08024"),
    "framefusion": MethodEntry(
        framefusion, "FrameFusion", "2501.01986", "its steps come before a layer, not inside the one before", knobs.COST
    ),
    "divprune": MethodEntry(divprune, "DivPrune", "2503.02175"),
    "dycoke": MethodEntry(dycoke, "DyCoke", "2411.15024", "temporal merging alone, nothing at decoding", knobs.DYCOKE),
    "random": MethodEntry(random_patches, "random patches"),
    "uniform": MethodEntry(uniform, "every n-th patch"),
    "average_pooling": MethodEntry(average_pooling, "average pooling", knob=knobs.SIDE),
    "fewer_frames": MethodEntry(fewer_frames, "fewer frames", knob=knobs.FRAMES),
}


def make_method(name: str, **settings) -> Method:
    """The method of this name with its settings as released, but for those given; positions, mode and drop_text by
    `dataclasses.replace`.

    Raises ValueError for a name or a setting that there is none of, or a value that does not fit.
    """
    if name not in METHODS:
        raise ValueError(f"there is no method {name!r}: choose one of {', '.join(METHODS)}")
    entry = METHODS[name]
    if unknown := set(settings) - set(entry.settings):
        raise ValueError(f"{name} has no setting {min(unknown)!r}: it has {', '.join(entry.settings)}")
    return entry.make(**settings)
