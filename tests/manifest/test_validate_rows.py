"""Rules that need more than one changed cell to be told from one another."""

from __future__ import annotations

from typing import Any

import pytest

from lvis_merge.manifest.record import EqlConstants, RfsConstants
from lvis_merge.manifest.validate import content
from lvis_merge.sources.files import InputRecord
from tests.manifest.change import changed, counts
from tests.manifest.small import Small, small
from tests.manifest.small_rows import (
    CUP,
    SPOON,
    TEDDY,
)


def findings_of(manifest: Small) -> list[str]:
    return [str(one) for one in content(manifest.tables, manifest.record, manifest.maps)]


@pytest.mark.parametrize(
    ("cells", "text"),
    [
        ({"neg_category_ids": [CUP]}, "category 1 is in neg_category_ids and annotated"),
        ({"neg_category_ids": [SPOON]}, "category 5 is in neg_ and in not_exhaustive"),
        ({"not_exhaustive_category_ids": [TEDDY]}, "category 3 is in not_exhaustive"),
        ({"neg_category_ids": [77]}, "neg_category_ids has a category that is in no row"),
    ],
)
def test_contradictions_of_lvis_are_warnings(cells: dict[str, Any], text: str) -> None:
    one = changed(small(), "images", 0, **cells)
    findings = content(one.tables, one.record, one.maps)
    assert {finding.level for finding in findings} == {"warning"}
    assert any(text in finding.message for finding in findings)


def test_lvis_lists_are_verbatim_and_need_no_order() -> None:
    assert findings_of(changed(small(), "images", 0, neg_category_ids=[TEDDY, 2])) == []


def test_ranks_may_have_gaps_where_options_dropped_rows() -> None:
    one = changed(small(), "annotations", 13, source_annotation_id="000026e7ee790996:9")
    assert any("[rank]" in text for text in findings_of(one))
    with_option = counts("open_images", "box", dropped={"option": 1})
    assert findings_of(Small(one.tables, one.record.replace(counts=with_option), one.maps)) == []


def test_a_corrected_row_is_valid_where_corrections_were_read() -> None:
    # Annotation 6 was a teddy bear and is a cup now: merged counts follow, LVIS's own do not.
    one = changed(small(), "annotations", 5, category_id=CUP, relabelled_from=TEDDY)
    one = changed(one, "categories", 0, image_count=3, instance_count=3, f=0.75)
    one = changed(one, "categories", 2, image_count=1, instance_count=2, f=0.25)
    assert [text for text in findings_of(one) if "[relabelled_from]" in text]
    inputs = (*one.record.inputs, InputRecord("corrections", "mine.csv", 1, "0" * 64))
    relabelled = counts("lvis", "annotation", relabelled=1)
    right = one.record.replace(inputs=inputs, counts=relabelled)
    assert findings_of(Small(one.tables, right, one.maps)) == []
    uncounted = one.record.replace(inputs=inputs)
    assert findings_of(Small(one.tables, uncounted, one.maps)) == [
        "error: manifest.json: counts of lvis: relabelled is 0, and annotations has 1 rows [record]"
    ]


def test_lvis_counts_are_bounds_after_a_hold_out() -> None:
    held = counts("lvis", "annotation", rows_in=6, dropped={"holdout": 1})
    one = changed(small(), "categories", 0, image_count_lvis=2)
    more = Small(one.tables, one.record.replace(counts=held), one.maps)
    assert findings_of(more) == []
    fewer = changed(more, "categories", 0, image_count_lvis=0)
    assert any("[image_count_lvis]" in text for text in findings_of(fewer))


def test_the_best_match_is_the_match() -> None:
    # The spoon becomes a second cup whose box is the COCO box's own.
    one = changed(
        small(),
        "annotations",
        1,
        category_id=CUP,
        source_label="cup",
        bbox=[12.0, 20.0, 100.0, 50.0],
    )
    assert any("annotation 2 has 1.0000" in text for text in findings_of(one))


def test_repeat_factor_is_recomputed_from_f() -> None:
    # With t = 0.45, r(c) = sqrt(0.45 / 0.25) for the spoon, 1 for f = 0.5 and for f = 0.
    one = changed(small(), "categories", 3, repeat_factor=(0.45 / 0.25) ** 0.5)
    with_threshold = one.record.replace(rfs=RfsConstants(0.45))
    texts = findings_of(Small(one.tables, with_threshold, one.maps))
    assert not [text for text in texts if "[repeat_factor]" in text]
    assert any("[repeat_factor]" in text for text in findings_of(one))


def test_rows_that_break_a_rule_alike_are_one_finding() -> None:
    one = changed(small(), "images", 0, width=0)
    one = changed(one, "images", 1, width=-5)
    finding = next(f for f in content(one.tables, one.record, one.maps) if f.rule == "size")
    assert (finding.row, finding.key) == (1, "image_id 9")
    assert finding.message.endswith(", and 1 more row like it")


def test_a_published_version_has_its_frequencies_and_tail() -> None:
    # With lambda 0.0011 and 2 annotated images only the kazoo, without images, is of the tail.
    one = small()
    record = one.record.replace(lvis_version="v1", eql=EqlConstants(0.0011, 2))
    found = [(f.level, f.rule, f.row) for f in content(one.tables, record, one.maps)]
    assert ("error", "is_tail", 3) in found
    assert ("warning", "frequency", 1) in found  # 7 published images are rare


@pytest.mark.parametrize("name", ["open_images.csv", "coco.csv"])
def test_mapped_rows_need_their_map(name: str) -> None:
    one = small()
    others = {other: text for other, text in one.maps.items() if other != name}
    found = [(f.rule, f.table) for f in content(one.tables, one.record, others)]
    assert ("map", "maps") in found
