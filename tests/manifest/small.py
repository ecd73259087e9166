"""A small manifest by hand: all three sources in label space lvis, every kind of row."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from lvis_merge.manifest import ManifestRecord, Tables, write_manifest
from lvis_merge.manifest.record import (
    EqlConstants,
    EvidenceCounts,
    HoldOut,
    KindCounts,
    SplitOrigin,
)
from lvis_merge.manifest.schema import ANNOTATIONS, CATEGORIES, IMAGES, REJECTS, TableSpec
from lvis_merge.manifest.write import row_counts
from lvis_merge.sources.files import InputRecord
from tests.manifest.small_rows import BY_2, BY_NC, annotations, categories, images, rejects

OPEN_IMAGES_MAP = """\
mid,open_images_name,lvis_synset,lvis_name,relation,note
/m/02p5f1q,Coffee cup,cup.n.01,cup,curated,"cups, too"
/m/0cmx8,Spoon,spoon.n.01,spoon,exact,
/m/0gone,Gone,gone.n.01,gone,exact,this version lacks the synset
/m/0kmg4,Teddy bear,teddy.n.01,teddy_bear,spelling,
"""
COCO_MAP = """\
coco_id,coco_name,lvis_synset,lvis_name,relation,note
47,cup,cup.n.01,cup,exact,
67,dining table,,,,LVIS has another one
88,teddy bear,teddy.n.01,teddy_bear,spelling,
"""


@dataclass(frozen=True)
class Small:
    """What `write_manifest` takes."""

    tables: Tables
    record: ManifestRecord
    maps: Mapping[str, bytes]

    def write(self, out: Path, **options: Any) -> Path:
        write_manifest(out, self.tables, self.record, self.maps, extra=write_report, **options)
        return out


def write_report(folder: Path) -> None:
    (folder / "report.html").write_text("<p>report</p>")


def table(spec: TableSpec, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """A table of rows; columns that a row does not name are null."""
    unknown = {name for row in rows for name in row} - set(spec.schema.names)
    assert not unknown, unknown
    return spec.build(
        {
            field.name: pa.array([row.get(field.name) for row in rows], field.type)
            for field in spec.schema
        }
    )


def record() -> ManifestRecord:
    roles = {
        "lvis": "lvis_train.json",
        "lvis_val": "lvis_val.json",
        "coco": "instances_train2017.json",
        "openimages/train/boxes": "train-annotations-bbox.csv",
        "openimages/validation/boxes": "validation-annotations-bbox.csv",
        "openimages/train/images": "train-images-boxable-with-rotation.csv",
        "openimages/validation/images": "validation-images-with-rotation.csv",
    }
    licenses = [{"id": 4, "url": BY_2, "name": "by"}, {"id": 7, "url": BY_NC}]
    return ManifestRecord(
        tool_version="0.1.0",
        label_space="lvis",
        lvis_version="custom",
        seed=0,
        options={"coco_boxes": "all", "images": 2, "selection": "balanced", "unmapped": "ignore"},
        inputs=tuple(InputRecord(role, name, 1, "0" * 64) for role, name in roles.items()),
        maps={},
        counts={
            "lvis": {
                "image": KindCounts(4, 3, {}, 1),
                "annotation": KindCounts(5, 4, {}, 1),
            },
            "coco": {"annotation": KindCounts(5, 3, {"not_on_an_lvis_image": 2}, 0)},
            "open_images": {
                "image": KindCounts(4, 2, {"rotation": 1, "not_selected": 1}, 0),
                "box": KindCounts(9, 7, {"not_selected": 1}, 1),
                "label": KindCounts(3, 2, {"not_selected": 1}, 0),
            },
        },
        evidence=EvidenceCounts(1),
        eql=EqlConstants(None, 2),
        holdout=HoldOut("1" * 64, 1, 1, ("lvis_val.json",)),
        splits={
            "train": SplitOrigin({"version": "1", "year": 2020}, licenses),
            "val": SplitOrigin(None, licenses),
        },
    )


def small() -> Small:
    """The whole manifest; `validate` finds nothing in it."""
    maps = {"open_images.csv": OPEN_IMAGES_MAP.encode(), "coco.csv": COCO_MAP.encode()}
    tables = Tables(
        table(IMAGES, images()),
        table(ANNOTATIONS, annotations()),
        table(CATEGORIES, categories()),
        table(REJECTS, rejects()),
    )
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in maps.items()}
    return Small(tables, record().replace(maps=digests, rows=row_counts(tables)), maps)
