"""Builds of one source in its own label space, for expert models."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge import resources
from lvis_merge.labelmap.read import read_map
from lvis_merge.labelmap.resolve import OPEN_IMAGES_RESOLVED, resolve_own_labels
from lvis_merge.merge.assemble import Part
from lvis_merge.merge.evidence import Evidence, category_lists
from lvis_merge.merge.rules import DROP_RULES
from lvis_merge.merge.tally import KEPT, Tally, first_rule
from lvis_merge.pipeline import tables as rows
from lvis_merge.pipeline.inputs import Inputs
from lvis_merge.pipeline.lvis_space import held_out
from lvis_merge.pipeline.map_reports import report_unresolved
from lvis_merge.pipeline.open_images_merge import merged_open_images
from lvis_merge.pipeline.open_images_scan import Scanned, scan_folder
from lvis_merge.pipeline.open_images_sizes import known_sizes
from lvis_merge.pipeline.options import NO_MAPPING
from lvis_merge.pipeline.result import BuildResult
from lvis_merge.sources.coco import read_coco
from lvis_merge.sources.open_images.folder import OpenImagesFiles
from lvis_merge.sources.tables import JsonSource


def build_coco_space(inputs: Inputs) -> BuildResult:
    """COCO alone, under its own ids: objects with polygons, crowds ignored, all of split train."""
    options = inputs.options
    with inputs.stages.stage("COCO annotations"):
        coco = inputs.read(read_coco, str(options.coco), masks=True)
    for kind, number in (("image", coco.image_rows), ("annotation", coco.annotation_rows)):
        inputs.check(coco.rejects.filter(pc.equal(coco.rejects["kind"], kind)), number)
    holdout = held_out(inputs, [])
    leaks = holdout.leaks(coco.images["image_id"].to_numpy(), coco.images["flickr_photo_id"])
    rejected = inputs.corrections.rejected_images("coco", coco.images["source_image_id"])
    codes = first_rule(len(leaks), {"holdout": leaks, "correction": rejected})
    place = pc.index_in(coco.annotations["image_id"], value_set=coco.images["image_id"]).to_numpy()
    row_codes = codes[place]
    row_codes[(row_codes == KEPT) & _rejected_rows(inputs, coco)] = DROP_RULES.index("correction")
    kinds = coco.rejects["kind"].to_pylist()
    tallies = {
        "image": Tally.of(codes, kinds.count("image")),
        "annotation": Tally.of(row_codes, kinds.count("annotation")),
    }
    kept = codes == KEPT
    images = coco.images.filter(pa.array(kept))
    annotations = coco.annotations.filter(pa.array(row_codes == KEPT)).combine_chunks()
    manifest_images = rows.join_images(
        [rows.json_images("coco", "train", images, exhaustive_evidence(coco, images, annotations))]
    )
    table = rows.object_rows(annotations, coco.categories)
    crowd = annotations["is_crowd"]
    for name, value in (("role", "ignore"), ("ignore_reason", "crowd")):
        column = pc.if_else(crowd, value, table[name])
        table = table.set_column(table.schema.get_field_index(name), name, column)
    joined = inputs.corrections.with_new_categories(
        rows.join_rows([Part("coco", table)]), manifest_images, coco.categories
    )
    ids = coco.categories["category_id"].to_numpy().astype(np.int64)
    categories = rows.category_table(
        pa.table(
            {
                "category_id": coco.categories["category_id"],
                "name": coco.categories["name"],
                "source_label": coco.categories["name"],
            }
        ),
        rows.merged_counts(manifest_images, joined, ids),
        {},
    )
    return BuildResult(
        manifest_images,
        joined,
        categories,
        {"coco": tallies},
        holdout=holdout if options.holdout else None,
        splits={"train": (coco.info, coco.licenses)},
    )


def _rejected_rows(inputs: Inputs, coco: JsonSource) -> np.ndarray:
    annotations = coco.annotations
    return inputs.corrections.rejected_rows(
        "coco",
        annotations["image_id"],
        annotations["source_id"],
        rows.labels_of(annotations, coco.categories),
    )


def exhaustive_evidence(coco: JsonSource, images: pa.Table, annotations: pa.Table) -> Evidence:
    """Evidence of COCO images, which are annotated exhaustively for every category.

    Present: categories with any row. Absent: all others. Not exhaustive: those with a crowd.
    """
    place = pc.index_in(annotations["image_id"], value_set=images["image_id"]).to_numpy()
    category = annotations["category_id"].to_numpy()
    crowd = annotations["is_crowd"].to_numpy()
    ids = np.sort(coco.categories["category_id"].to_numpy())
    absent = np.ones((len(images), len(ids)), dtype=bool)
    absent[place, np.searchsorted(ids, category)] = False
    image_of, column = np.nonzero(absent)
    return Evidence(
        category_lists(place, category, len(images)),
        category_lists(image_of, ids[column], len(images)),
        category_lists(place[crowd], category[crowd], len(images)),
    )


def build_open_images_space(inputs: Inputs, files: OpenImagesFiles) -> BuildResult:
    """Open Images alone: the mapped classes, or all, under ids 1..C in the order of MIDs."""
    options = inputs.options
    maps = {}
    label_map = None
    if options.mapping != NO_MAPPING:
        label_map = read_map(options.mapping or resources.default_map())
        maps[label_map.name] = label_map.data
    mids = frozenset(row.source_id for row in label_map.rows) if label_map else None
    scanned = scan_folder(inputs, files, mids)
    if label_map:
        resolution = resolve_own_labels(label_map, scanned.classes.keys())
        report_unresolved(inputs, label_map, resolution)
        resolved = resolution.table
    else:
        resolved = _all_classes(scanned)
    holdout = held_out(inputs, [])
    merged = merged_open_images(
        inputs,
        scanned,
        resolved,
        holdout,
        known_sizes(inputs, scanned.new_buckets),
        train_only=False,
    )
    images = rows.join_images([merged.images])
    labels = resolved["mid"].to_pylist()
    ids = resolved["category_id"].to_numpy().astype(np.int64)
    named = pa.table(
        {
            "category_id": resolved["category_id"],
            "name": pa.array([scanned.classes[mid] for mid in labels], pa.string()),
            "source_label": resolved["mid"],
        }
    )
    annotations = inputs.corrections.with_new_categories(
        rows.join_rows([merged.part]), images, named
    )
    categories = rows.category_table(
        named,
        rows.merged_counts(images, annotations, ids),
        {},
    )
    return BuildResult(
        images,
        annotations,
        categories,
        {"open_images": merged.tallies},
        maps,
        holdout=holdout if options.holdout else None,
        contradictory=merged.contradictory,
    )


def _all_classes(scanned: Scanned) -> pa.Table:
    mids = sorted(scanned.classes)
    none = pa.nulls(len(mids), pa.string())
    ids = pa.array(range(1, len(mids) + 1), pa.int32())
    return pa.table([pa.array(mids, pa.string()), ids, none, none], schema=OPEN_IMAGES_RESOLVED)
