"""COCO boxes as ignore regions on LVIS train images."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.labelmap.resolve import Resolution
from lvis_merge.merge.assemble import Part
from lvis_merge.merge.coco_match import match_objects
from lvis_merge.merge.tally import KEPT, Tally, first_rule
from lvis_merge.pipeline import tables as rows
from lvis_merge.pipeline.corrections import AppliedCorrections
from lvis_merge.sources.tables import JsonSource


def coco_regions(
    coco: JsonSource,
    resolution: Resolution,
    coco_boxes: str,
    train_ids: pa.Array,
    leaks: np.ndarray,
    rejected: np.ndarray,
    corrections: AppliedCorrections,
    lvis_rows: pa.Table,
) -> tuple[Part, Tally]:
    """COCO boxes on LVIS train images as ignore rows.

    Args:
        coco: the COCO file.
        resolution: its map, resolved.
        coco_boxes: all, unmatched (those that outline no LVIS object) or off.
        train_ids: int64 [N], the good images of the LVIS train file.
        leaks: bool [N], those that are held out.
        rejected: bool [N], those that a correction leaves out.
        corrections: of the build.
        lvis_rows: the LVIS part's rows; `matched_row` refers to them.

    Returns:
        The part, and what became of the file's annotations.
    """
    boxes = coco.annotations
    place = pc.index_in(boxes["image_id"], value_set=train_ids).fill_null(-1).to_numpy()
    leaks, rejected = (np.append(images, False)[place] for images in (leaks, rejected))
    rejected |= corrections.rejected_rows(
        "coco", boxes["image_id"], boxes["source_id"], rows.labels_of(boxes, coco.categories)
    )
    rules = {"not_on_an_lvis_image": place < 0, "holdout": leaks, "correction": rejected}
    wanted = first_rule(len(boxes), rules) == KEPT
    if coco_boxes == "off":
        rules["option"] = wanted
        boxes = boxes.slice(0, 0)
    else:
        boxes = boxes.filter(pa.array(wanted)).combine_chunks()
    row = pc.index_in(boxes["category_id"], value_set=resolution.table["coco_id"])
    category = resolution.table["category_id"].take(row).combine_chunks()
    crowd = boxes["is_crowd"].to_numpy()
    matched = match_objects(
        boxes["image_id"].to_numpy(),
        np.where(crowd, -1, category.fill_null(-1).to_numpy()).astype(np.int64),
        rows.xywh(boxes),
        lvis_rows["image_id"].to_numpy(),
        lvis_rows["category_id"].to_numpy().astype(np.int64),
        rows.xywh(lvis_rows),
        lvis_rows["order"].to_numpy(),
    )
    table = rows.object_rows(boxes, coco.categories).drop_columns(
        ["category_id", "area", "segmentation", "mask_rle", "role", "ignore_reason"]
    )
    table = (
        table.append_column("category_id", category)
        .append_column("area", rows.box_areas(boxes))
        .append_column("role", rows.constant("ignore", len(boxes)))
        .append_column("ignore_reason", pc.if_else(boxes["is_crowd"], "crowd", "coco_box"))
        .append_column("map_relation", resolution.table["relation"].take(row))
        .append_column("matched_row", pa.array(matched, mask=matched < 0))
    )
    if coco_boxes == "unmatched":
        rules["option"] = np.zeros(len(wanted), dtype=bool)
        rules["option"][np.flatnonzero(wanted)[matched >= 0]] = True
        table = table.filter(pa.array(matched < 0))
    tally = Tally.of(first_rule(len(wanted), rules), coco.rejects.num_rows)
    return Part("coco", table), tally
