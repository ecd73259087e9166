"""`manifest.json` is deterministic, complete and read with care."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lvis_merge.errors import InputError
from lvis_merge.manifest import ManifestRecord
from lvis_merge.manifest.record import EqlConstants
from tests.manifest.small import record


def test_a_record_survives_its_file() -> None:
    one = record().replace(eql=EqlConstants(0.00177, 56_740), warnings=("käse",))
    assert ManifestRecord.from_json(one.to_json()) == one


def test_the_file_is_sorted_readable_json() -> None:
    one = record()
    text = one.to_json().decode()
    assert text.endswith("}\n")
    assert '\n  "schema_version": 1,\n  "tool_version": "0.1.0",\n' in text
    shuffled = one.replace(counts=dict(reversed(one.counts.items())))
    assert shuffled.to_json() == one.to_json()
    plain = json.loads(text)
    assert plain["counts"]["coco"]["annotation"] == {
        "in": 5,
        "kept": 3,
        "dropped": {"not_on_an_lvis_image": 2},
        "rejected": 0,
    }
    assert plain["eql"] == {"lambda": None, "annotated_images": 2}
    assert plain["splits"]["train"]["info"] == {"version": "1", "year": 2020}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": "0"}, r"Expected `int`, got `str` - at `\$.seed`"),
        ({"maps": {"a.csv": "12"}}, r"at `\$.maps\[...\]`"),
        ({"counts": {"lvis": {"image": {"in": -1}}}}, r"at `\$.counts"),
        ({"host": "here"}, "unknown field `host`"),
        (
            {"schema_version": 2},
            r"schema version 2, written by lvis-merge 0.1.0; .* reads version 1",
        ),
    ],
)
def test_a_changed_record_is_told(change: dict[str, Any], message: str) -> None:
    plain = json.loads(record().to_json()) | change
    with pytest.raises(InputError, match=message):
        ManifestRecord.from_json(json.dumps(plain).encode())


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"schema_version": 1}', b"\xff"])
def test_other_files_are_no_records(data: bytes) -> None:
    with pytest.raises(InputError, match="not a manifest's record"):
        ManifestRecord.from_json(data)
