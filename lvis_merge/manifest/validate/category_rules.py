"""Categories: counts, frequencies and sampling constants, recounted from the rows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from lvis_merge.manifest.record import RECORD_FILE
from lvis_merge.manifest.validate.columns import (
    Bools,
    Ints,
    equal,
    floats,
    ints,
    isin,
    ranks,
    repeated,
    same,
    true,
    valid,
)
from lvis_merge.manifest.validate.finding import Finding, error
from lvis_merge.manifest.validate.loaded import Loaded
from lvis_merge.manifest.validate.sorted_sets import distinct
from lvis_merge.merge.rules import COMMON_MAX, EQL_LAMBDA, RARE_MAX

_EXACT = 1e-12
_LVIS_ALWAYS = ("synset", "frequency", "image_count_lvis", "instance_count_lvis", "is_tail")
_LVIS_SOMETIMES = (
    "synonyms",
    "definition",
    "image_count_published",
    "instance_count_published",
)


def category_columns(loaded: Loaded) -> Iterator[Finding]:
    """Columns of LVIS are set in its label space only, `source_label` in the others only."""
    categories = loaded.categories
    in_lvis = np.full(categories.num_rows, loaded.in_lvis_space)
    for name in (*_LVIS_ALWAYS, *_LVIS_SOMETIMES):
        present = valid(categories[name])
        wrong = ~in_lvis & present
        if name in _LVIS_ALWAYS:
            wrong |= in_lvis & ~present
        yield from loaded.broken(
            "category_column",
            "categories",
            wrong,
            f"{name} is {'null' if loaded.in_lvis_space else 'set'} in label space"
            f" {loaded.record.label_space}",
        )
    label = categories["source_label"]
    yield from loaded.broken(
        "category_column",
        "categories",
        in_lvis == valid(label),
        "source_label is for the label spaces coco and open_images",
    )
    if loaded.record.label_space == "coco":
        yield from loaded.broken(
            "category_column",
            "categories",
            ~equal(label, categories["name"]),
            "source_label is not the COCO name",
        )
    if loaded.record.label_space == "open_images":
        yield from _by_mid(loaded)
    if loaded.in_lvis_space:
        again = valid(categories["synset"]) & repeated(ranks(categories["synset"]))
        yield from loaded.broken("unique", "categories", again, "synset occurs twice")
        yield from _published_bins(loaded)


def _by_mid(loaded: Loaded) -> Iterator[Finding]:
    categories = loaded.categories
    yield from loaded.broken(
        "category_id",
        "categories",
        ints(categories["category_id"]) != ranks(categories["source_label"]) + 1,
        "category_id does not count the MIDs in byte order from 1",
    )


def _published_bins(loaded: Loaded) -> Iterator[Finding]:
    categories = loaded.categories
    if loaded.record.lvis_version not in EQL_LAMBDA:
        return
    known = valid(categories["image_count_published"])
    expected = _bins(ints(categories["image_count_published"]))
    yield from loaded.broken(
        "frequency",
        "categories",
        known & ~equal(categories["frequency"], expected),
        "frequency does not fit image_count_published",
        "warning",
    )


def merged_counts(loaded: Loaded) -> Iterator[Finding]:
    """The counts after the merge, and what follows from them."""
    categories = loaded.categories
    rows = loaded.is_object & loaded.on_train
    images, instances = _counted(loaded, rows, loaded.category_row)
    for name, expected in (("image_count", images), ("instance_count", instances)):
        found = ints(categories[name])
        yield from loaded.broken(
            name,
            "categories",
            found != expected,
            lambda row, name=name, found=found, expected=expected: (  # type: ignore[misc]
                f"{name} is {found[row]}, counted {expected[row]}"
            ),
        )
    yield from loaded.broken(
        "frequency_merged",
        "categories",
        ~equal(categories["frequency_merged"], _bins(images)),
        lambda row: f"frequency_merged does not fit {images[row]} images",
    )
    with_object = len(distinct(loaded.image_row[rows]))
    f = images / max(with_object, 1)
    threshold = loaded.record.rfs.threshold
    repeat = np.maximum(1.0, np.sqrt(threshold / np.where(f > 0, f, threshold)))
    for name, exact in (("f", f), ("repeat_factor", repeat)):
        value = floats(categories[name])
        yield from loaded.broken(
            name,
            "categories",
            ~(np.abs(value - exact) <= _EXACT),
            lambda row, name=name, value=value, exact=exact: (  # type: ignore[misc]
                f"{name} is {value[row]}, computed {exact[row]}"
            ),
        )


def lvis_counts(loaded: Loaded) -> Iterator[Finding]:
    """The counts of the LVIS train file, and the tail classes that follow from them."""
    if not loaded.in_lvis_space:
        return
    categories = loaded.categories
    rows = loaded.rows_from("lvis") & loaded.on_train
    counted = _counted(loaded, rows, loaded.published_row)
    complete = loaded.dropped("lvis", "image") + loaded.dropped("lvis", "annotation") == 0
    for name, found in zip(("image_count_lvis", "instance_count_lvis"), counted, strict=True):
        value = ints(categories[name])
        wrong = value != found if complete else value < found
        yield from loaded.broken(
            name,
            "categories",
            wrong,
            lambda row, name=name, value=value, found=found: (  # type: ignore[misc]
                f"{name} is {value[row]}, and the manifest has {found[row]}"
            ),
        )
    eql = loaded.record.eql
    if eql is None:
        yield error("eql", RECORD_FILE, "has no constants of the equalization loss")
        return
    annotated = len(distinct(loaded.image_row[rows & (loaded.image_row >= 0)]))
    if eql.annotated_images < annotated or (complete and eql.annotated_images != annotated):
        yield error(
            "eql",
            RECORD_FILE,
            f"annotated_images is {eql.annotated_images}, and the manifest has {annotated}",
        )
    version = str(loaded.record.lvis_version)
    expected = EQL_LAMBDA.get(version)
    if expected != eql.lambda_:
        yield error("eql", RECORD_FILE, f"lambda is {eql.lambda_}, of LVIS {version} {expected}")
    if expected is None:
        tail = isin(categories["frequency"], ["r", "c"])
    else:
        tail = ints(categories["image_count_lvis"]) < expected * eql.annotated_images
    yield from loaded.broken(
        "is_tail",
        "categories",
        valid(categories["is_tail"]) & (true(categories["is_tail"]) != tail),
        "is_tail does not follow from image_count_lvis and the EQL constants",
    )


def _counted(loaded: Loaded, rows: Bools, category_row: Ints) -> tuple[Ints, Ints]:
    """Images and instances per category over some annotations."""
    number = loaded.categories.num_rows
    chosen = rows & (category_row >= 0) & (loaded.image_row >= 0)
    category, image = category_row[chosen], loaded.image_row[chosen]
    pairs = distinct(image * (number + 1) + category)
    images = np.bincount(pairs % (number + 1), minlength=number)
    return images, np.bincount(category, minlength=number)


def _bins(images: Ints) -> pa.ChunkedArray:
    names = np.where(images <= RARE_MAX, "r", np.where(images <= COMMON_MAX, "c", "f"))
    return pa.chunked_array([pa.array(names, pa.string())])


def category_names(loaded: Loaded) -> Iterator[Finding]:
    """Names are not empty, and of a published LVIS version there are as many as published."""
    categories = loaded.categories
    yield from loaded.broken(
        "name",
        "categories",
        same(categories["name"], pa.chunked_array([pa.array([""] * categories.num_rows)])),
        "name is empty",
    )
    version = loaded.record.lvis_version
    if loaded.in_lvis_space != (version is not None):
        yield error("record", RECORD_FILE, "lvis_version is for the label space lvis only")
    published = {"v0.5": 1_230, "v1": 1_203}.get(str(version))
    if published is not None and categories.num_rows != published:
        yield error("categories", "categories", f"LVIS {version} has {published} categories")
