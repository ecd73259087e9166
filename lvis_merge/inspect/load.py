"""Loads a manifest into FiftyOne, once: an unchanged one is opened as it is, tags and all.

FiftyOne's own `add_samples` takes an hour for a full manifest. Its import of a data set folder is
45 times as fast, so such a folder is written: FiftyOne exports a seed with one image, which fixes
fields, views and colours, and the documents of all images take the place of its one.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.image_roots import ImageRoot
from lvis_merge.inspect.app_fields import arrange_app, declare_fields
from lvis_merge.inspect.database import inspect_folder
from lvis_merge.inspect.documents import DocumentWriter, ImageFile
from lvis_merge.inspect.image_files import image_files
from lvis_merge.inspect.label_texts import LabelTexts, label_texts
from lvis_merge.inspect.loaded import (
    INFO_KEY,
    manifest_digest,
    partial_name,
    remove_leftovers,
    remove_older,
)
from lvis_merge.inspect.predictions import LEAST_SCORE, predictions
from lvis_merge.inspect.sample_file import write_samples
from lvis_merge.inspect.selection import Selection, chosen_images
from lvis_merge.inspect.views import save_views
from lvis_merge.manifest import Manifest
from lvis_merge.progress import Stages
from lvis_merge.sources.files import base_name, is_remote, temporary_folder

if TYPE_CHECKING:
    import fiftyone as fo

_LAYOUT = 5
"""Of the documents; another one is loaded anew."""

_BOX_COLUMNS = ("image_id", "category_id", "source", "role", "ignore_reason")
_FILE_COLUMNS = ("image_id", "source", "file_name", "width", "height")


@dataclass(frozen=True)
class Wanted:
    """What is to be seen.

    Attributes:
        manifest: an open manifest.
        roots: where its images are.
        selection: which images.
        results: LVIS results to compare with; None for none.
        least_score: of the detections that are shown.
    """

    manifest: Manifest
    roots: Sequence[ImageRoot] = ()
    selection: Selection = field(default_factory=Selection)
    results: str | None = None
    least_score: float = LEAST_SCORE

    @property
    def key(self) -> str:
        """Hex digest: what is loaded under it is still right as long as it is the same."""
        digest = hashlib.sha256(f"{_LAYOUT}\n".encode())
        digest.update(manifest_digest(self.manifest.path).encode())
        plain: dict[str, Any] = {
            "roots": [[str(root.folder.resolve()), root.source] for root in self.roots],
            "selection": self.selection.text,
        }
        if self.results is not None:
            plain["results"] = [self.results, self.least_score]
            if not is_remote(self.results) and Path(self.results).is_file():
                stat = Path(self.results).stat()
                place = str(Path(self.results).resolve())
                plain["results"] += [place, stat.st_size, stat.st_mtime_ns]
        digest.update(json.dumps(plain).encode())
        return digest.hexdigest()

    @property
    def name(self) -> str:
        """Of the data set: the manifest's, and enough of the key to tell others apart."""
        return f"{self.manifest.path.resolve().name}-{self.key[:10]}"


@dataclass(frozen=True)
class Opened:
    """A data set that is in the database.

    Attributes:
        name: of the data set.
        dataset: the data set.
        is_new: whether it was loaded just now.
        images: how many it has.
        missing: how many of them have no file.
        older: names of data sets of older builds, which were kept because of their tags.
    """

    name: str
    dataset: fo.Dataset
    is_new: bool
    images: int
    missing: int
    older: tuple[str, ...] = ()


def opened(wanted: Wanted, stages: Stages) -> Opened:
    """Opens what was loaded before, or loads it.

    Images that were missing before and are there now take their places.

    Args:
        wanted: what is to be seen.
        stages: progress.

    Raises:
        InputError: the manifest, the selection or the results cannot be used.
    """
    import fiftyone as fo

    folder = inspect_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "loading").open("w") as lock:
        # of two at once the second opens what the first has loaded
        fcntl.flock(lock, fcntl.LOCK_EX)
        remove_leftovers()
        if not fo.dataset_exists(wanted.name):
            return _loaded(wanted, stages)
        dataset = fo.load_dataset(wanted.name)
        about = dataset.info[INFO_KEY]
        missing = about["missing"]
        if missing:
            with stages.stage("looking for missing images"):
                missing = _found_since(dataset, wanted.roots)
        return Opened(wanted.name, dataset, False, about["images"], missing)


def _loaded(wanted: Wanted, stages: Stages) -> Opened:
    import fiftyone as fo

    manifest = wanted.manifest
    texts = label_texts(manifest)
    with stages.stage("choosing images"):
        rows = chosen_images(manifest, wanted.selection)
    images = manifest.arrow("images", _FILE_COLUMNS).take(pa.array(rows))
    with stages.stage("looking for images"):
        files = image_files(images, wanted.roots, inspect_folder() / "missing")
    missing = sum(file.missing for file in files)
    predicted = None
    if wanted.results is not None:
        with stages.stage("comparing the results"):
            ids = images["image_id"].combine_chunks()
            predicted = predictions(wanted.results, manifest, texts, ids, wanted.least_score)
    about = {
        "manifest": str(manifest.path.resolve()),
        "digest": manifest_digest(manifest.path),
        "selection": wanted.selection.text,
        "results": None if wanted.results is None else base_name(wanted.results),
        "images": len(rows),
        "missing": missing,
    }
    name = partial_name(wanted.name)
    with temporary_folder() as folder:
        seed = _seed(folder, manifest, images["image_id"], texts, about, predicted is not None)
        with stages.stage("writing documents", len(rows)) as advance:
            writer = DocumentWriter(seed, texts, predicted)
            write_samples(folder / "samples.json", manifest, rows, files, writer, advance)
        with stages.stage("loading them into the database", len(rows)) as advance:
            done = 0

            def progress(bar: Any) -> None:
                nonlocal done
                advance(bar.iteration - done)
                done = bar.iteration

            try:
                dataset = fo.Dataset.from_dir(
                    dataset_dir=str(folder),
                    dataset_type=fo.types.FiftyOneDataset,
                    name=name,
                    progress=progress,
                )
                dataset.create_index("checks")
                dataset.name = wanted.name
                dataset.persistent = True
            finally:
                if fo.dataset_exists(name):
                    fo.delete_dataset(name)
    return Opened(wanted.name, dataset, True, len(rows), missing, tuple(remove_older(about)))


def _seed(
    folder: Path,
    manifest: Manifest,
    image_ids: pa.ChunkedArray,
    texts: LabelTexts,
    about: dict[str, Any],
    with_predictions: bool,
) -> dict[str, Any]:
    """Writes the folder of a data set with one image, and returns that image's document."""
    import fiftyone as fo

    boxes = manifest.arrow("annotations", _BOX_COLUMNS)
    if len(image_ids) < manifest.record.rows["images"].total:
        shown = pc.is_in(boxes["image_id"], value_set=image_ids.combine_chunks())
        boxes = boxes.filter(shown)
    seed = fo.Dataset(partial_name(f"seed-{os.urandom(4).hex()}"))
    try:
        declare_fields(seed, with_predictions)
        seed.info[INFO_KEY] = about
        seed.default_classes = list(texts.names.values())
        arrange_app(seed, with_predictions)
        save_views(seed, boxes, texts, with_predictions)
        seed.add_sample(fo.Sample(filepath="/seed.jpg"))
        seed.export(
            export_dir=str(folder),
            dataset_type=fo.types.FiftyOneDataset,
            export_media=False,
            overwrite=True,
            progress=False,
        )
    finally:
        seed.delete()
    document: dict[str, Any] = json.loads((folder / "samples.json").read_text("utf-8"))
    first: dict[str, Any] = document["samples"][0]
    return first


def _found_since(dataset: fo.Dataset, roots: Sequence[ImageRoot]) -> int:
    """Shows the images that have come since; returns how many are still missing."""
    from fiftyone import ViewField

    from lvis_merge.inspect.checks import MISSING

    view = dataset.match(ViewField("checks").contains(MISSING))
    columns = ["id", "source", "file_name", "metadata.width", "metadata.height", "checks"]
    ids, *values, checks = view.values(columns)
    names = ("source", "file_name", "width", "height")
    images = pa.table(dict(zip(names, values, strict=True)))
    files: list[ImageFile] = image_files(images, roots, inspect_folder() / "missing")
    here = np.flatnonzero([not file.missing for file in files]).tolist()
    if here:
        found = dataset.select([ids[at] for at in here], ordered=True)
        found.set_values("filepath", [files[at].path for at in here], progress=False)
        kept = [[check for check in checks[at] if check != MISSING] for at in here]
        found.set_values("checks", kept, progress=False)
        dataset.info[INFO_KEY]["missing"] -= len(here)
        dataset.save()
    return len(files) - len(here)
