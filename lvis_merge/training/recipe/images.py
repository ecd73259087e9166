"""Are the images there? Looked at before a model is built, or a job dies after minutes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lvis_merge import manifest as manifests
from lvis_merge.errors import InputError
from lvis_merge.image_roots import find_image, image_roots
from lvis_merge.training.recipe.build import build_dataset
from lvis_merge.training.recipe.machine import Say

if TYPE_CHECKING:
    from mmengine.config import Config

SAMPLE = 1000
"""Images looked for per source: spread evenly, so that a missing folder is seen, and cheap on a
file server."""

_SHOWN = 3


@dataclass(frozen=True)
class MissingImages:
    """Images of one source that no root has.

    Attributes:
        source: lvis, open_images, …
        looked_for: how many were looked for.
        images: how many there are of that source.
        names: the file names not found, in manifest order.
    """

    source: str
    looked_for: int
    images: int
    names: tuple[str, ...]

    def __str__(self) -> str:
        names = ", ".join(self.names[:_SHOWN])
        more = ", …" if len(self.names) > _SHOWN else ""
        of = "" if self.looked_for == self.images else f" looked for (of {self.images:,})"
        return (
            f"{self.source}: {len(self.names):,} of {self.looked_for:,} images{of} are missing:"
            f" {names}{more}"
        )


def missing_images(
    manifest: str, image_ids: NDArray[np.int64], roots: Sequence[str], sample: int = SAMPLE
) -> list[MissingImages]:
    """Looks for images of a manifest.

    Args:
        manifest: its folder.
        image_ids: int64 [I], the images wanted.
        roots: `[SOURCE=]DIR` values.
        sample: images looked for at most, of each source; all where it has fewer.

    Returns:
        One entry per source that lacks images.
    """
    images = manifests.open(manifest).arrow("images", ["image_id", "source", "file_name"])
    images = images.filter(pc.is_in(images["image_id"], value_set=pa.array(image_ids)))
    folders = image_roots(roots)
    found = []
    for source in sorted(pc.unique(images["source"]).to_pylist()):
        names = images.filter(pc.equal(images["source"], source))["file_name"]
        number = min(sample, len(names))
        places = np.linspace(0, len(names) - 1, number).round().astype(np.int64)
        chosen = names.take(pa.array(places)).to_pylist()
        lost = tuple(name for name in chosen if find_image(name, source, folders) is None)
        if lost:
            found.append(MissingImages(source, number, len(names), lost))
    return found


def check_images(config: Config, say: Say) -> None:
    """Stops a run whose images are not there: those that its training and evaluation data serve.

    Args:
        config: of `resolve`; the classes it names are registered.
        say: told of missing images that the training data leaves out (`on_missing='skip'`).

    Raises:
        InputError: images are missing; says how many, which and where they were looked for. Or a
            data set cannot be built.
    """
    if not config.image_roots:
        raise InputError(
            "Training reads images: give --image-root DIR, or --image-root SOURCE=DIR for each"
            " source. --dry-run needs none."
        )
    tree = config.to_dict()
    for name in ("train_dataloader", "val_dataloader"):
        if not (loader := tree.get(name)):
            continue
        dataset = build_dataset(loader, name)
        if not hasattr(dataset, "image_ids"):  # a data set of the user's own
            continue
        missing = missing_images(config.manifest, dataset.image_ids, config.image_roots)
        skips = loader["dataset"].get("on_missing") == "skip"
        fatal = [one for one in missing if not skips or len(one.names) == one.looked_for]
        if fatal:
            raise InputError(
                "\n".join(map(str, fatal))
                + f"\nLooked in {', '.join(config.image_roots)}. Correct --image-root"
                " ([SOURCE=]DIR, repeatable): file names are below it."
            )
        for one in missing:
            say(f"{one}; left out, as on_missing says")
