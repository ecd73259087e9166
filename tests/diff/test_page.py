"""The diff's page: whole, loads nothing, escapes what users wrote, says what changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from lvis_merge.diff.page import render
from lvis_merge.diff.result import Diff
from tests.diff.changing import Rows, changed, diff_of
from tests.manifest.small import Small, small
from tests.report.test_html import Tags


@pytest.fixture
def found(tmp_path: Path) -> Diff:
    def change(rows: Rows) -> None:
        rows[0]["area"] = 1.0
        rows[10].update(role="object", ignore_reason=None)
        del rows[5]

    made = changed("annotations", change)
    record = made.record.replace(options={**made.record.options, "images": 7})
    return diff_of(small(), Small(made.tables, record, made.maps), tmp_path)


def test_the_page_is_well_formed_and_loads_nothing(found: Diff) -> None:
    tags = Tags(render(found))
    assert tags.open == []
    assert not {"script", "link", "iframe", "object", "embed", "base", "img"} & {
        name for name, _ in tags.seen
    }


@pytest.mark.parametrize(
    "words",
    [
        "<h1>Boxes: 1 removed, 2 changed</h1>",
        "categories have other objects",
        "<td>teddy_bear</td>",
        "object: spoon",
        "ignore_reason: group_of → —",
        "prefers-color-scheme: dark",
        '<td class="wrap">images</td>',
    ],
)
def test_the_page_says(found: Diff, words: str) -> None:
    assert words in render(found)


def test_a_page_of_equal_manifests(tmp_path: Path) -> None:
    text = render(diff_of(small(), small(), tmp_path))
    assert Tags(text).open == []
    assert "<h1>Nothing differs</h1>" in text
    assert "Versions, options, inputs and the counts of input rows are the same." in text


def test_text_of_users_is_escaped(tmp_path: Path) -> None:
    nasty = "<script>alert('1')</script>"

    def name(rows: Rows) -> None:
        rows[0]["name"] = nasty

    def area(rows: Rows) -> None:
        rows[0]["area"] = 1.0

    made = changed("annotations", area, changed("categories", name))
    record = made.record.replace(options={nasty: nasty})
    text = render(diff_of(small(), Small(made.tables, record, made.maps), tmp_path))
    assert "<script" not in text
    assert Tags(text).open == []
