"""`manifests/README.md` says what the schema and the rules say."""

from __future__ import annotations

import pytest

from lvis_merge.errors import InputError
from lvis_merge.manifest.docs import README, begin, columns_table, with_columns
from lvis_merge.manifest.record import ManifestRecord
from lvis_merge.manifest.schema import ANNOTATIONS, IMAGES
from lvis_merge.merge.rules import DROP_RULES, IGNORE_REASONS
from lvis_merge.sources.tables import REJECT_REASONS


def test_the_readme_has_the_declared_columns() -> None:
    text = README.read_text("utf-8")
    assert with_columns(text) == text, "run: python -m lvis_merge.manifest.docs"


@pytest.mark.parametrize(
    "name",
    [*DROP_RULES, *IGNORE_REASONS, *REJECT_REASONS, *ManifestRecord.__struct_fields__],
)
def test_the_readme_explains_every_rule_reason_and_key(name: str) -> None:
    rows = [line for line in README.read_text("utf-8").splitlines() if line.startswith("|")]
    assert any(f"`{name}`" in row.split("|")[1] for row in rows)


def test_a_column_row_tells_type_null_and_values() -> None:
    lines = columns_table(ANNOTATIONS).splitlines()
    assert "| `bbox` | 4 × float32 | x, y, w, h in pixels |" in lines
    assert any(
        line.startswith("| `segmentation` | list of list of float32, or null |") for line in lines
    )
    assert any(line.endswith("One of `object`, `ignore` |") for line in lines)


def test_missing_markers_are_told() -> None:
    text = README.read_text("utf-8").replace(begin(IMAGES), "")
    with pytest.raises(InputError, match="markers of images are missing"):
        with_columns(text)
