"""A small experiment on disk, with figures whose means and intervals are known."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

RUNS = {"draw0_seed0": "draw 0", "draw0_seed1": "draw 0", "draw1_seed0": "draw 1", "d1": "draw 1"}
FILE = (
    'title = "Road map on a CPU"\n'
    + "".join(f'[[run]]\nname = "{name}"\ngroup = "{group}"\n' for name, group in RUNS.items())
    + """
[[setting]]
key = "rfs"
name = "BCE + RFS"
step = "challenge_baseline"
[[setting]]
key = "oi"
name = "+ Open Images"
step = "challenge_open_images"
[[setting]]
key = "eql"
name = "EQL [bold]"
[[comparison]]
setting = "oi"
over = "rfs"
[[comparison]]
setting = "eql"
over = "rfs"
"""
)
RARE = {"rfs": (0.10, 0.12, 0.11, 0.09), "oi": (0.12, 0.13, 0.14, 0.09)}
"""AP_r by run: Open Images brings 2, 1, 3 and 0 points."""

AP = {"rfs": (0.20, 0.22, 0.21, 0.23), "oi": (0.23, 0.25, 0.24, 0.26)}
"""Three points in every run."""

EXHAUSTIVE = (0.15, 0.17, 0.16, 0.18)


def evaluation(ap: float, rare: float, group: str, **changes: Any) -> dict[str, Any]:
    """What `evaluate --json` prints; groups have ground truths of their own."""
    scores = {"AP": ap, "AP_r": rare, "AP_c": ap, "AP_f": 0.5}
    objects = 900 + len(group) + int(group[-1])
    plain = {"results": "r.json", "ground_truth": f"{group}/world (val)", "images": 400,
             "objects": objects, "bbox": {**scores, "AP": ap + 0.1}, "segm": scores}  # fmt: skip
    return {**plain, **changes}


def write(path: Path, value: Mapping[str, Any]) -> None:
    """Writes JSON, with its folder."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(value))


def write_experiment(folder: Path, settings: Sequence[str] = ("rfs", "oi")) -> Path:
    """Two settings in four runs of two groups; a third one has no run."""
    (folder / "experiment.toml").write_text(FILE)
    for key in settings:
        for place, (run, group) in enumerate(RUNS.items()):
            write(folder / run / f"{key}.json", evaluation(AP[key][place], RARE[key][place], group))
    for place, (run, group) in enumerate(RUNS.items()):
        truth = {"ground_truth": f"{group}/all (val)", "objects": 2000 + int(group[-1])}
        found = evaluation(EXHAUSTIVE[place], 0.05, group, **truth)
        write(folder / run / "rfs.exhaustive.json", found)
    return folder
