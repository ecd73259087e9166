"""A dataset's transforms, built, with those refused that would spoil a sample silently."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

# registers mmdet's transforms, which every pipeline is made of
import mmdet.datasets.transforms  # noqa: F401
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope

from lvis_merge.errors import InputError
from lvis_merge.training.data.load_annotations import LoadManifestAnnotations
from lvis_merge.training.data.load_image import LoadManifestImage
from lvis_merge.training.data.pack import PackManifestInputs

_OURS = {
    "LoadImageFromFile": LoadManifestImage.__name__,
    "LoadAnnotations": LoadManifestAnnotations.__name__,
    "PackDetInputs": PackManifestInputs.__name__,
}
"""mmdet's transforms that find nothing in a manifest's sample, or lose what it has."""


def build_pipeline(transforms: Sequence[Any]) -> Compose:
    """Builds transforms from their configs, whatever the default scope is.

    Args:
        transforms: configs or callables, in order.

    Raises:
        InputError: one of mmdet's loading transforms, or RandomShift with masks.
    """
    configs = list(_configs(transforms))
    for name, _ in configs:
        if name in _OURS:
            raise InputError(
                f"pipeline: {name} does not know manifests and would lose objects. Use"
                f" {_OURS[name]}."
            )
    with_mask = any(
        name == LoadManifestAnnotations.__name__ and config.get("with_mask", True)
        for name, config in configs
    )
    if with_mask and any(name == "RandomShift" for name, _ in configs):
        raise InputError(
            "pipeline: RandomShift moves the image and the boxes, but not the masks. Use"
            " TranslateX and TranslateY, or load no masks (with_mask=False)."
        )
    with DefaultScope.overwrite_default_scope("mmdet"):
        return Compose(transforms)


def _configs(value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """The configs in a pipeline with their type's name, nested ones too."""
    if isinstance(value, dict):
        kind = value.get("type")
        if kind is not None:
            yield getattr(kind, "__name__", str(kind)).rpartition(".")[2], value
        for part in value.values():
            yield from _configs(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _configs(part)
