"""LVIS files as manifest rows: which are kept, which are left out, and what is known of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.merge.evidence import Evidence, category_lists
from lvis_merge.merge.rules import DROP_RULES
from lvis_merge.merge.tally import KEPT, Tally, first_rule, total
from lvis_merge.pipeline import tables as rows
from lvis_merge.pipeline.corrections import AppliedCorrections
from lvis_merge.sources.tables import JsonSource


@dataclass(frozen=True)
class RowCodes:
    """`first_rule` of the rows of an LVIS file.

    Attributes:
        images: int8 [N].
        annotations: int8 [M].
    """

    images: np.ndarray
    annotations: np.ndarray


def lvis_codes(
    corrections: AppliedCorrections, by_split: dict[str, JsonSource], leaks: np.ndarray
) -> dict[str, RowCodes]:
    """What becomes of every good row, by split; only train images are held out."""
    codes = {}
    for split, source in by_split.items():
        rules = {
            "correction": corrections.rejected_images("lvis", source.images["source_image_id"])
        }
        if split == "train":
            rules["holdout"] = leaks
        images = first_rule(len(source.images), rules)
        annotations = source.annotations
        place = pc.index_in(annotations["image_id"], value_set=source.images["image_id"]).to_numpy()
        codes_of_rows = images[place]
        rejected = corrections.rejected_rows(
            "lvis",
            annotations["image_id"],
            annotations["source_id"],
            rows.labels_of(annotations, source.categories),
        )
        codes_of_rows[rejected & (codes_of_rows == KEPT)] = DROP_RULES.index("correction")
        codes[split] = RowCodes(images, codes_of_rows)
    return codes


def lvis_rows_of(
    by_split: dict[str, JsonSource], codes: dict[str, RowCodes]
) -> tuple[list[pa.Table], pa.Table]:
    """Image rows of each split, and the object rows of all; only what is kept."""
    images, objects = [], []
    for split, source in by_split.items():
        kept = _kept(source, codes[split])
        images.append(rows.json_images("lvis", split, kept.images, _published_evidence(kept)))
        objects.append(rows.object_rows(kept.annotations, kept.categories))
    return images, pa.concat_tables(objects)


def _kept(source: JsonSource, codes: RowCodes) -> JsonSource:
    """An LVIS file without the rows that a rule leaves out."""
    if (codes.annotations == KEPT).all() and (codes.images == KEPT).all():
        return source
    return JsonSource(
        source.images.filter(pa.array(codes.images == KEPT)),
        source.annotations.filter(pa.array(codes.annotations == KEPT)),
        source.categories,
    )


def lvis_tallies(by_split: dict[str, JsonSource], codes: dict[str, RowCodes]) -> dict[str, Tally]:
    """What became of the image and annotation rows of all splits together."""
    tallies: dict[str, list[Tally]] = {"image": [], "annotation": []}
    for split, source in by_split.items():
        kinds = source.rejects["kind"].to_pylist()
        tallies["image"].append(Tally.of(codes[split].images, kinds.count("image")))
        tallies["annotation"].append(Tally.of(codes[split].annotations, kinds.count("annotation")))
    return {kind: total(parts) for kind, parts in tallies.items()}


def _published_evidence(source: JsonSource) -> Evidence:
    place = pc.index_in(source.annotations["image_id"], value_set=source.images["image_id"])
    pos = category_lists(
        place.to_numpy(), source.annotations["category_id"].to_numpy(), len(source.images)
    )
    images = source.images
    return Evidence(
        pos,
        images["neg_category_ids"].combine_chunks(),
        images["not_exhaustive_category_ids"].combine_chunks(),
    )
