"""Two manifests, compared."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.diff import records
from lvis_merge.diff.annotations import (
    COMPARED,
    KEYS,
    category_counts,
    compare_annotations,
    source_counts,
)
from lvis_merge.diff.examples import examples
from lvis_merge.diff.images import compare_images
from lvis_merge.diff.labels import common_labels, described_otherwise
from lvis_merge.diff.polygon_digests import polygon_digests
from lvis_merge.diff.result import Diff, Side
from lvis_merge.manifest import Manifest
from lvis_merge.progress import Stages


def compare(before: Manifest, after: Manifest, stages: Stages) -> Diff:
    """Compares two manifests by what is in their tables, whatever hashes their records name.

    Images are the same by source and published id, annotations by image, source and published id.

    Args:
        before: the first.
        after: the second.
        stages: progress.

    Returns:
        The differences, from the first to the second.

    Raises:
        InputError: a table is missing or damaged.
    """
    with stages.stage("reading both manifests"):
        with ThreadPoolExecutor(2) as threads:
            tables = list(threads.map(_annotations, (before, after)))
        images = before.images, after.images
        labels = common_labels(before.categories, after.categories)
    with stages.stage("comparing images"):
        image_counts, image_fields = compare_images(*images, labels)
    with stages.stage("comparing annotations"):
        found = compare_annotations(tables[0], tables[1], labels)
    with stages.stage("counting"):
        return Diff(
            before=_side(before, tables[0]),
            after=_side(after, tables[1]),
            facts=records.facts(before.record, after.record),
            options=records.options(before.record, after.record),
            inputs=records.inputs(before.record, after.record),
            rows_in=records.rows_in(before.record, after.record),
            images=image_counts,
            sources=source_counts(found),
            fields=(*image_fields, *found.fields()),
            category_list=described_otherwise(labels),
            categories=category_counts(found, labels),
            examples=examples(found, labels, *images),
        )


def _annotations(manifest: Manifest) -> pa.Table:
    """`annotation_id`, `KEYS` and `COMPARED`; for the polygons their digests."""
    names = [name for name in ("annotation_id", *KEYS, *COMPARED) if name != "segmentation"]
    rows = manifest.arrow("annotations", names)
    for column in (digests := polygon_digests(manifest)).column_names:
        rows = rows.append_column(column, digests[column])
    return rows


def _side(manifest: Manifest, annotations: pa.Table) -> Side:
    objects = int(pc.sum(pc.equal(annotations["role"], "object")).as_py() or 0)
    return Side(
        str(manifest.path),
        manifest.record.label_space,
        len(manifest.images),
        objects,
        len(annotations) - objects,
        len(manifest.categories),
    )
