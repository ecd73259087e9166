"""A build in LVIS's label space: LVIS objects, COCO ignore regions, Open Images objects."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge import resources
from lvis_merge.errors import InputError
from lvis_merge.labelmap.read import read_map
from lvis_merge.labelmap.resolve import resolve_coco, resolve_open_images
from lvis_merge.labelmap.rows import LabelMap
from lvis_merge.manifest.record import EqlConstants, ExtraOrigin
from lvis_merge.merge.assemble import Part
from lvis_merge.merge.frequencies import count_objects, tail_categories
from lvis_merge.merge.holdout import HoldOut
from lvis_merge.merge.rules import DROP_RULES, EQL_LAMBDA
from lvis_merge.merge.tally import Tally
from lvis_merge.pipeline import tables as rows
from lvis_merge.pipeline.coco_regions import coco_regions
from lvis_merge.pipeline.extra_option import by_name
from lvis_merge.pipeline.extras import merged_extra
from lvis_merge.pipeline.inputs import Inputs
from lvis_merge.pipeline.lvis_rows import lvis_codes, lvis_rows_of, lvis_tallies
from lvis_merge.pipeline.map_reports import report_renamed, report_unresolved
from lvis_merge.pipeline.open_images_merge import MergedOpenImages, merged_open_images
from lvis_merge.pipeline.open_images_scan import scan_folder
from lvis_merge.pipeline.open_images_sizes import known_sizes
from lvis_merge.pipeline.options import BuildOptions
from lvis_merge.pipeline.result import BuildResult
from lvis_merge.sources.coco import read_coco
from lvis_merge.sources.files import base_name
from lvis_merge.sources.holdout import read_holdout
from lvis_merge.sources.lvis import read_lvis
from lvis_merge.sources.lvis_version import lvis_version
from lvis_merge.sources.open_images.folder import OpenImagesFiles
from lvis_merge.sources.tables import JsonSource


@dataclass(frozen=True)
class LvisFacts:
    """What the other sources need to know of the LVIS files.

    Attributes:
        categories: `CATEGORY_ROWS` of the train file.
        holdout: what train images must not share.
    """

    categories: pa.Table
    holdout: HoldOut


def build_lvis_space(inputs: Inputs, files: OpenImagesFiles | None) -> BuildResult:
    """Reads and merges the sources.

    Open Images has a thread of its own: it is scanned while the JSON files are decoded, and waits
    for the LVIS facts only before it chooses images.
    """
    facts: Future[LvisFacts] = Future()
    thread = ThreadPoolExecutor(1)
    label_map = read_map(inputs.options.mapping or resources.default_map()) if files else None
    try:
        merged: Future[MergedOpenImages] | None = None
        if files and label_map:
            merged = thread.submit(_open_images, inputs, files, label_map, facts)
        try:
            return _merge(inputs, facts, label_map, merged)
        except BaseException:
            facts.cancel()
            raise
    finally:
        # on an error nobody waits for the scan
        thread.shutdown(wait=False, cancel_futures=True)


def _open_images(
    inputs: Inputs, files: OpenImagesFiles, label_map: LabelMap, facts: Future[LvisFacts]
) -> MergedOpenImages:
    # which classes are mapped is known from the map; which categories they become, from LVIS
    scanned = scan_folder(inputs, files, frozenset(row.source_id for row in label_map.rows))
    sizes = known_sizes(inputs, scanned.new_buckets)
    lvis = facts.result()
    resolution = resolve_open_images(label_map, lvis.categories, scanned.classes.keys())
    report_unresolved(inputs, label_map, resolution)
    return merged_open_images(
        inputs, scanned, resolution.table, lvis.holdout, sizes, train_only=True
    )


def _merge(
    inputs: Inputs,
    facts: Future[LvisFacts],
    label_map: LabelMap | None,
    open_images: Future[MergedOpenImages] | None,
) -> BuildResult:
    options = inputs.options
    by_split = _read_lvis_files(inputs)
    train = by_split["train"]
    categories = train.categories
    holdout = held_out(inputs, [by_split[s].images for s in ("val", "test") if s in by_split])
    facts.set_result(LvisFacts(categories, holdout))
    leaks = holdout.leaks(train.images["image_id"].to_numpy(), train.images["flickr_photo_id"])
    if len(leaks) and leaks.all():
        inputs.warn("every LVIS train image is held out: check --lvis-val, --lvis-test, --holdout")
    ids = categories["category_id"].to_numpy().astype(np.int64)
    own = count_objects(
        train.annotations["image_id"].to_numpy(),
        train.annotations["category_id"].to_numpy().astype(np.int64),
        ids,
    )
    codes = lvis_codes(inputs.corrections, by_split, leaks)
    tallies: dict[str, dict[str, Tally]] = {"lvis": lvis_tallies(by_split, codes)}
    splits = {split: (source.info, source.licenses) for split, source in by_split.items()}
    train_ids = train.images["image_id"].combine_chunks()
    images, lvis_rows = lvis_rows_of(by_split, codes)
    rejected = codes["train"].images == DROP_RULES.index("correction")
    del train, by_split  # the annotations live on in lvis_rows
    parts, maps = [Part("lvis", lvis_rows)], dict[str, bytes]()
    if options.coco:
        with inputs.stages.stage("COCO annotations"):
            coco = inputs.read(read_coco, options.coco, masks=False)
        inputs.check(coco.rejects, coco.annotation_rows)
        coco_map = read_map(options.coco_mapping or resources.default_coco_map())
        maps[coco_map.name] = coco_map.data
        resolution = resolve_coco(coco_map, categories, coco.categories)
        report_unresolved(inputs, coco_map, resolution)
        report_renamed(inputs, coco_map, resolution)
        with inputs.stages.stage("COCO ignore regions"):
            regions, tally = coco_regions(
                coco,
                resolution,
                options.coco_boxes,
                train_ids,
                leaks,
                rejected,
                inputs.corrections,
                lvis_rows,
            )
        parts.append(regions)
        tallies["coco"] = {"annotation": tally}
    with inputs.stages.stage("joining LVIS and COCO"):
        annotations = rows.join_rows(parts)
    del parts, lvis_rows
    # ids of extra sources are above LVIS's and below those of Open Images: rows come in that order
    extras: dict[str, ExtraOrigin] = {}
    extra_images, extra_parts = list[pa.Table](), list[Part]()
    for extra in by_name(options.extra):
        found = merged_extra(inputs, extra, categories, holdout, extra_images)
        _add_map(maps, found.label_map)
        extras[extra.name] = found.origin
        tallies[extra.name] = found.tallies
        extra_images.append(found.images)
        extra_parts.append(found.part)
    if extra_parts:
        images += extra_images
        more = rows.join_rows(extra_parts, first_id=len(annotations) + 1)
        annotations = pa.concat_tables([annotations, more])
        del extra_parts, more
    contradictory = 0
    if open_images is not None and label_map is not None:
        _add_map(maps, label_map)
        merged = open_images.result()
        images.append(merged.images)
        last = rows.join_rows([merged.part], first_id=len(annotations) + 1)
        annotations = pa.concat_tables([annotations, last])
        tallies["open_images"] = merged.tallies
        contradictory = merged.contradictory
    version = lvis_version(categories)
    with inputs.stages.stage("counting"):
        all_images = rows.join_images(images)
        annotations = inputs.corrections.with_new_categories(annotations, all_images, categories)
        table = rows.category_table(
            categories,
            rows.merged_counts(all_images, annotations, ids),
            {
                "image_count_lvis": pa.array(own.images),
                "instance_count_lvis": pa.array(own.instances),
                "is_tail": pa.array(tail_categories(own, version, categories["frequency"])),
            },
        )
    return BuildResult(
        all_images,
        annotations,
        table,
        tallies,
        maps,
        version,
        EqlConstants(EQL_LAMBDA.get(version), own.annotated_images),
        holdout if _checked(options) else None,
        splits,
        contradictory,
        extras,
    )


def _add_map(maps: dict[str, bytes], label_map: LabelMap) -> None:
    """Two sources may share a map, but two maps cannot share a name."""
    if maps.setdefault(label_map.name, label_map.data) != label_map.data:
        raise InputError(f"{label_map.name}: two label maps have this name. Rename one.")


def _read_lvis_files(inputs: Inputs) -> dict[str, JsonSource]:
    options = inputs.options
    given = {"train": options.lvis, "val": options.lvis_val, "test": options.lvis_test}
    by_split: dict[str, JsonSource] = {}
    for split, path in given.items():
        if path is None:
            continue
        with inputs.stages.stage(f"LVIS {split}"):
            if split == "test" and "val" in by_split:
                taken = by_split["val"].images["image_id"].to_numpy()
                source = inputs.read(read_lvis, path, test=True, taken=taken)
            else:
                source = inputs.read(read_lvis, path, test=split == "test")
        for kind, number in (("image", source.image_rows), ("annotation", source.annotation_rows)):
            of_kind = source.rejects.filter(pc.equal(source.rejects["kind"], kind))
            inputs.check(of_kind, number)
        if split != "train":
            _same_categories(by_split["train"], source, base_name(path))
        by_split[split] = source
    return by_split


def _same_categories(train: JsonSource, other: JsonSource, name: str) -> None:
    for column in ("category_id", "synset"):
        if train.categories[column].to_pylist() != other.categories[column].to_pylist():
            raise InputError(
                f"{name}: its categories are not those of the train file, so ids would mean other"
                " things. Give train, val and test of one LVIS version."
            )


def _checked(options: BuildOptions) -> bool:
    return bool(options.lvis_val or options.lvis_test or options.holdout)


def held_out(inputs: Inputs, images: list[pa.Table]) -> HoldOut:
    """Ids that no train image may have: those of the given images and of `--holdout`."""
    files = [read_holdout(inputs.local[path], base_name(path)) for path in inputs.options.holdout]
    if not images and not files:
        inputs.warn(
            "leakage was not checked: no --lvis-val, --lvis-test or --holdout file was given"
        )
    return HoldOut.of([*images, *files])
