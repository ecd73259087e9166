"""Which categories are tail: n_j < λ·N_a, or what LVIS calls rare and common."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from mmdet.registry import MODELS

from lvis_merge.errors import InputError
from lvis_merge.manifest.record import EqlConstants
from lvis_merge.manifest.schema import CATEGORIES
from lvis_merge.training.losses import EqualizationLoss
from lvis_merge.training.losses.tail import tail_of_frequencies, tail_of_manifest
from tests.manifest.other_spaces import coco_small
from tests.manifest.small import small, table
from tests.manifest.small_rows import categories
from tests.pipeline.running import ROOT

REFERENCE = ROOT.parent / "shared" / "reference"
IMAGES = (100, 3, 101, 1770)  # of LVIS; λ·N_a is 100.3 below
MERGED = (100, 150, 180, 1770)


def write(folder: Path, version: str = "v0.5", lambda_: float | None = 0.00177) -> Path:
    """A manifest of four categories; custom lists have no λ."""
    rows = [
        row
        | {
            "image_count_lvis": IMAGES[place],
            "image_count": MERGED[place],
            "is_tail": row["frequency"] != "f" if lambda_ is None else IMAGES[place] < 100.3,
        }
        for place, row in enumerate(categories())
    ]
    made = small()
    record = made.record.replace(lvis_version=version, eql=EqlConstants(lambda_, 56_667))
    tables = replace(made.tables, categories=table(CATEGORIES, rows))
    return replace(made, tables=tables, record=record).write(folder / version)


@pytest.mark.parametrize(
    ("lambda_", "counts", "expected"),
    [
        (None, "lvis", [True, True, False, False]),  # the manifest's own λ, its is_tail
        (0.00177, "lvis", [True, True, False, False]),
        (0.0018, "lvis", [True, True, True, False]),  # 102.0
        (100 / 56_667, "lvis", [False, True, False, False]),  # strictly below
        # boxes from elsewhere lift the second one out, over LVIS's own N_a
        (None, "merged", [True, False, False, False]),
        (0.003, "merged", [True, True, False, False]),  # 170.0
    ],
)
def test_the_tail_of_a_manifest(
    lambda_: float | None, counts: str, expected: list[bool], tmp_path: Path
) -> None:
    folder = write(tmp_path)
    assert tail_of_manifest(folder, lambda_, counts).tolist() == expected
    loss = MODELS.build(
        {"type": "EqualizationLoss", "manifest": str(folder), "lambda_": lambda_, "counts": counts}
    )
    assert loss.is_tail.tolist() == expected
    assert (loss.is_tail.dtype, loss.num_classes) == (torch.bool, 4)
    assert not loss.state_dict()  # not in checkpoints: another manifest has another tail


@pytest.mark.parametrize("counts", ["lvis", "merged"])
def test_on_a_custom_list_the_tail_is_rare_and_common(counts: str, tmp_path: Path) -> None:
    folder = write(tmp_path, "custom", None)
    assert tail_of_manifest(folder, None, counts).tolist() == [False, True, True, False]
    # a λ that is asked for holds there too
    assert tail_of_manifest(folder, 0.00177, "lvis").tolist() == [True, True, False, False]


def test_other_label_spaces_have_no_tail(tmp_path: Path) -> None:
    folder = coco_small().write(tmp_path / "m")
    tail = tail_of_manifest(folder)
    assert len(tail) > 0
    assert not tail.any()
    assert not EqualizationLoss(manifest=folder).is_tail.any()


@pytest.mark.parametrize(
    "frequencies",
    [
        pytest.param([0.001, 0.00177, 0.002], id="list"),
        pytest.param(np.array([0.001, 0.00177, 0.002]), id="array"),
        pytest.param(torch.tensor([0.001, 0.00177, 0.002], dtype=torch.float64), id="tensor"),
    ],
)
def test_frequencies_strictly_below_lambda_are_tail(frequencies: object) -> None:
    loss = EqualizationLoss(frequencies=frequencies)  # type: ignore[arg-type]
    assert loss.is_tail.tolist() == [True, False, False]
    assert "tail=1 of 3" in repr(loss)


@pytest.mark.skipif(not REFERENCE.is_dir(), reason=f"{REFERENCE} is not there")
@pytest.mark.parametrize(
    ("version", "annotated", "lambda_", "rare_common_frequent"),
    [
        ("v0.5", 56_740, 0.00177, (454, 461, 0)),  # exactly the rare and common ones, 915
        ("v1", 99_388, 0.0011, (337, 461, 17)),  # 815
    ],
)
def test_the_published_lambdas(
    version: str, annotated: int, lambda_: float, rare_common_frequent: tuple[int, int, int]
) -> None:
    rows = json.loads((REFERENCE / f"lvis_{version}_categories.json").read_text())
    tail = tail_of_frequencies([row["image_count"] / annotated for row in rows], lambda_)
    groups = np.array([row["frequency"] for row in rows])
    assert tuple(int((tail & (groups == group)).sum()) for group in "rcf") == rare_common_frequent


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "either frequencies or manifest"),
        ({"frequencies": [0.1], "manifest": "m"}, "either frequencies or manifest"),
        ({"frequencies": [0.1, 0.2], "lambda_": None}, "lambda_ is None"),
        ({"frequencies": [[0.1]]}, "one number >= 0 per category"),
        ({"frequencies": [float("nan")]}, "one number >= 0 per category"),
        ({"frequencies": ["rare"]}, "one number >= 0 per category"),
        ({"frequencies": [0.1, 0.2], "num_classes": 3}, "num_classes is 3"),
        ({"manifest": "nowhere"}, "no such folder"),
        ({"manifest": "nowhere", "counts": "both"}, "counts 'both' are unknown"),
    ],
)
def test_what_cannot_be_used_is_told(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        EqualizationLoss(**options)  # type: ignore[arg-type]


def test_the_manifests_number_of_categories_is_checked(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="num_classes is 5, but the manifest has 4"):
        EqualizationLoss(manifest=write(tmp_path), lambda_=None, num_classes=5)
