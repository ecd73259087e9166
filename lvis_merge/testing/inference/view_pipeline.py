"""A recipe's evaluation pipeline, made to give several views of each image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lvis_merge.errors import InputError
from lvis_merge.testing.inference.views import Scale

_RESIZE = "Resize"


def view_pipeline(
    transforms: Sequence[dict[str, Any]], scales: Sequence[Scale], flip: bool
) -> list[dict[str, Any]]:
    """Puts sizes and mirroring into a pipeline, by mmcv's TestTimeAug.

    The image is read once; resized, mirrored, padded and packed for each view. Mirroring comes
    right after resizing: padding stays to the right and below.

    Args:
        transforms: of the recipe's `val_dataloader`, with one `Resize`.
        scales: to test at; none: the recipe's own.
        flip: whether each scale is tested mirrored too.

    Returns:
        A pipeline whose samples have lists as `inputs` and `data_samples`, one entry per view:
        scale by scale, mirrored last.

    Raises:
        InputError: no `Resize`, or more than one.
    """
    places = [place for place, one in enumerate(transforms) if one.get("type") == _RESIZE]
    if len(places) != 1:
        names = ", ".join(str(one.get("type")) for one in transforms)
        raise InputError(
            f"val_dataloader's pipeline has {len(places)} transforms {_RESIZE} ({names}); test"
            " changes the scale of one. Correct the recipe."
        )
    place = places[0]
    own = dict(transforms[place])
    sizes = [{**own, "scale": (scale.long, scale.short), "keep_ratio": True} for scale in scales]
    flips = [{"type": "RandomFlip", "prob": float(mirrored)} for mirrored in range(1 + flip)]
    after = [[dict(one)] for one in transforms[place + 1 :]]
    views = {"type": "TestTimeAug", "transforms": [sizes or [own], flips, *after]}
    return [*map(dict, transforms[:place]), views]
