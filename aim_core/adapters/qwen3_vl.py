"""Qwen3-VL: as Qwen2-VL, with features of earlier vision layers added to the first decoder layers (deepstack)."""

from __future__ import annotations

from transformers import Qwen3VLForConditionalGeneration

from aim_core.adapters.call import Call
from aim_core.adapters.qwen2_vl import Qwen2VLAdapter
from aim_core.ops.flops import vision_flops


class Qwen3VLAdapter(Qwen2VLAdapter):
    """Wraps a stock `Qwen3VLForConditionalGeneration`.

    Deepstack features are merged in the same groups as the visual tokens they belong to. Each is added to all
    visual tokens after its layer, so none may be missing before the last of them.
    """

    model_class = Qwen3VLForConditionalGeneration

    @property
    def first_droppable(self) -> int:
        return len(self.model.config.vision_config.deepstack_visual_indexes)

    def vision_flops(self, call: Call) -> int:
        vision = self.model.config.vision_config
        tower = (vision.hidden_size, vision.intermediate_size, vision.depth, self._patch_dim)
        planes = sum(vision_flops(planes, rows * columns, *tower) for planes, rows, columns in self._grids(call))
        return planes + self._merger_flops(call)
