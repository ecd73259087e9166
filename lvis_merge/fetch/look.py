"""Which of the wanted images are there already, and whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from lvis_merge.fetch.check import check_image
from lvis_merge.fetch.ledger import Ledger
from lvis_merge.fetch.place import Place
from lvis_merge.fetch.trouble import Reason, Trouble
from lvis_merge.fetch.wanted import Wanted
from lvis_merge.image_roots import ImageRoot
from lvis_merge.sources.sizes import StoredSize

_THREADS = 8  # a look at a file is mostly waiting, where the folder is on a network


@dataclass
class Looked:
    """What is there.

    Attributes:
        sizes: stored sizes of images that are there, by file name.
        missing: images to download, in the order given.
        damaged: files below the root that are no image, and were set aside.
    """

    sizes: dict[str, StoredSize] = field(default_factory=dict)
    missing: list[Wanted] = field(default_factory=list)
    damaged: list[Path] = field(default_factory=list)


def look(
    images: Sequence[Wanted],
    place: Place,
    roots: Sequence[ImageRoot],
    ledger: Ledger,
    advance: Callable[[int], None],
) -> Looked:
    """Looks for images in the root and in the other image roots, in this order.

    A file that is not as the ledger has it is decoded. Below the root, one that is no image is set
    aside, and one of another size than the manifest's is left until a better one takes its name.

    Args:
        images: what is wanted.
        place: the root.
        roots: other folders.
        ledger: notes on files that were checked.
        advance: is told of each image.

    Returns:
        What is there.
    """
    looked = Looked()

    def one(image: Wanted) -> tuple[StoredSize | None, Path | None]:
        own = place.path(image.file_name)
        others = [root for root in roots if root.source in (None, image.source)]
        damaged = None
        for path in (own, *(root.folder / image.file_name for root in others)):
            if not path.is_file():
                continue
            try:
                return _checked(path, image, ledger), damaged
            except Trouble as trouble:
                if path == own and trouble.reason is not Reason.wrong_size:
                    place.set_aside(path)
                    damaged = path
        return None, damaged

    with ThreadPoolExecutor(_THREADS) as threads:
        for image, (size, damaged) in zip(images, threads.map(one, images), strict=True):
            if damaged is not None:
                looked.damaged.append(damaged)
            if size is None:
                looked.missing.append(image)
            else:
                looked.sizes[image.file_name] = size
            advance(1)
    return looked


def _checked(path: Path, image: Wanted, ledger: Ledger) -> StoredSize:
    size = ledger.size_of(path)
    if size is not None:
        if image.width is None or image.height is None or size.fits(image.width, image.height):
            return size
        raise Trouble(Reason.wrong_size, f"{size.width} x {size.height}")
    state = path.stat()
    size = check_image(path.read_bytes(), image.width, image.height)
    ledger.note(path, state, size)
    return size
