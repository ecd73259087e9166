"""Which files of the Open Images folder are there, under the names they are published by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lvis_merge.errors import InputError
from lvis_merge.sources.files import base_name, in_thread, is_remote

SUBSETS = ("train", "validation", "test")
_ARCHIVES = ("", ".gz", ".zip")

_BOXES = {
    "train": ("train-annotations-bbox.csv", "oidv6-train-annotations-bbox.csv"),
    "validation": ("validation-annotations-bbox.csv",),
    "test": ("test-annotations-bbox.csv",),
}
_IMAGES = {
    "train": ("train-images-boxable-with-rotation.csv",),
    "validation": ("validation-images-with-rotation.csv",),
    "test": ("test-images-with-rotation.csv",),
}
_LABELS = {
    subset: (
        f"{subset}-annotations-human-imagelabels-boxable.csv",
        f"oidv7-{subset}-annotations-human-imagelabels-boxable.csv",
    )
    for subset in SUBSETS
}
_MASKS = {subset: (f"{subset}-annotations-object-segmentation.csv",) for subset in SUBSETS}
PLAIN_CLASSES = "class-descriptions-boxable.csv"
_CLASSES = (PLAIN_CLASSES, "oidv7-class-descriptions-boxable.csv")
_HIERARCHY = ("bbox_labels_600_hierarchy.json",)


@dataclass(frozen=True)
class SubsetFiles:
    """The files of one subset, as paths or URLs.

    Attributes:
        subset: train, validation or test.
        boxes: the box CSV.
        images: the image list with rotations, or None.
        labels: the human-verified image labels, or None.
        masks: the list of instance masks, or None; their files are beside it, so in a local folder
            only.
    """

    subset: str
    boxes: str
    images: str | None
    labels: str | None
    masks: str | None = None


@dataclass(frozen=True)
class OpenImagesFiles:
    """All files of the folder that a build reads.

    Attributes:
        subsets: those that have a box CSV, in the order train, validation, test.
        classes: the class list.
        hierarchy: the class hierarchy, or None.
    """

    subsets: tuple[SubsetFiles, ...]
    classes: str
    hierarchy: str | None

    def all_files(self) -> Iterator[tuple[str, str]]:
        """(role, path) of every file, in a fixed order."""
        yield "openimages/classes", self.classes
        if self.hierarchy:
            yield "openimages/hierarchy", self.hierarchy
        for files in self.subsets:
            for kind in ("boxes", "images", "labels", "masks"):
                if path := getattr(files, kind):
                    yield f"openimages/{files.subset}/{kind}", path

    def missing(self) -> list[str]:
        """What the absence of optional files costs, one sentence each."""
        costs = []
        if all(files.subset != "train" for files in self.subsets):
            costs.append(f"no {_BOXES['train'][0]}: no image of its train subset")
        if any(files.images is None for files in self.subsets):
            costs.append(
                "no image list: no Flickr ids (leakage is checked by image id alone), rotations,"
                " authors or licences of Open Images"
            )
        if any(files.labels is None for files in self.subsets):
            costs.append("no verified image labels: nothing is known to be absent")
        if self.hierarchy is None:
            costs.append("no hierarchy: an absent class says nothing about its descendants")
        return costs


def find_files(folder: str) -> OpenImagesFiles:
    """Finds the files of an Open Images folder.

    Args:
        folder: a local folder or a URL that can be listed, such as `s3://bucket/prefix`.

    Raises:
        InputError: no such folder, no box CSV, no class list, two files of one kind.
    """
    names = _list(folder)

    def pick(candidates: tuple[str, ...]) -> str | None:
        present = [name + end for name in candidates for end in _ARCHIVES if name + end in names]
        if len(present) > 1:
            raise InputError(
                f"{folder}: holds {' and '.join(present)}, two files of one kind. Keep one of them."
            )
        return names[present[0]] if present else None

    subsets = []
    for subset in SUBSETS:
        if boxes := pick(_BOXES[subset]):
            # the masks themselves are many small files, which are read from a local folder only
            masks = None if is_remote(folder) else pick(_MASKS[subset])
            subsets.append(
                SubsetFiles(subset, boxes, pick(_IMAGES[subset]), pick(_LABELS[subset]), masks)
            )
    if not subsets:
        raise InputError(
            f"{folder}: no box file. Expected {_BOXES['train'][0]} (or validation-, test-)"
            " from the Open Images download page, plain, .gz or .zip."
        )
    classes = pick(_CLASSES)
    if classes is None:
        raise InputError(
            f"{folder}: no class list. Expected {PLAIN_CLASSES} from the Open Images download page."
        )
    return OpenImagesFiles(tuple(subsets), classes, pick(_HIERARCHY))


def _list(folder: str) -> dict[str, str]:
    """Base name -> path of the folder's files."""
    if folder.startswith(("http://", "https://")):
        raise InputError(
            f"{folder}: a web server does not list its files. Download them into a folder, or give"
            " one in an object store, such as s3://bucket/prefix."
        )
    if is_remote(folder):
        import daft

        try:
            listing = daft.from_glob_path(f"{folder.rstrip('/')}/*")
            paths = in_thread(lambda: listing.to_pydict()["path"])
        except Exception as error:  # daft wraps what the object store says in types of its own
            reason = (str(error).strip().splitlines() or [""])[0]
            raise InputError(f"{folder}: cannot be listed ({reason}). Check the URL.") from error
        return {base_name(path): path for path in paths}
    if not Path(folder).is_dir():
        raise InputError(f"{folder}: no such folder. Give the folder that holds the CSV files.")
    return {path.name: str(path) for path in Path(folder).iterdir() if path.is_file()}
