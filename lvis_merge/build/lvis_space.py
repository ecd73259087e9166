"""A build in LVIS's label space: LVIS objects, COCO ignore regions, Open Images objects."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge import resources
from lvis_merge.build import tables as rows
from lvis_merge.build.inputs import Inputs
from lvis_merge.build.open_images_merge import merged_open_images
from lvis_merge.build.open_images_scan import Scanned, scan_folder
from lvis_merge.build.options import BuildOptions
from lvis_merge.build.result import BuildResult
from lvis_merge.errors import InputError
from lvis_merge.labelmap.read import read_map
from lvis_merge.labelmap.resolve import Resolution, resolve_coco, resolve_open_images
from lvis_merge.labelmap.rows import LabelMap
from lvis_merge.manifest.record import EqlConstants
from lvis_merge.merge.assemble import Part
from lvis_merge.merge.coco_match import match_objects
from lvis_merge.merge.evidence import Evidence, category_lists
from lvis_merge.merge.frequencies import count_objects, tail_categories
from lvis_merge.merge.holdout import HoldOut
from lvis_merge.merge.rules import EQL_LAMBDA
from lvis_merge.merge.tally import KEPT, Tally, first_rule, total
from lvis_merge.sources.coco import read_coco
from lvis_merge.sources.files import base_name
from lvis_merge.sources.holdout import read_holdout
from lvis_merge.sources.lvis import read_lvis
from lvis_merge.sources.lvis_version import lvis_version
from lvis_merge.sources.open_images.folder import OpenImagesFiles
from lvis_merge.sources.tables import JsonSource


@dataclass(frozen=True)
class LvisFiles:
    """The LVIS files of a build, by split; train always."""

    by_split: dict[str, JsonSource]

    @property
    def train(self) -> JsonSource:
        """The train file."""
        return self.by_split["train"]


def build_lvis_space(inputs: Inputs, files: OpenImagesFiles | None) -> BuildResult:
    """Reads and merges the sources.

    Open Images is scanned in a thread of its own while the JSON files are decoded: which of its
    classes are mapped is known from the map, which categories they become only from the LVIS file.
    """
    options = inputs.options
    label_map = read_map(options.mapping or resources.default_map()) if files else None
    with ThreadPoolExecutor(1) as thread:
        scan: Future[Scanned] | None = None
        if files and label_map:
            mids = frozenset(row.source_id for row in label_map.rows)
            scan = thread.submit(scan_folder, inputs, files, mids)
        lvis = _read_lvis_files(inputs)
        coco = None
        if options.coco:
            with inputs.stages.stage("COCO annotations"):
                coco = read_coco(inputs.local[options.coco], masks=False)
            inputs.check(coco.rejects, coco.annotation_rows)
        scanned = scan.result() if scan else None
    return _merge(inputs, lvis, coco, scanned, label_map)


def _read_lvis_files(inputs: Inputs) -> LvisFiles:
    options = inputs.options
    given = {"train": options.lvis, "val": options.lvis_val, "test": options.lvis_test}
    by_split: dict[str, JsonSource] = {}
    for split, path in given.items():
        if path is None:
            continue
        with inputs.stages.stage(f"LVIS {split}"):
            if split == "test" and "val" in by_split:
                taken = by_split["val"].images["image_id"].to_numpy()
                source = read_lvis(inputs.local[path], test=True, taken=taken)
            else:
                source = read_lvis(inputs.local[path], test=split == "test")
        for kind, number in (("image", source.image_rows), ("annotation", source.annotation_rows)):
            of_kind = source.rejects.filter(pc.equal(source.rejects["kind"], kind))
            inputs.check(of_kind, number)
        if split != "train":
            _same_categories(by_split["train"], source, base_name(path))
        by_split[split] = source
    return LvisFiles(by_split)


def _same_categories(train: JsonSource, other: JsonSource, name: str) -> None:
    for column in ("category_id", "synset"):
        if train.categories[column].to_pylist() != other.categories[column].to_pylist():
            raise InputError(
                f"{name}: its categories are not those of the train file, so ids would mean other"
                " things. Give train, val and test of one LVIS version."
            )


def _merge(
    inputs: Inputs,
    lvis: LvisFiles,
    coco: JsonSource | None,
    scanned: Scanned | None,
    label_map: LabelMap | None,
) -> BuildResult:
    options, categories = inputs.options, lvis.train.categories
    version = lvis_version(categories)
    holdout = held_out(
        inputs, [lvis.by_split[s].images for s in ("val", "test") if s in lvis.by_split]
    )
    images, parts, tallies = [], [], {"lvis": _lvis_tallies(lvis, holdout)}
    objects = []
    for split, source in lvis.by_split.items():
        part = _kept(source, holdout) if split == "train" else source
        images.append(rows.json_images("lvis", split, part.images, _published_evidence(part)))
        objects.append(rows.object_rows(part.annotations, categories))
    lvis_rows = pa.concat_tables(objects).combine_chunks()
    parts.append(Part("lvis", lvis_rows))
    maps: dict[str, bytes] = {}
    if coco is not None:
        coco_map = read_map(options.coco_mapping or resources.default_coco_map())
        maps[coco_map.name] = coco_map.data
        resolution = resolve_coco(coco_map, categories, coco.categories)
        report_unresolved(inputs, coco_map, resolution)
        with inputs.stages.stage("COCO ignore regions"):
            regions, tally = _coco_regions(inputs, coco, resolution, lvis, holdout, lvis_rows)
        parts.append(regions)
        tallies["coco"] = {"annotation": tally}
    contradictory = 0
    if scanned is not None and label_map is not None:
        if label_map.name in maps:
            raise InputError(f"{label_map.name}: both label maps have this name. Rename one.")
        maps[label_map.name] = label_map.data
        resolution = resolve_open_images(label_map, categories, scanned.classes.keys())
        report_unresolved(inputs, label_map, resolution)
        merged = merged_open_images(inputs, scanned, resolution.table, holdout, train_only=True)
        images.append(merged.images)
        parts.append(merged.part)
        tallies["open_images"] = merged.tallies
        contradictory = merged.contradictory
    with inputs.stages.stage("joining the sources"):
        all_images = rows.join_images(images)
        annotations = rows.join_rows(parts)
        table, eql = _categories(lvis.train, version, all_images, annotations)
    return BuildResult(
        all_images,
        annotations,
        table,
        tallies,
        maps,
        version,
        eql,
        holdout if _checked(options) else None,
        {split: (source.info, source.licenses) for split, source in lvis.by_split.items()},
        contradictory,
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


def report_unresolved(inputs: Inputs, label_map: LabelMap, resolution: Resolution) -> None:
    """Tells which map rows are not used; under `--strict` they stop the build."""
    if not resolution.unresolved:
        return
    first = resolution.unresolved[0]
    example = f"row {first.row}, {first.source_id} {first.source_name}: {first.why}"
    number = len(resolution.unresolved)
    if inputs.options.strict:
        raise InputError(
            f"{label_map.name}: {number} rows cannot be used ({example}). Remove them or build"
            " without --strict."
        )
    inputs.warn(f"{label_map.name}: {number} rows are not used here ({example})")


def _leaks(source: JsonSource, holdout: HoldOut) -> np.ndarray:
    return holdout.leaks(source.images["image_id"].to_numpy(), source.images["flickr_photo_id"])


def _kept(train: JsonSource, holdout: HoldOut) -> JsonSource:
    """The train file without held-out images and their annotations."""
    leaks = _leaks(train, holdout)
    if not leaks.any():
        return train
    images = train.images.filter(pa.array(~leaks))
    on_kept = pc.is_in(train.annotations["image_id"], value_set=images["image_id"].combine_chunks())
    return JsonSource(images, train.annotations.filter(on_kept), train.categories)


def _lvis_tallies(lvis: LvisFiles, holdout: HoldOut) -> dict[str, Tally]:
    tallies: dict[str, list[Tally]] = {"image": [], "annotation": []}
    for split, source in lvis.by_split.items():
        leaks = _leaks(source, holdout) if split == "train" else np.zeros(len(source.images), bool)
        codes = first_rule(len(leaks), {"holdout": leaks})
        place = pc.index_in(source.annotations["image_id"], value_set=source.images["image_id"])
        kinds = source.rejects["kind"].to_pylist()
        tallies["image"].append(Tally.of(codes, kinds.count("image")))
        tallies["annotation"].append(Tally.of(codes[place.to_numpy()], kinds.count("annotation")))
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


def _coco_regions(
    inputs: Inputs,
    coco: JsonSource,
    resolution: Resolution,
    lvis: LvisFiles,
    holdout: HoldOut,
    lvis_rows: pa.Table,
) -> tuple[Part, Tally]:
    """COCO boxes on LVIS train images as ignore rows."""
    boxes, train = coco.annotations, lvis.train
    place = pc.index_in(boxes["image_id"], value_set=train.images["image_id"]).fill_null(-1)
    place = place.to_numpy()
    leaks = np.append(_leaks(train, holdout), False)[place]
    rules = {"not_on_an_lvis_image": place < 0, "holdout": leaks}
    wanted = first_rule(len(boxes), rules) == KEPT
    if inputs.options.coco_boxes == "off":
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
    if inputs.options.coco_boxes == "unmatched":
        rules["option"] = np.zeros(len(wanted), dtype=bool)
        rules["option"][np.flatnonzero(wanted)[matched >= 0]] = True
        table = table.filter(pa.array(matched < 0))
    tally = Tally.of(first_rule(len(wanted), rules), coco.rejects.num_rows)
    return Part("coco", table), tally


def _categories(
    train: JsonSource, version: str, images: pa.Table, annotations: pa.Table
) -> tuple[pa.Table, EqlConstants]:
    ids = train.categories["category_id"].to_numpy().astype(np.int64)
    own = count_objects(
        train.annotations["image_id"].to_numpy(),
        train.annotations["category_id"].to_numpy().astype(np.int64),
        ids,
    )
    table = rows.category_table(
        train.categories,
        rows.merged_counts(images, annotations, ids),
        {
            "image_count_lvis": pa.array(own.images),
            "instance_count_lvis": pa.array(own.instances),
            "is_tail": pa.array(tail_categories(own, version, train.categories["frequency"])),
        },
    )
    return table, EqlConstants(EQL_LAMBDA.get(version), own.annotated_images)
