"""Annotations: which image, which role, and which columns each source fills."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from lvis_merge.manifest.record import RECORD_FILE
from lvis_merge.manifest.validate.columns import Bools, equal, isin, take, true, valid
from lvis_merge.manifest.validate.finding import Finding, error
from lvis_merge.manifest.validate.loaded import Loaded

_FLAGS = ("is_occluded", "is_truncated", "is_group_of", "is_depiction", "is_inside")
_REASON_OF_FLAG = {"is_group_of": "group_of", "is_depiction": "depiction", "is_inside": "inside"}


def joins(loaded: Loaded) -> Iterator[Finding]:
    """Every annotation is on an image of its own source and of a known category."""
    annotations = loaded.annotations
    yield from loaded.broken(
        "foreign_key",
        "annotations",
        loaded.image_row < 0,
        lambda row: f"image_id {annotations['image_id'][row]} is in no row of images",
    )
    for name, rows in (
        ("category_id", loaded.category_row),
        ("relabelled_from", loaded.published_row),
    ):
        column = annotations[name]
        yield from loaded.broken(
            "foreign_key",
            "annotations",
            valid(column) & (rows < 0),
            lambda row, name=name, column=column: (  # type: ignore[misc]
                f"{name} {column[row]} is in no row of categories"
            ),
        )
    on_lvis_train = loaded.of_image(loaded.images_from("lvis") & loaded.is_train)
    own = {source: loaded.of_image(loaded.images_from(source)) for source in ("coco", "lvis")}
    for source in ("open_images", *loaded.record.extras):
        own[source] = loaded.of_image(loaded.images_from(source))
    if loaded.in_lvis_space:
        own["coco"] = on_lvis_train
    for source, on_own in own.items():
        yield from loaded.broken(
            "image_of_source",
            "annotations",
            loaded.rows_from(source) & (loaded.image_row >= 0) & ~on_own,
            f"a row of {source} is on an image that {source} rows cannot be on",
        )


def roles(loaded: Loaded) -> Iterator[Finding]:
    """Objects have a category and no ignore reason, ignore regions a reason that holds."""
    annotations = loaded.annotations
    reason, is_object = annotations["ignore_reason"], loaded.is_object
    yield from loaded.broken(
        "role",
        "annotations",
        is_object == valid(reason),
        "an ignore region has an ignore_reason and an object has none",
    )
    yield from loaded.broken(
        "role",
        "annotations",
        is_object & ~valid(annotations["category_id"]),
        "an object has no category",
    )
    lvis, coco = loaded.rows_from("lvis"), loaded.rows_from("coco")
    yield from loaded.broken("role", "annotations", lvis & ~is_object, "rows of LVIS are objects")
    if loaded.in_lvis_space:
        wrong = coco & ~isin(reason, ["crowd", "coco_box"])
        text = "rows of COCO are ignore regions: crowd or coco_box"
    else:
        wrong = coco & ~is_object & ~equal(reason, "crowd")
        wrong |= coco & ~valid(annotations["category_id"])
        text = "rows of COCO are objects or crowds and have a category"
    yield from loaded.broken("role", "annotations", wrong, text)
    yield from _open_images_reason(loaded)


def _open_images_reason(loaded: Loaded) -> Iterator[Finding]:
    annotations = loaded.annotations
    expected = np.full(annotations.num_rows, "", object)
    for flag, reason in reversed(_REASON_OF_FLAG.items()):
        expected[true(annotations[flag])] = reason
    expected[~valid(annotations["category_id"])] = "unmapped"
    found = annotations["ignore_reason"].fill_null("")
    wrong = loaded.rows_from("open_images") & ~equal(found, pa.array(expected, pa.string()))
    yield from loaded.broken(
        "ignore_reason",
        "annotations",
        wrong,
        lambda row: (
            f"ignore_reason is {found[row].as_py() or 'null'}, and category and flags make it"
            f" {expected[row] or 'an object'}"
        ),
    )
    if loaded.record.options.get("unmapped") == "drop":
        yield from loaded.broken(
            "option",
            "annotations",
            equal(annotations["ignore_reason"], "unmapped"),
            "an unmapped row, and the options drop them",
        )
    if loaded.record.options.get("coco_boxes") == "off" and loaded.in_lvis_space:
        yield from loaded.broken(
            "option", "annotations", loaded.rows_from("coco"), "a COCO row, and the options say off"
        )


def source_columns(loaded: Loaded) -> Iterator[Finding]:
    """Columns that only some sources fill are null on the others."""
    annotations = loaded.annotations
    coco_like = loaded.rows_from("lvis") | loaded.rows_from("coco") | loaded.extra_rows
    for name in (*_FLAGS, "annotation_method"):
        yield from loaded.broken(
            "source_column",
            "annotations",
            coco_like & valid(annotations[name]),
            f"{name} is set, and this source has none",
        )
    unmapped = loaded.rows_from("lvis")
    if not loaded.in_lvis_space:
        unmapped = unmapped | loaded.rows_from("coco")
    mapped = ~unmapped & (loaded.rows_from("coco") | loaded.rows_from("open_images"))
    mapped |= loaded.extra_rows
    relation = valid(annotations["map_relation"])
    yield from loaded.broken(
        "map_relation",
        "annotations",
        unmapped & relation,
        "map_relation is set, and the label is of this label space",
    )
    has_map = loaded.in_lvis_space or bool(loaded.maps)
    category = valid(annotations["category_id"]) & has_map
    yield from loaded.broken(
        "map_relation",
        "annotations",
        mapped & ~loaded.relabelled & (relation != category),
        "map_relation and category_id are not both set or both null",
    )


def labels(loaded: Loaded) -> Iterator[Finding]:
    """`source_label` is the published name (MID) of the category, where that is its own."""
    annotations, categories = loaded.annotations, loaded.categories
    label = annotations["source_label"]
    own_label = {"lvis": "name", "coco": "name", "open_images": "source_label"}
    of_space = loaded.rows_from(loaded.record.label_space) & (loaded.published_row >= 0)
    published = take(
        categories[own_label.get(loaded.record.label_space, "name")], loaded.published_row
    )
    yield from loaded.broken(
        "source_label",
        "annotations",
        of_space & ~equal(label, published),
        lambda row: f"source_label is {label[row]}, and its category's is {published[row]}",
    )


def corrections(loaded: Loaded) -> Iterator[Finding]:
    """A relabelled row has another category now, and a corrections file was read."""
    annotations = loaded.annotations
    read = any(one.role.startswith("corrections") for one in loaded.record.inputs)
    changed = loaded.relabelled & ~equal(annotations["relabelled_from"], annotations["category_id"])
    wrong: Bools = loaded.relabelled & ~(changed & read)
    yield from loaded.broken(
        "relabelled_from",
        "annotations",
        wrong,
        "relabelled_from is the row's category, or no corrections were read",
    )
    for source, kinds in loaded.record.counts.items():
        found = int((loaded.relabelled & loaded.rows_from(source)).sum())
        counted = sum(counts.relabelled for counts in kinds.values())
        if counted != found:
            yield error(
                "record",
                RECORD_FILE,
                f"counts of {source}: relabelled is {counted}, and annotations has {found} rows",
            )
