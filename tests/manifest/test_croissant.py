"""The description is valid Croissant and its records can be read without a network."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from lvis_merge.manifest.schema import TABLES
from tests.manifest.small import small


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return small().write(tmp_path / "m")


def test_every_table_and_column_is_described(folder: Path) -> None:
    document = json.loads((folder / "croissant.json").read_bytes())
    described = {
        one["@id"]: [field["name"] for field in one["field"]] for one in document["recordSet"]
    }
    assert described == {spec.name: spec.schema.names for spec in TABLES}
    assert "date" not in "".join(document).lower()


def test_mlcroissant_reads_it_offline(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlcroissant = pytest.importorskip("mlcroissant")

    def refuse(*_: Any) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    dataset = mlcroissant.Dataset(str(folder / "croissant.json"))
    assert not dataset.metadata.ctx.issues.errors
    images = list(dataset.records("images"))
    assert [record["images/image_id"] for record in images][:3] == [9, 25, 139]
    assert images[0]["images/pos_category_ids"] == [1, 5]
    categories = list(dataset.records("categories"))
    assert [record["categories/name"] for record in categories][:2] == [b"cup", b"kazoo"]
    first = next(iter(dataset.records("annotations")))
    assert first["annotations/bbox"] == [10.5, 20.0, 100.0, 50.0]
    assert [len(part) for part in first["annotations/segmentation"]] == [6, 8]
