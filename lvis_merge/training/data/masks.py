"""Instance masks that know which of them are masks, through all of mmdet's transforms.

Box-only objects stand among the masked ones. mmdet's containers need a mask of each object, so a
box-only object's is its own box filled: it moves, is cut and is filtered as its box is. `has_mask`
tells the two apart; what learns from masks must ask it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from mmdet.structures.mask import BitmapMasks, PolygonMasks
from mmdet.structures.mask.structures import BaseInstanceMasks


class ManifestMasks(BaseInstanceMasks):
    """What the two containers add to mmdet's: `has_mask` goes wherever the masks go.

    Attributes:
        has_mask: bool [N]; False: the mask is a filled box.
    """

    has_mask: np.ndarray

    def _carry(self, masks: Any) -> Self:
        """The same objects after a change of their geometry, mmdet's container made ours."""
        return type(self)(masks.masks, masks.height, masks.width, self.has_mask)

    def __getitem__(self, index: Any) -> Self:
        """Some objects, by integer, slice, list, or array of bool or int."""
        some = super().__getitem__(index)
        return type(self)(some.masks, some.height, some.width, np.atleast_1d(self.has_mask[index]))

    def rescale(self, *args: Any, **kwargs: Any) -> Self:
        """See mmdet."""
        return self._carry(super().rescale(*args, **kwargs))

    def resize(self, *args: Any, **kwargs: Any) -> Self:
        """See mmdet."""
        return self._carry(super().resize(*args, **kwargs))

    def flip(self, *args: Any, **kwargs: Any) -> Self:
        """See mmdet."""
        return self._carry(super().flip(*args, **kwargs))

    def pad(self, *args: Any, **kwargs: Any) -> Self:
        """See mmdet."""
        return self._carry(super().pad(*args, **kwargs))

    def crop(self, *args: Any, **kwargs: Any) -> Self:
        """See mmdet."""
        return self._carry(super().crop(*args, **kwargs))

    def expand(self, *args: Any, **kwargs: Any) -> Self:
        """See mmdet."""
        return self._carry(super().expand(*args, **kwargs))

    def translate(self, *args: Any, **kwargs: Any) -> Self:
        """See mmdet."""
        return self._carry(super().translate(*args, **kwargs))

    def shear(self, *args: Any, **kwargs: Any) -> Self:
        """See mmdet."""
        return self._carry(super().shear(*args, **kwargs))

    def rotate(self, *args: Any, **kwargs: Any) -> Self:
        """See mmdet."""
        return self._carry(super().rotate(*args, **kwargs))

    @classmethod
    def cat(cls, masks: Sequence[Self]) -> Self:
        """Puts the objects of several containers of one size into one."""
        entries = [entry for some in masks for entry in some.masks]
        has_mask = np.concatenate([some.has_mask for some in masks])
        return cls(entries, masks[0].height, masks[0].width, has_mask)


class ManifestPolygonMasks(ManifestMasks, PolygonMasks):
    """`PolygonMasks` with `has_mask`.

    Args:
        masks: parts by object; a part is x0, y0, x1, y1, … in pixels.
        height: of the image.
        width: of the image.
        has_mask: bool [N].
    """

    def __init__(
        self, masks: list[list[np.ndarray]], height: int, width: int, has_mask: np.ndarray
    ) -> None:
        super().__init__(masks, height, width)
        self.has_mask = has_mask

    def expand(self, expanded_h: int, expanded_w: int, top: int, left: int) -> Self:
        """Puts the image into a larger one; mmdet has it for bitmaps only."""
        return self.translate((expanded_h, expanded_w), (left, top), "both")


class ManifestBitmapMasks(ManifestMasks, BitmapMasks):
    """`BitmapMasks` with `has_mask`.

    Args:
        masks: uint8 [N, height, width], or a list of uint8 [height, width].
        height: of the image.
        width: of the image.
        has_mask: bool [N].
    """

    def __init__(
        self, masks: np.ndarray | list[np.ndarray], height: int, width: int, has_mask: np.ndarray
    ) -> None:
        super().__init__(masks, height, width)
        self.has_mask = has_mask
