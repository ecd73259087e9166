"""An extra source as manifest rows: objects and ignore regions on images of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.labelmap.read import read_map
from lvis_merge.labelmap.resolve import Resolution, resolve_extra
from lvis_merge.labelmap.rows import LabelMap
from lvis_merge.manifest.record import ExtraOrigin
from lvis_merge.merge.assemble import Part
from lvis_merge.merge.extra_evidence import ExtraRows, MappedClasses, Stated, extra_evidence
from lvis_merge.merge.extra_ids import coco_image_ids, extra_image_ids, id_collisions
from lvis_merge.merge.holdout import HoldOut
from lvis_merge.merge.rules import DROP_RULES
from lvis_merge.merge.tally import KEPT, Tally, first_rule
from lvis_merge.pipeline import tables as rows
from lvis_merge.pipeline.extra_option import ExtraSource
from lvis_merge.pipeline.inputs import Inputs
from lvis_merge.pipeline.map_reports import report_drafts, report_renamed, report_unresolved
from lvis_merge.sources.coco import read_extra
from lvis_merge.sources.tables import JsonSource


@dataclass(frozen=True)
class MergedExtra:
    """An extra source as far as it is in the manifest.

    Attributes:
        images: rows of `schema.IMAGES`.
        part: annotation rows.
        tallies: kind -> what became of the rows.
        label_map: its map.
        origin: what the record says of it.
    """

    images: pa.Table
    part: Part
    tallies: dict[str, Tally]
    label_map: LabelMap
    origin: ExtraOrigin


@dataclass(frozen=True)
class _Codes:
    """`first_rule` of the good rows: int8 [N] images, int8 [M] annotations."""

    images: np.ndarray
    annotations: np.ndarray


def merged_extra(
    inputs: Inputs,
    extra: ExtraSource,
    categories: pa.Table,
    holdout: HoldOut,
    earlier: Sequence[pa.Table],
) -> MergedExtra:
    """Reads an extra source and makes its rows.

    Every image with an object of a mapped class is taken, as a train image.

    Args:
        inputs: of the build.
        extra: the source.
        categories: `CATEGORY_ROWS` of the LVIS train file.
        holdout: what train images must not share.
        earlier: images of the extra sources before this one.

    Raises:
        InputError: a file that cannot be used, or too many bad rows.
    """
    with inputs.stages.stage(f"{extra.name}: annotations"):
        source = inputs.read(read_extra, extra.path, name=extra.name)
    for kind, number in (("image", source.image_rows), ("annotation", source.annotation_rows)):
        inputs.check(source.rejects.filter(pc.equal(source.rejects["kind"], kind)), number)
    label_map = read_map(extra.mapping)
    resolution = resolve_extra(label_map, categories, source.categories)
    report_unresolved(inputs, label_map, resolution)
    report_renamed(inputs, label_map, resolution)
    report_drafts(inputs, label_map)
    with inputs.stages.stage(f"{extra.name}: merging"):
        own = pc.index_in(source.annotations["category_id"], resolution.table["source_id"])
        category = resolution.table["category_id"].take(own).combine_chunks()
        relation = resolution.table["relation"].take(own).combine_chunks()
        manifest_ids = extra_image_ids(extra.name, source.images["source_image_id"])
        codes = _codes(inputs, extra.name, source, category, manifest_ids, holdout, earlier)
        kept_images = pa.array(codes.images == KEPT)
        kept = pa.array(codes.annotations == KEPT)
        annotations = source.annotations.filter(kept).combine_chunks()
        objects = rows.object_rows(annotations, source.categories, relation.filter(kept))
        place = _places(annotations, source.images.filter(kept_images))
        ids = manifest_ids[codes.images == KEPT]
        table = _manifest_rows(objects, annotations, category.filter(kept), ids[place])
        images = source.images.filter(kept_images)
        mapped = table["category_id"].is_valid()
        evidence = extra_evidence(
            ExtraRows(
                place[mapped.to_numpy()],
                table["category_id"].drop_null().to_numpy().astype(np.int64),
                pc.equal(table["role"], "object").filter(mapped).to_numpy(),
            ),
            _stated(source, images),
            _mapped_classes(resolution, categories),
            extra.exhaustive,
        )
        at = images.schema.get_field_index("image_id")
        images = images.set_column(at, "image_id", pa.array(ids, pa.int64()))
    if not len(images):
        inputs.warn(f"{extra.name}: no image is taken; check that {label_map.name} fits its file")
    bad = source.rejects["kind"].to_pylist()
    return MergedExtra(
        rows.json_images(extra.name, "train", images, evidence),
        Part(extra.name, table),
        {
            "image": Tally.of(codes.images, bad.count("image")),
            "annotation": Tally.of(codes.annotations, bad.count("annotation")),
        },
        label_map,
        ExtraOrigin(label_map.name, extra.exhaustive, source.info, source.licenses),
    )


def _codes(
    inputs: Inputs,
    name: str,
    source: JsonSource,
    category: pa.Array,
    manifest_ids: np.ndarray,
    holdout: HoldOut,
    earlier: Sequence[pa.Table],
) -> _Codes:
    images, annotations = source.images, source.annotations
    place = _places(annotations, images)
    is_object = pc.and_not(category.is_valid(), annotations["is_crowd"].combine_chunks())
    has_object = np.zeros(len(images), dtype=bool)
    has_object[place[is_object.to_numpy(zero_copy_only=False)]] = True
    leaks = holdout.leaks(manifest_ids, images["flickr_photo_id"])
    # a file on COCO's pictures need not name their Flickr photos
    leaks |= np.isin(coco_image_ids(images["url"]), holdout.image_ids)
    rules = {"holdout": leaks}
    rules["id_collision"] = id_collisions(
        manifest_ids, images["image_id"].to_numpy(), ~leaks, earlier
    )
    rules["not_a_candidate"] = ~has_object
    rules["correction"] = inputs.corrections.rejected_images(name, images["source_image_id"])
    of_images = first_rule(len(images), rules)

    codes = of_images[place]
    rejected = inputs.corrections.rejected_rows(
        name,
        annotations["image_id"],
        annotations["source_id"],
        rows.labels_of(annotations, source.categories),
    )
    codes[rejected & (codes == KEPT)] = DROP_RULES.index("correction")
    if inputs.options.unmapped == "drop":
        unmapped = category.is_null().to_numpy(zero_copy_only=False)
        codes[unmapped & (codes == KEPT)] = DROP_RULES.index("option")
    return _Codes(of_images, codes)


def _manifest_rows(
    objects: pa.Table, annotations: pa.Table, category: pa.Array, image_ids: np.ndarray
) -> pa.Table:
    """Objects, of which crowds and unmapped classes become ignore regions: boxes without a mask."""
    none = pa.scalar(None, pa.string())
    reason = pc.if_else(annotations["is_crowd"], "crowd", none)
    reason = pc.if_else(category.is_null(), "unmapped", reason)
    is_object = reason.is_null()
    columns = {
        "image_id": pa.array(image_ids, pa.int64()),
        "category_id": category,
        "area": pc.if_else(is_object, annotations["area"], rows.box_areas(annotations)),
        "role": pc.if_else(is_object, "object", "ignore"),
        "ignore_reason": reason,
    }
    for name in ("segmentation", "mask_rle"):
        nothing = pa.scalar(None, annotations.schema.field(name).type)
        columns[name] = pc.if_else(is_object, annotations[name], nothing)
    for name, column in columns.items():
        objects = objects.set_column(objects.schema.get_field_index(name), name, column)
    return objects


def _places(annotations: pa.Table, images: pa.Table) -> np.ndarray:
    """int64 [M]: the place of each row's image; all of them are there."""
    found = pc.index_in(annotations["image_id"], value_set=images["image_id"].combine_chunks())
    return np.asarray(found.to_numpy(), np.int64)


def _stated(source: JsonSource, images: pa.Table) -> Stated:
    """What the file says of some of its images."""
    classes = source.categories["category_id"].to_numpy()
    good, bad = (
        _on_images(table, images) for table in (source.annotations, source.bad_annotations)
    )
    bad[~np.isin(bad[:, 1], classes), 1] = -1
    return Stated(
        images["neg_category_ids"].combine_chunks(),
        images["not_exhaustive_category_ids"].combine_chunks(),
        good,
        bad,
    )


def _on_images(table: pa.Table, images: pa.Table) -> np.ndarray:
    """int64 [K, 2]: place of the image and class of the rows on some images, -1 without a class."""
    place = pc.index_in(table["image_id"], value_set=images["image_id"].combine_chunks())
    place = place.fill_null(-1).to_numpy().astype(np.int64)
    label = table["category_id"].fill_null(-1).to_numpy().astype(np.int64)
    return np.asarray(np.stack([place, label], axis=1)[place >= 0])


def _mapped_classes(resolution: Resolution, categories: pa.Table) -> MappedClasses:
    table = resolution.table
    lacking = {row.synset for row in resolution.unresolved}
    open_ended = pc.is_in(categories["synset"], pa.array(sorted(lacking), pa.string()))
    return MappedClasses(
        table["source_id"].to_numpy().astype(np.int64),
        table["category_id"].to_numpy().astype(np.int64),
        categories["category_id"].filter(open_ended).to_numpy().astype(np.int64),
    )
