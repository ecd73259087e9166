"""Results are read in blocks; where the blocks end does not matter."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from lvis_merge.evaluation import GroundTruth, read_results, result_file, truth_of_lvis
from lvis_merge.evaluation.detections import Detections
from tests.evaluation.world import World, generate

WORLD = generate(5, images=4, crowded=30)


@pytest.fixture
def truth(tmp_path: Path) -> GroundTruth:
    return truth_of_lvis(World(WORLD.truth, []).write(tmp_path)[0])


def assert_all_read(found: Detections) -> None:
    assert found.bbox is not None
    assert found.mask is not None
    assert found.entry.tolist() == list(range(1, len(WORLD.results) + 1))
    for name, values in (
        ("image_id", found.image_id),
        ("category_id", found.category_id),
        ("score", found.score),
        ("bbox", found.bbox),
    ):
        assert values.tolist() == [row[name] for row in WORLD.results]
    assert found.mask.to_pylist() == [row["segmentation"]["counts"] for row in WORLD.results]


TEXTS = {
    "as Python writes it": json.dumps(WORLD.results),
    "without spaces": json.dumps(WORLD.results, separators=(",", ":")),
    "indented": json.dumps(WORLD.results, indent=1) + "\n",
    "with a byte order mark": "\ufeff" + json.dumps(WORLD.results),
    # text that looks like the end of an entry
    "with odd fields": json.dumps(
        [{**row, "note": "a}, {b]", "x": [{}, {}]} for row in WORLD.results]
    ),
}


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("block_bytes", [50, 1000, 1 << 20])
def test_blocks(
    tmp_path: Path,
    truth: GroundTruth,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    block_bytes: int,
) -> None:
    monkeypatch.setattr(result_file, "BLOCK_BYTES", block_bytes)
    path = tmp_path / "results.json"
    path.write_text(TEXTS[name], encoding="utf-8")
    results = read_results(str(path), truth)
    assert results.entries == len(WORLD.results)
    assert_all_read(results.detections)


def test_bad_entries_do_not_hide_others(
    tmp_path: Path, truth: GroundTruth, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(result_file, "BLOCK_BYTES", 700)
    bad = {**WORLD.results[0], "score": float("nan")}
    rows = [row for good in WORLD.results for row in (good, bad, {"image_id": "x"})]
    path = tmp_path / "results.json"
    path.write_text(json.dumps(rows))
    results = read_results(str(path), truth, lenient=True)
    assert results.entries == len(rows)
    assert results.faults.counts == {"score": len(rows) // 3, "malformed": len(rows) // 3}
    assert np.array_equal(results.detections.entry, np.arange(1, len(rows) + 1, 3))
    assert results.detections.score.tolist() == [row["score"] for row in WORLD.results]


def test_compressed(tmp_path: Path, truth: GroundTruth) -> None:
    path = tmp_path / "results.json.gz"
    path.write_bytes(gzip.compress(json.dumps(WORLD.results).encode()))
    assert_all_read(read_results(str(path), truth).detections)
