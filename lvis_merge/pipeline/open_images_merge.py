"""The chosen Open Images images as manifest rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.merge.assemble import Part
from lvis_merge.merge.evidence import BoxEvidence, open_images_evidence
from lvis_merge.merge.holdout import HoldOut
from lvis_merge.merge.open_images_rows import annotation_rows, ordered_boxes
from lvis_merge.merge.tally import Tally
from lvis_merge.pipeline.inputs import Inputs
from lvis_merge.pipeline.open_images_choice import choose
from lvis_merge.pipeline.open_images_fetch import fetch_rows
from lvis_merge.pipeline.open_images_masks import with_masks
from lvis_merge.pipeline.open_images_rules import ImageRules
from lvis_merge.pipeline.open_images_scan import Scanned
from lvis_merge.pipeline.tables import open_images_images
from lvis_merge.sources.sizes import Sizes


@dataclass(frozen=True)
class MergedOpenImages:
    """Open Images as far as it is in the manifest.

    Attributes:
        images: rows of `schema.IMAGES`.
        part: annotation rows.
        tallies: kind -> what became of the rows.
        contradictory: (image, MID) pairs verified both present and absent.
    """

    images: pa.Table
    part: Part
    tallies: dict[str, Tally]
    contradictory: int


def merged_open_images(
    inputs: Inputs,
    scanned: Scanned,
    resolved: pa.Table,
    holdout: HoldOut,
    sizes: Sizes | None,
    train_only: bool,
) -> MergedOpenImages:
    """Chooses images and makes their rows.

    Args:
        inputs: of the build.
        scanned: the first pass.
        resolved: the map's usable rows: `mid`, `category_id`, `relation`, `synset`.
        holdout: what train images must not share.
        sizes: known sizes, if given.
        train_only: whether every image is a train image (label space lvis); else the subset gives
            the split, and ties in the selection go by MID.
    """
    mids = resolved["mid"].to_pylist()
    ids = resolved["category_id"].to_pylist()
    keys = resolved["synset"].to_pylist() if train_only else mids
    ties = {key: place for place, key in enumerate(sorted(set(keys)))}
    order = {mid: ties[key] for mid, key in zip(mids, keys, strict=True)}
    chosen = choose(ImageRules(inputs, scanned, order, holdout, sizes, train_only))
    found = fetch_rows(inputs, scanned, chosen, sizes)
    categories = dict(
        zip(mids, zip(ids, resolved["relation"].to_pylist(), strict=True), strict=True)
    )
    boxes = ordered_boxes(found.boxes)
    table = annotation_rows(
        boxes, categories, found.ids, found.image_ids, found.width, found.height
    )
    table = with_masks(inputs, scanned.files, found, boxes, table)
    rejected = inputs.corrections.rejected_rows(
        "open_images",
        found.ids.take(pa.array(table["image"].to_numpy())),
        table["source_annotation_id"],
        lambda rows: table["source_label"].take(pa.array(rows)).to_pylist(),
    )
    if rejected.any():
        table = table.filter(pa.array(~rejected)).combine_chunks()
    mapped = table.filter(pc.is_valid(table["category_id"]))
    evidence = open_images_evidence(
        BoxEvidence(
            mapped["image"].to_numpy().astype(np.int64),
            mapped["category_id"].to_numpy().astype(np.int64),
            pc.equal(mapped["role"], "object").to_numpy(),
            pc.equal(mapped["ignore_reason"], "group_of").fill_null(False).to_numpy(),
        ),
        found.labels,
        dict(zip(mids, ids, strict=True)),
        scanned.hierarchy.descendants,
        len(found.ids),
    )
    dropped = 0
    if inputs.options.unmapped == "drop":
        kept = table.filter(pc.is_valid(table["category_id"]))
        dropped, table = len(table) - len(kept), kept
    return MergedOpenImages(
        open_images_images(found, evidence, train_only),
        Part("open_images", table.drop_columns("image")),
        _without_boxes(chosen.tallies, {"correction": int(rejected.sum()), "option": dropped}),
        evidence.contradictory,
    )


def _without_boxes(tallies: Mapping[str, Tally], dropped: Mapping[str, int]) -> dict[str, Tally]:
    """Tallies with the box rows on chosen images that a rule leaves out, by rule."""
    rules = {rule: number for rule, number in dropped.items() if number}
    return {**tallies, "box": tallies["box"] + Tally(-sum(rules.values()), rules)}
