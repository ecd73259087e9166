"""The settings of the road map on a CPU, and what each is compared with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Setting:
    """A way to train, or to test what another setting trained.

    Attributes:
        key: what its files are called.
        name: for people.
        recipe: trains it; empty: `tests` says whose model is tested in another way.
        tests: key of the setting whose model it tests.
        step: the published step it stands for, as `lvis-merge roadmap` calls it; may be empty.
        needs: keys of the settings whose files it goes on from.
    """

    key: str
    name: str
    recipe: str = ""
    tests: str = ""
    step: str = ""
    needs: tuple[str, ...] = ()


SETTINGS = (
    Setting("bce", "BCE", "mini_bce"),
    Setting("eql", "EQL", "mini_eql"),
    Setting("rfs", "BCE + RFS", "mini_rfs"),
    Setting("eql_rfs", "EQL + RFS", "mini_eql_rfs"),
    Setting("coco_all", "COCO: all", "mini_coco_all", step="challenge_baseline"),
    Setting("coco_unmatched", "COCO: unmatched", "mini_coco_unmatched"),
    Setting("coco_iou", "COCO: all, by IoU", "mini_coco_iou"),
    Setting("coco_unmatched_iou", "COCO: unmatched, by IoU", "mini_coco_unmatched_iou"),
    Setting("coco_tail", "COCO: all, tail mend", "mini_coco_tail"),
    Setting("open_images", "Open Images", "mini_open_images", step="challenge_open_images"),
    Setting("all_negative", "OI: all negative", "mini_open_images_all_negative"),
    Setting("rfs_merged", "OI: RFS merged", "mini_open_images_merged"),
    Setting("eql_merged", "OI: EQL merged", "mini_open_images_eql_merged"),
    Setting("merged", "OI: all that helped", "mini_merged"),
    Setting(
        "multi_scale_boxes",
        "multi-scale boxes",
        tests="open_images",
        step="multi_scale_boxes",
        needs=("open_images",),
    ),
    Setting(
        "ensemble",
        "experts",
        tests="open_images",
        step="ensemble",
        needs=("multi_scale_boxes",),
    ),
    Setting(
        "multi_scale_masks",
        "multi-scale masks",
        tests="open_images",
        step="multi_scale_masks",
        needs=("ensemble",),
    ),
)
COMPARISONS = (
    ("eql", "bce"),
    ("rfs", "bce"),
    ("eql_rfs", "rfs"),
    ("eql_rfs", "eql"),
    ("coco_all", "eql_rfs"),
    ("coco_unmatched", "eql_rfs"),
    ("coco_unmatched", "coco_all"),
    ("coco_iou", "coco_all"),
    ("coco_unmatched_iou", "coco_unmatched"),
    ("coco_unmatched_iou", "coco_iou"),
    ("coco_unmatched_iou", "eql_rfs"),
    ("coco_tail", "coco_all"),
    ("coco_tail", "eql_rfs"),
    ("open_images", "coco_all"),
    ("open_images", "eql_rfs"),
    ("open_images", "all_negative"),
    ("rfs_merged", "open_images"),
    ("eql_merged", "open_images"),
    ("merged", "open_images"),
    ("merged", "coco_unmatched_iou"),
    ("merged", "eql_rfs"),
    ("multi_scale_boxes", "open_images"),
    ("ensemble", "multi_scale_boxes"),
    ("multi_scale_masks", "ensemble"),
)


def chosen(keys: Sequence[str]) -> tuple[Setting, ...]:
    """The settings of these keys and all that they go on from; every one without keys.

    Raises:
        KeyError: no such setting.
    """
    by_key = {setting.key: setting for setting in SETTINGS}
    wanted = set(keys) or set(by_key)
    while more := {need for key in wanted for need in by_key[key].needs} - wanted:
        wanted |= more
    return tuple(setting for setting in SETTINGS if setting.key in wanted)


def experiment_file(settings: Sequence[Setting], draws: int, seeds: int) -> str:
    """`experiment.toml`, which `lvis-merge roadmap` reads."""
    keys = {setting.key for setting in settings}
    lines = ['title = "Road map on a CPU"', ""]
    for draw in range(draws):
        for seed in range(seeds):
            lines += ["[[run]]", f'name = "{run_name(draw, seed)}"', f'group = "draw {draw}"', ""]
    for setting in settings:
        name = json.dumps(setting.name, ensure_ascii=False)
        lines += ["[[setting]]", f'key = "{setting.key}"', f"name = {name}"]
        lines += [f'step = "{setting.step}"'] if setting.step else []
        lines.append("")
    for setting, over in COMPARISONS:
        if {setting, over} <= keys:
            lines += ["[[comparison]]", f'setting = "{setting}"', f'over = "{over}"', ""]
    return "\n".join(lines)


def run_name(draw: int, seed: int) -> str:
    """What the folder of a run is called."""
    return f"draw{draw}_seed{seed}"
