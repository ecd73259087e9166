"""The experiment of `make road-map`: its plan, and a short run of it from start to end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lvis_merge import manifest as manifests

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
RUN = (sys.executable, str(BENCHMARKS / "road_map.py"))
SHORT = (
    "--small", "--draws", "1", "--seeds", "1", "--steps", "8", "--pretrain-steps", "8",
    "--settings", "bce", "rfs",
)  # fmt: skip


@pytest.fixture
def road_map(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The modules of the experiment, which is a script and no part of the package."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    import road_map_jobs
    import road_map_settings

    return road_map_jobs, road_map_settings


def test_every_setting_is_paired_and_every_job_can_begin(road_map: Any, tmp_path: Path) -> None:
    jobs, settings = road_map
    draw = jobs.Draw(tmp_path / "draw0", 0, jobs.Lengths())
    run = jobs.Run(tmp_path / "draw0_seed0", draw, 0)
    planned = [*draw.jobs(experts=True), *(run.job(setting) for setting in settings.SETTINGS)]
    before: set[str] = set()
    for job in planned:
        assert job.name not in before
        assert before.issuperset(job.after), job.name
        before.add(job.name)
    made = [command.makes for job in planned for command in job.commands]
    assert len(made) == len(set(made))
    keys = {setting.key for setting in settings.SETTINGS}
    assert {key for pair in settings.COMPARISONS for key in pair} == keys


def test_settings_bring_what_they_go_on_from(road_map: Any) -> None:
    _, settings = road_map
    found = [setting.key for setting in settings.chosen(["multi_scale_masks"])]
    assert found == ["open_images", "multi_scale_boxes", "ensemble", "multi_scale_masks"]


def test_runs_are_as_long_as_the_recipes_say(road_map: Any) -> None:
    """The checkpoints' names follow from it, and so does the end of the learning rate's fall."""
    from lvis_merge.training.recipe import load_recipe
    from lvis_merge.training.recipe.stack import import_stack

    jobs, settings = road_map
    import_stack()
    recipes = {setting.recipe for setting in settings.SETTINGS if setting.recipe}
    for recipe in (*recipes, *jobs.EXPERTS.values()):
        assert jobs.Lengths().of(recipe) == load_recipe(recipe).train_cfg.max_iters, recipe


@pytest.mark.slow
def test_a_short_run_completes_and_rfs_shows_rare_images_more_often(tmp_path: Path) -> None:
    out = tmp_path / "road_map"
    told = _call(*RUN, "--out", out, *SHORT)
    assert "4/4" in told
    for setting in ("bce", "rfs"):
        for file in (f"{setting}.json", f"{setting}.exhaustive.json"):
            scores = json.loads((out / "draw0_seed0" / file).read_text("utf-8"))
            assert 0 <= scores["segm"]["AP"] <= 1
    # what is there is not done again
    assert _call(*RUN, "--out", out, *SHORT).count("\n") == 0
    manifest = out / "draw0" / "lvis"
    assert _rare_share("mini_rfs", manifest) > _rare_share("mini_bce", manifest)


def _call(*command: str | Path) -> str:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stderr


def _rare_share(recipe: str, manifest: Path) -> float:
    """Share of the images in a recipe's epochs on which LVIS has a rare category."""
    from lvis_merge.training.recipe import load_recipe, resolve
    from lvis_merge.training.recipe.build import build_dataset, build_sampler
    from lvis_merge.training.recipe.stack import import_stack

    import_stack()
    config = resolve(load_recipe(recipe), manifest, world_size=1, training=False)
    dataset = build_dataset(config.train_dataloader, "train_dataloader")
    repeats = build_sampler(config.train_dataloader, dataset).repeat_factors
    opened = manifests.open(manifest)
    categories = opened.arrow("categories").to_pandas().set_index("category_id")
    objects = opened.arrow("annotations").to_pandas().query("role == 'object'")
    rare = objects.category_id.map(categories.frequency) == "r"
    shown = np.isin(dataset.image_ids, objects.image_id[rare])
    return float(repeats[shown].sum() / repeats.sum())
