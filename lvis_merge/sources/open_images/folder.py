"""Which files of the Open Images folder are there, under the names they are published by.

The large tables may be in parts, CSV or Parquet: `NAME.csv` and `NAME.parquet` can be a file, a
folder of files as Spark and daft write it, or files `NAME-00000-of-00016.csv`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lvis_merge.errors import InputError
from lvis_merge.sources.files import base_name, in_thread, is_remote

SUBSETS = ("train", "validation", "test")
_ARCHIVES = ("", ".gz", ".zip")
_PART = re.compile(
    r"(?P<stem>.+)-(?P<number>\d{4,6})-of-(?P<parts>\d{4,6})(?P<end>\.(?:csv|parquet))"
)

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
_PATTERNS = ("*", "*.csv/*", "*.parquet/*")
PLAIN_CLASSES = "class-descriptions-boxable.csv"
_CLASSES = (PLAIN_CLASSES, "oidv7-class-descriptions-boxable.csv")
_HIERARCHY = ("bbox_labels_600_hierarchy.json",)


@dataclass(frozen=True)
class SubsetFiles:
    """The files of one subset, as paths or URLs.

    Attributes:
        subset: train, validation or test.
        boxes: the box table, one file or its parts.
        images: the image list with rotations; empty where there is none.
        labels: the human-verified image labels; empty where there are none.
        masks: the list of instance masks, or None; their files are beside it, so in a local folder
            only.
    """

    subset: str
    boxes: tuple[str, ...]
    images: tuple[str, ...]
    labels: tuple[str, ...]
    masks: str | None = None


@dataclass(frozen=True)
class OpenImagesFiles:
    """All files of the folder that a build reads.

    Attributes:
        subsets: those that have a box table, in the order train, validation, test.
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
            masks = (files.masks,) if files.masks else ()
            named = (
                ("boxes", files.boxes), ("images", files.images), ("labels", files.labels),
                ("masks", masks),
            )  # fmt: skip
            for kind, paths in named:
                for path in paths:
                    yield f"openimages/{files.subset}/{kind}", path

    def tables(self) -> Iterator[str]:
        """The files that are read by ranges: boxes, image lists and labels."""
        for files in self.subsets:
            yield from (*files.boxes, *files.images, *files.labels)

    def missing(self) -> list[str]:
        """What the absence of optional files costs, one sentence each."""
        costs = []
        if all(files.subset != "train" for files in self.subsets):
            costs.append(f"no {_BOXES['train'][0]}: no image of its train subset")
        if any(not files.images for files in self.subsets):
            costs.append(
                "no image list: no Flickr ids (leakage is checked by image id alone), rotations,"
                " authors or licences of Open Images"
            )
        if any(not files.labels for files in self.subsets):
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
    found = _Listing(folder, _list(folder))
    subsets = []
    for subset in SUBSETS:
        if boxes := found.table(_BOXES[subset]):
            images, labels = found.table(_IMAGES[subset]), found.table(_LABELS[subset])
            # the masks themselves are many small files, which are read from a local folder only
            masks = None if is_remote(folder) else found.file(_MASKS[subset])
            subsets.append(SubsetFiles(subset, boxes, images, labels, masks))
    if not subsets:
        raise InputError(
            f"{folder}: no box file. Expected {_BOXES['train'][0]} (or validation-, test-)"
            " from the Open Images download page, plain, .gz or .zip."
        )
    classes = found.file(_CLASSES)
    if classes is None:
        raise InputError(
            f"{folder}: no class list. Expected {PLAIN_CLASSES} from the Open Images download page."
        )
    return OpenImagesFiles(tuple(subsets), classes, found.file(_HIERARCHY))


@dataclass(frozen=True)
class _Listing:
    """What is in the folder.

    Attributes:
        folder: as given.
        paths: name -> path of each file; those one folder deeper are `folder/name`.
    """

    folder: str
    paths: dict[str, str]

    def file(self, candidates: tuple[str, ...]) -> str | None:
        """The file of one kind, plain or packed."""
        names = [name + end for name in candidates for end in _ARCHIVES if name + end in self.paths]
        return self.paths[self._only(names)] if names else None

    def table(self, candidates: tuple[str, ...]) -> tuple[str, ...]:
        """The file of one kind, or its parts in the order of their names."""
        files: dict[str, list[str]] = {}
        for stem in (name.removesuffix(".csv") for name in candidates):
            whole = {f"{stem}.parquet", *(f"{stem}.csv{end}" for end in _ARCHIVES)}
            for name in sorted(self.paths):
                parent, _, part = name.rpartition("/")
                numbered = _PART.fullmatch(name)
                if name in whole:
                    files[name] = [name]
                elif parent in whole and not part.startswith(("_", ".")):  # Spark's marks
                    files.setdefault(f"{parent}/", []).append(name)
                elif numbered and numbered["stem"] == stem:
                    kind = f"{stem}-*-of-{numbered['parts']}{numbered['end']}"
                    files.setdefault(kind, []).append(name)
        if not files:
            return ()
        names = files[self._only(list(files))]
        self._check_numbered(names)
        return tuple(self.paths[name] for name in names)

    def _only(self, names: list[str]) -> str:
        if len(names) > 1:
            raise InputError(
                f"{self.folder}: holds {' and '.join(names)}, two files of one kind. Keep one of"
                " them."
            )
        return names[0]

    def _check_numbered(self, names: list[str]) -> None:
        if not (last := _PART.fullmatch(names[-1])):
            return
        there = {int(part["number"]) for name in names if (part := _PART.fullmatch(name))}
        missing = [number for number in range(int(last["parts"])) if number not in there]
        if missing:
            raise InputError(
                f"{self.folder}: of the {int(last['parts'])} parts of {last['stem']}{last['end']},"
                f" part {missing[0]:05} is missing. Put it there."
            )


def _list(folder: str) -> dict[str, str]:
    """Name -> path of the folder's files, and of those in folders that are named like a table."""
    if folder.startswith(("http://", "https://")):
        raise InputError(
            f"{folder}: a web server does not list its files. Download them into a folder, or give"
            " one in an object store, such as s3://bucket/prefix."
        )
    if is_remote(folder):
        import daft

        try:
            inside = [f"{folder.rstrip('/')}/{pattern}" for pattern in _PATTERNS]
            paths = in_thread(lambda: daft.from_glob_path(inside).to_pydict()["path"])
        except Exception as error:  # daft wraps what the object store says in types of its own
            reason = (str(error).strip().splitlines() or [""])[0]
            raise InputError(f"{folder}: cannot be listed ({reason}). Check the URL.") from error
        return {base_name(path): path for path in paths}
    if not Path(folder).is_dir():
        raise InputError(f"{folder}: no such folder. Give the folder that holds the CSV files.")
    found = (path for pattern in _PATTERNS for path in Path(folder).glob(pattern))
    return {base_name(path): str(path) for path in found if path.is_file()}
