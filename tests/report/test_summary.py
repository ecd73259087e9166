import json

import pyarrow as pa
import pytest

from lvis_merge.manifest.tables import Tables
from lvis_merge.report.frequency import GroupCount
from lvis_merge.report.summary import Summary, summarise, to_json
from lvis_merge.report.tallies import (
    EvidenceCount,
    IgnoreCount,
    InputCount,
    RejectCount,
    SourceCount,
)
from tests.report import small


@pytest.fixture(scope="module")
def summary() -> Summary:
    return summarise(small.three_sources(), small.record())


def test_rows_are_counted_by_their_own_source_and_their_images_split(summary):
    assert summary.sources == (
        # COCO has rows on LVIS images and no image of its own
        SourceCount("lvis", "train", 2, 2, 4, 4, 0),
        SourceCount("lvis", "val", 1, 1, 1, 1, 0),
        SourceCount("coco", "train", 0, 0, 0, 0, 2),
        SourceCount("open_images", "train", 1, 1, 2, 0, 2),
    )
    assert [one.objects_box_only for one in summary.sources] == [0, 0, 0, 2]


def test_totals_are_over_all_splits(summary):
    totals = summary.totals
    assert (totals.images, totals.train_images) == (4, 3)
    assert (totals.objects, totals.objects_with_mask, totals.ignore_regions) == (7, 5, 4)
    # dog has an object on a val image only
    assert (totals.categories, totals.categories_with_objects) == (3, 2)
    assert totals.tail_categories == 2


def test_images_from_other_sources_are_what_a_category_gained(summary):
    added = {c.name: (c.images_before, c.images_after, c.images_added) for c in summary.categories}
    # two boxes on one Open Images image are one image
    assert added == {"banjo": (1, 2, 1), "cat": (2, 2, 0), "dog": (0, 0, 0)}
    assert [one.name for one in summary.rare_gains] == ["banjo"]


def test_a_category_with_ignore_regions_only_is_mapped_and_has_no_image(summary):
    mapped = [(one.name, one.images_open_images) for one in summary.open_images]
    assert mapped == [("banjo", 1), ("dog", 0)]
    assert any("1 mapped category has only ignore regions" in text for text in summary.warnings)


def test_groups_are_lvis_groups_and_tell_where_their_categories_went():
    made = small.three_sources()
    # banjo rises to common, cat stays, dog (frequent in LVIS) has no image and ends as rare
    merged = pa.array(["c", "c", "r"])
    place = made.categories.schema.get_field_index("frequency_merged")
    field = made.categories.schema.field(place)
    categories = made.categories.set_column(place, field, merged)
    groups = summarise(
        Tables(made.images, made.annotations, categories, made.rejects), small.record()
    ).groups
    assert groups == (
        GroupCount("r", 1, 1, 1, 3, 1, (("c", 1),)),
        GroupCount("c", 1, 2, 3, 3, 0, (("c", 1),)),
        GroupCount("f", 1, 0, 0, 0, 0, (("r", 1),)),
    )


def test_ignore_regions_are_counted_by_source_and_reason(summary):
    assert summary.ignore_regions == (
        IgnoreCount("coco", "coco_box", regions=1, images=1, with_category=1, matched=1),
        IgnoreCount("coco", "crowd", regions=1, images=1, with_category=0, matched=0),
        IgnoreCount("open_images", "unmapped", regions=1, images=1, with_category=0, matched=0),
        IgnoreCount("open_images", "group_of", regions=1, images=1, with_category=1, matched=0),
    )


def test_evidence_is_summed_over_the_images_lists(summary):
    assert summary.evidence == (
        EvidenceCount("lvis", "train", 2, positive=3, negative=1, not_exhaustive=1),
        EvidenceCount("lvis", "val", 1, positive=1, negative=0, not_exhaustive=0),
        EvidenceCount("open_images", "train", 1, positive=2, negative=1, not_exhaustive=1),
    )


def test_input_rows_are_in_the_order_of_merge_kind_and_rule(summary):
    assert summary.inputs == (
        InputCount("lvis", "image", 3, 3, (), 0),
        # a rule that met no row is left out
        InputCount("lvis", "annotation", 5, 5, (), 0),
        InputCount("coco", "annotation", 4, 2, (), 2),
        InputCount("open_images", "box", 20, 4, (("holdout", 7), ("not_selected", 9)), 0),
    )


def test_rejects_are_counted_with_the_first_row(summary):
    assert summary.rejects == (RejectCount("coco", "c.json", "annotation", "box", 2, 4),)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        # nothing to compare with
        ({"holdout": None}, True),
        # checked
        ({}, False),
        # the build said it in its own words: told once
        ({"holdout": None, "warnings": ("leakage was not looked for",)}, False),
    ],
)
def test_unchecked_leakage_is_a_warning(changes, told):
    warnings = summarise(small.three_sources(), small.record(**changes)).warnings
    assert any("Leakage was not checked" in text for text in warnings) is told
    assert set(changes.get("warnings", ())) <= set(warnings)


@pytest.mark.parametrize("source", ["coco", "open_images"])
def test_other_label_spaces_have_no_counts_before_the_merge(source):
    record = small.record(label_space=source, lvis_version=None, counts={})
    summary = summarise(small.own_label_space(source), record)
    assert [(g.group, g.categories_before, g.categories_after) for g in summary.groups] == [
        ("r", None, 2),
        ("c", None, 0),
        ("f", None, 0),
    ]
    assert summary.rare_gains == ()
    assert summary.totals.tail_categories is None
    assert [epoch.counts for epoch in summary.sampling] == ["merged"]
    # Open Images images are told per category there too
    assert [c.images_open_images for c in summary.open_images] == (
        [2, 1] if source == "open_images" else []
    )


def test_an_empty_manifest_is_counted():
    summary = summarise(small.tables([], [], []), small.record(counts={}))
    assert summary.totals.images == 0
    assert summary.sampling[0].ratio == 1.0
    assert "There is no train image." in summary.warnings


def test_extras_follow_the_known_sources_by_name():
    made = small.tables([small.image(1), small.image(2, "zoo"), small.image(3, "ants")], [], [])
    summary = summarise(made, small.record())
    assert [one.source for one in summary.sources] == ["lvis", "ants", "zoo"]


def test_mask_columns_can_be_one_bool_column():
    made = small.three_sources()
    has_mask = made.annotations["segmentation"].is_valid()
    lean = made.annotations.drop_columns(["segmentation", "mask_rle"])
    lean = lean.append_column("has_mask", has_mask)
    assert (
        summarise(Tables(made.images, lean, made.categories, made.rejects), small.record()).sources
        == summarise(made, small.record()).sources
    )


def test_json_has_the_documented_keys_and_plain_values(summary):
    plain = to_json(summary)
    assert set(plain) == {
        "record", "totals", "sources", "groups", "categories", "rare_gains", "open_images",
        "evidence", "ignore_regions", "inputs", "rejects", "sampling", "warnings",
    }  # fmt: skip
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain["record"]["label_space"] == "lvis"
    assert plain["sources"][3]["objects_box_only"] == 2
    assert plain["sampling"][0]["ratio"] == 1.0
    assert plain["inputs"][3]["dropped"] == {"holdout": 7, "not_selected": 9}
    assert plain["groups"][0]["moves_to"] == {"r": 1}
    assert plain["rare_gains"][0]["name"] == "banjo"
