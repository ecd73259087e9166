from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from lvis_merge.sources.lvis_version import lvis_version

REFERENCE = Path(__file__).parents[3] / "shared" / "reference"


def categories(rows: list[tuple[int, str]]) -> pa.Table:
    return pa.table({"category_id": [row[0] for row in rows], "synset": [row[1] for row in rows]})


@pytest.mark.skipif(not REFERENCE.is_dir(), reason="the published lists are not here")
@pytest.mark.parametrize("version", ["v0.5", "v1"])
def test_published_lists_are_known_as_a_set(version):
    listed = json.loads((REFERENCE / f"lvis_{version}_categories.json").read_text())
    rows = [(row["id"], row["synset"]) for row in listed]
    assert lvis_version(categories(rows)) == version
    assert lvis_version(categories(rows[::-1])) == version
    assert lvis_version(categories(rows[:-1])) == "custom"
    assert lvis_version(categories([*rows[:-1], (rows[-1][0], "cat.n.01")])) == "custom"
    assert lvis_version(categories([*rows[:-1], (rows[-1][0] + 1, rows[-1][1])])) == "custom"


def test_any_other_list_is_custom():
    assert lvis_version(categories([])) == "custom"
    assert lvis_version(categories([(1, "cat.n.01")])) == "custom"
