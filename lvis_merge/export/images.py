"""Where the images of an export are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from lvis_merge.image_roots import ImageRoot, find_image


def image_paths(images: pa.Table, roots: Sequence[ImageRoot]) -> list[Path | None]:
    """Looks for images.

    Args:
        images: `schema.IMAGES`.
        roots: folders tried in turn.

    Returns:
        The absolute path of each image; None where no root has it.
    """
    names = (images[name].to_pylist() for name in ("file_name", "source"))
    found = (find_image(name, source, roots) for name, source in zip(*names, strict=True))
    return [path.absolute() if path else None for path in found]
