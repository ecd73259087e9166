"""A manifest as a dataset of mmengine's runner."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from mmdet.registry import DATASETS
from mmengine.logging import print_log
from torch.utils.data import Dataset

from lvis_merge.errors import InputError
from lvis_merge.image_roots import image_roots as read_image_roots
from lvis_merge.training.data.columns import map_copy
from lvis_merge.training.data.copies import copies_folder, held_copy, manifest_key
from lvis_merge.training.data.copy_tables import OBJECT
from lvis_merge.training.data.draw import Draw
from lvis_merge.training.data.frame import ImageError
from lvis_merge.training.data.pipeline import build_pipeline
from lvis_merge.training.data.rows import ImageRows
from lvis_merge.training.data.seeding import seeded
from lvis_merge.training.data.served import acting_kinds, served_images, served_objects

_REOPENED = ("_copy", "_columns", "_images", "_objects")
"""What a pickle leaves out: another process maps the same files."""

_MOST_TRIES = 1000
"""Images in a row that may be unusable before something larger is wrong."""


@DATASETS.register_module()
class ManifestDataset(Dataset):
    """One split of a manifest.

    Opening maps an Arrow copy on the node's disk, made by whoever is first; all processes of the
    node share its memory. Labels are 0..C-1 in the order of `category_id`; background is C.

    Args:
        manifest: the folder.
        split: train, val or test.
        image_roots: where images are, each `[SOURCE=]DIR`, tried in turn.
        pipeline: transforms, the loading and packing ones ours.
        ignore_reasons: which ignore regions a sample has; None: all.
        coco_boxes: all, or unmatched: without the COCO boxes of objects that LVIS has.
        sources: of the images to serve; None: all.
        keep_empty: whether training images without any object are served. In test mode all are.
        on_missing: error, or skip: an image that cannot be used gives its draw to the next one.
        test_mode: an evaluation: every image once, none replaced.
        indices: serve the first so many images, or those at these places.
        seed: of what is random about samples asked for by `Draw`.
        cache_dir: where the Arrow copy is kept; None: LVIS_MERGE_CACHE or the user's cache folder.

    Attributes:
        test_mode: as given.
        pipeline: the built transforms.
        skipped: how many draws went to another image, by fault, in this process.

    Raises:
        InputError: no or a damaged manifest, an option it cannot serve, an unwritable cache.
        UsageError: an image root is not there.
    """

    def __init__(
        self,
        manifest: str | Path,
        split: str = "train",
        image_roots: Sequence[str] = (),
        pipeline: Sequence[Any] = (),
        ignore_reasons: Sequence[str] | None = None,
        coco_boxes: str = "all",
        sources: Sequence[str] | None = None,
        keep_empty: bool = False,
        on_missing: str = "error",
        test_mode: bool = False,
        indices: int | Sequence[int] | None = None,
        seed: int = 0,
        cache_dir: str | Path | None = None,
    ) -> None:
        if on_missing not in ("error", "skip"):
            raise InputError(f"on_missing={on_missing!r}: give 'error' or 'skip'.")
        if on_missing == "skip" and test_mode:
            raise InputError(
                "on_missing='skip' in test mode: another image would be evaluated twice. Get the"
                " missing images, or evaluate on a manifest without them."
            )
        self.test_mode = test_mode
        self.skipped: Counter[str] = Counter()
        self._manifest = Path(manifest).absolute()
        self._folder = copies_folder(cache_dir).absolute()
        self._key = manifest_key(self._manifest)
        self._choice = (split, sources, keep_empty or test_mode, indices)
        self._acts = acting_kinds(ignore_reasons, coco_boxes)
        self._roots = read_image_roots(image_roots)
        self._skip = on_missing == "skip"
        self._seed = seed
        self._open()
        self.pipeline = build_pipeline(pipeline)

    def _open(self) -> None:
        self._copy = held_copy(self._manifest, self._folder, self._key)
        self._columns = map_copy(self._copy.folder)
        self._images = served_images(self._columns, *self._choice)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in _REOPENED}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._open()

    def full_init(self) -> None:
        """Nothing: mmengine asks for it, and opening has done it all."""

    def __len__(self) -> int:
        return len(self._images)

    @property
    def metainfo(self) -> dict[str, Any]:
        """What mmengine calls the dataset's metainfo: `classes`, the category names by label."""
        return {"classes": self._columns.head.names}

    @property
    def num_classes(self) -> int:
        """C."""
        return len(self._columns.head.names)

    @property
    def category_ids(self) -> np.ndarray:
        """int64 [C]: `category_id` by label."""
        return np.array(self._columns.head.category_ids, np.int64)

    @property
    def frequencies(self) -> list[str | None]:
        """By label, r, c or f as LVIS publishes it; None in another label space."""
        return list(self._columns.head.frequencies)

    @property
    def image_ids(self) -> np.ndarray:
        """int64 [I]: `image_id` of each image."""
        return self._columns.image_id[self._images]

    @property
    def image_source(self) -> np.ndarray:
        """str [I]: source of each image."""
        return np.array(self._columns.head.sources)[self._columns.source[self._images]]

    @property
    def object_image(self) -> np.ndarray:
        """int64 [O]: the image, by its place in this dataset, of every object; ascending."""
        return self._objects[0]

    @property
    def object_label(self) -> np.ndarray:
        """int64 [O]: the label of every object, in the order of `object_image`."""
        return self._objects[1]

    @cached_property
    def _objects(self) -> tuple[np.ndarray, np.ndarray]:
        return served_objects(self._columns, self._images)

    def get_data_info(self, item: int | Draw) -> dict[str, Any]:
        """What the pipeline starts from.

        Args:
            item: place of an image, or a draw of it.

        Returns:
            img_id, source, file_name, width and height (pixels), image_roots, position (-1
            without a draw), neg_labels, pos_labels and not_exhaustive_labels (int64), rows
            (`ImageRows`).
        """
        index, position = item if isinstance(item, Draw) else (int(item), -1)
        columns, image = self._columns, int(self._images[index])
        return {
            "img_id": int(columns.image_id[image]),
            "source": columns.head.sources[columns.source[image]],
            "file_name": columns.file_name[image].as_py(),
            "width": int(columns.width[image]),
            "height": int(columns.height[image]),
            "image_roots": self._roots,
            "position": position,
            "neg_labels": columns.neg[image].astype(np.int64),
            "pos_labels": columns.pos[image].astype(np.int64),
            "not_exhaustive_labels": columns.not_exhaustive[image].astype(np.int64),
            "rows": self._rows(image),
        }

    def _rows(self, image: int) -> ImageRows:
        columns = self._columns
        first, last = int(columns.rows[image]), int(columns.rows[image + 1])
        kinds = columns.kind[first:last]
        keep = self._acts[kinds].nonzero()[0]
        polygons = columns.polygons.rows(first, last)
        rles = columns.run_lengths(first, last)
        return ImageRows(
            boxes_xywh=columns.bbox[first:last][keep],
            labels=columns.label[first:last][keep].astype(np.int64),
            ignored=kinds[keep] != OBJECT,
            polygons=[polygons[row] for row in keep],
            rles=[rles[row] for row in keep],
        )

    def __getitem__(self, item: int | Draw) -> Any:
        """One sample.

        The same draw gives the same sample, in any process; an integer takes its chance from the
        global generators.

        Args:
            item: place of an image, or a draw of it.

        Returns:
            What the pipeline makes of it. Where that is nothing (a filter left no object), or the
            image cannot be used and may be skipped, the next image takes its place.

        Raises:
            ImageError: the image cannot be used, and nothing may be skipped.
            InputError: no image of many in a row can be used.
        """
        index, position = item if isinstance(item, Draw) else (int(item), -1)
        for attempt in range(min(len(self), _MOST_TRIES)):
            here = Draw((index + attempt) % len(self), position)
            chance = seeded(self._seed, position, attempt) if position >= 0 else nullcontext()
            try:
                with chance:
                    sample = self.pipeline(self.get_data_info(here))
            except ImageError as error:
                if not self._skip:
                    raise
                self._count(error)
                continue
            if sample is not None:
                return sample
            if self.test_mode:
                raise InputError(
                    "the pipeline left nothing of image"
                    f" {self.image_ids[here.index]}: an evaluation's may drop no image."
                )
        raise InputError(
            f"{self._manifest}: none of {min(len(self), _MOST_TRIES)} images in a row gives a"
            f" sample, from image {self.image_ids[index]} on. Are the images below the image"
            f" roots, and does the pipeline keep any object? Unusable images: {dict(self.skipped)}."
        )

    def _count(self, error: ImageError) -> None:
        """Counts a skipped image; says so for the first, the tenth, the hundredth, …."""
        self.skipped[error.fault] += 1
        total = self.skipped.total()
        if str(total).strip("0") == "1":
            print_log(
                f"{total} unusable images skipped so far in this process"
                f" ({', '.join(f'{n} {fault}' for fault, n in self.skipped.items())});"
                f" the last: {error}",
                logger="current",
                level=logging.WARNING,
            )
