"""A FiftyOneDataset folder, written without FiftyOne: `metadata.json` and `samples.json`.

    fiftyone.Dataset.from_dir("OUT", dataset_type=fiftyone.types.FiftyOneDataset, rel_dir=IMAGES)

One sample an image, its split as a tag too. Objects have masks of their boxes' pixels; ignore
regions are a field of their own, labelled by their reason.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.export import json_text
from lvis_merge.export.fiftyone_masks import mask_texts
from lvis_merge.export.fiftyone_schema import (
    BOX_TEXTS,
    EVIDENCE,
    IMAGE_TEXTS,
    OBJECTS,
    REGION_TEXTS,
    REGIONS,
    WRITTEN,
    metadata,
)
from lvis_merge.export.images import image_paths
from lvis_merge.export.in_order import in_order
from lvis_merge.export.options import Exported
from lvis_merge.export.split_rows import SplitRows, boxes_of, by_whole_images, one_chunk
from lvis_merge.image_roots import ImageRoot
from lvis_merge.inspect.shuffling import scattered

_COLUMNS = (
    "annotation_id", "image_id", "category_id", "bbox", "segmentation", "mask_rle", "role",
    "ignore_reason", *BOX_TEXTS,
)  # fmt: skip
_ID_DIGITS = 24
_BOX_IDS, _EVIDENCE_IDS = "1", "2"


@dataclass(frozen=True)
class _Samples:
    """Samples as text.

    Attributes:
        rows: JSON objects, each followed by a comma and a new line.
        objects: how many objects they hold.
        regions: how many ignore regions.
    """

    rows: pa.Array
    objects: int
    regions: int


def write_fiftyone(
    folder: Path,
    name: str,
    splits: Sequence[SplitRows],
    roots: Sequence[ImageRoot],
    advance: Callable[[int], None],
) -> list[Exported]:
    """Writes the folder.

    Args:
        folder: an empty folder.
        name: of the data set.
        splits: the splits.
        roots: where images are: `filepath` is absolute. Without any, and for images that no root
            has, it is the manifest's relative file name, which `from_dir(rel_dir=…)` completes.
        advance: told how many images were written.

    Raises:
        InputError: a table is missing or damaged.
    """
    text = json.dumps(metadata(name), ensure_ascii=False)
    (folder / "metadata.json").write_text(text + "\n", encoding="utf-8")
    exported = []
    held = b"\n"
    with (folder / "samples.json").open("wb") as file:
        file.write(b'{"samples":[')
        for split in splits:
            found = image_paths(split.images, roots) if roots else []
            names = split.images["file_name"].to_pylist()
            if found:
                names = [str(path or name) for path, name in zip(found, names, strict=True)]
            writer = _Writer(split, pa.array(names, pa.string()))
            objects = regions = 0
            for samples in in_order(writer.samples, by_whole_images(split, _COLUMNS)):
                if len(samples.rows):
                    file.write(held)
                    file.write(json_text.raw(samples.rows)[:-2])
                    held = b",\n"
                objects += samples.objects
                regions += samples.regions
                advance(len(samples.rows))
            missing = {"images_missing": found.count(None)}
            exported.append(Exported(split.split, ".", len(names), objects, regions, missing))
        file.write(b"\n]}\n")
    return exported


class _Writer:
    """Makes the samples of one split."""

    def __init__(self, split: SplitRows, paths: pa.Array) -> None:
        self._split = split
        self._paths = paths
        categories = split.manifest.categories
        self._ids = categories["category_id"].combine_chunks()
        self._names = categories["name"].combine_chunks()

    def samples(self, rows: tuple[range, pa.Table]) -> _Samples:
        """The samples of a range of images, from all their annotations."""
        places, annotations = rows
        images = self._split.images.slice(places.start, len(places)).combine_chunks()
        column = {name: one_chunk(images[name]) for name in images.column_names}
        is_object = pc.equal(annotations["role"], "object")
        objects = annotations.filter(is_object).combine_chunks()
        regions = annotations.filter(pc.invert(is_object)).combine_chunks()
        size = json_text.objects(
            {
                "_cls": json_text.constants("ImageMetadata", len(images)),
                "width": json_text.numbers(column["width"]),
                "height": json_text.numbers(column["height"]),
            },
            end="",
        )
        fields = {
            "_id": _object_ids("0", column["image_id"]),
            "filepath": json_text.strings(self._paths.slice(places.start, len(places))),
            "tags": json_text.constants([self._split.split], len(images)),
            "metadata": size,
            "_media_type": json_text.constants("image", len(images)),
            "_rand": json_text.numbers(
                pa.array([scattered(number) for number in column["image_id"].to_pylist()])
            ),
            "image_id": json_text.numbers(column["image_id"]),
            **{name: json_text.strings(column[name]) for name in IMAGE_TEXTS},
            OBJECTS: _grouped("Detection", self._objects(objects), objects, column["image_id"]),
            REGIONS: _grouped("Detection", self._regions(regions), regions, column["image_id"]),
            **{
                field: self._evidence(kind, column["image_id"], column[name])
                for kind, (field, name) in enumerate(EVIDENCE.items())
            },
            "created_at": json_text.constants(WRITTEN, len(images)),
            "last_modified_at": json_text.constants(WRITTEN, len(images)),
        }
        return _Samples(json_text.objects(fields), len(objects), len(regions))

    def _objects(self, rows: pa.Table) -> pa.Array:
        masks = mask_texts(
            one_chunk(rows["segmentation"]),
            one_chunk(rows["mask_rle"]),
            boxes_of(rows),
            self._sides(rows),
        )
        binary = pc.binary_join_element_wise(
            '{"$binary":{"base64":"', masks, '","subType":"00"}}', ""
        )
        label = json_text.strings(self._category(rows))
        return self._boxes(rows, {"label": label, "mask": binary}, BOX_TEXTS)

    def _regions(self, rows: pa.Table) -> pa.Array:
        label = json_text.strings(one_chunk(rows["ignore_reason"]))
        category = self._category(rows)
        named = rows.append_column("category", category)
        return self._boxes(named, {"label": label}, REGION_TEXTS)

    def _boxes(
        self, rows: pa.Table, label: Mapping[str, pa.Array], texts: Sequence[str]
    ) -> pa.Array:
        shares = boxes_of(rows).astype(np.float64) / np.tile(self._sides(rows), 2)
        numbers = pa.array(shares.reshape(-1)).cast(pa.string())
        ends = pa.array(np.arange(len(rows) + 1, dtype=np.int32) * 4)
        box = pc.binary_join(pa.ListArray.from_arrays(ends, numbers), ",")
        fields = {
            "_id": _object_ids(_BOX_IDS, one_chunk(rows["annotation_id"])),
            "_cls": json_text.constants("Detection", len(rows)),
            "tags": json_text.constants([], len(rows)),
            **label,
            "bounding_box": pc.binary_join_element_wise("[", box, "]", ""),
            "annotation_id": json_text.numbers(one_chunk(rows["annotation_id"])),
            **{name: json_text.strings(one_chunk(rows[name])) for name in texts},
        }
        return json_text.objects(fields, end="")

    def _sides(self, rows: pa.Table) -> np.ndarray:
        places = self._split.image_rows(one_chunk(rows["image_id"]))
        images = self._split.images
        return np.stack([images[name].to_numpy()[places] for name in ("width", "height")], axis=1)

    def _category(self, rows: pa.Table) -> pa.Array:
        return self._named(one_chunk(rows["category_id"]))

    def _named(self, ids: pa.Array) -> pa.Array:
        return self._names.take(pc.index_in(ids, value_set=self._ids, skip_nulls=True))

    def _evidence(self, kind: int, image_ids: pa.Array, lists: pa.ListArray) -> pa.Array:
        """Classifications, one for each category of each image's list."""
        lengths = pc.list_value_length(lists).to_numpy()
        ends = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        place = np.arange(ends[-1]) - np.repeat(ends[:-1], lengths)
        image = image_ids.take(pa.array(np.repeat(np.arange(len(lengths)), lengths)))
        number = pc.binary_join_element_wise(
            pc.utf8_lpad(image.cast(pa.string()), 17, "0"),
            str(kind),
            pc.utf8_lpad(pa.array(place).cast(pa.string()), 5, "0"),
            "",
        )
        texts = json_text.objects(
            {
                "_id": _object_ids(_EVIDENCE_IDS, number),
                "_cls": json_text.constants("Classification", len(number)),
                "tags": json_text.constants([], len(number)),
                "label": json_text.strings(self._named(lists.flatten())),
            },
            end="",
        )
        return _labels("Classification", pa.ListArray.from_arrays(pa.array(ends), texts))


def _grouped(kind: str, texts: pa.Array, rows: pa.Table, image_ids: pa.Array) -> pa.Array:
    """The labels of each image."""
    ids = image_ids.to_numpy()
    of_rows = rows["image_id"].to_numpy()
    ends = np.append(np.searchsorted(of_rows, ids), len(of_rows)).astype(np.int32)
    return _labels(kind, pa.ListArray.from_arrays(pa.array(ends), texts))


def _labels(kind: str, texts: pa.ListArray) -> pa.Array:
    lead = f'{{"_cls":"{kind}s","{kind.lower()}s":['
    return pc.binary_join_element_wise(lead, pc.binary_join(texts, ","), "]}", "")


def _object_ids(lead: str, numbers: pa.Array) -> pa.Array:
    """MongoDB ids, the same each time: decimal digits are hex digits as well."""
    padded = pc.utf8_lpad(numbers.cast(pa.string()), _ID_DIGITS - 1, "0")
    return pc.binary_join_element_wise('{"$oid":"' + lead, padded, '"}', "")
