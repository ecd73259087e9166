"""Two ranks, each with every other image: the figures of one process, told to both."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from lvis_merge.training.metric import LVISFederatedMetric
from tests.pipeline.running import environment
from tests.training.metric.scored_world import scored_world

_RANK = """
import sys
import torch
import torch.distributed as dist
from lvis_merge.training.metric import LVISFederatedMetric

manifest, samples, store, rank, answer = sys.argv[1:]
dist.init_process_group("gloo", init_method=f"file://{store}", rank=int(rank), world_size=2)
every = torch.load(samples)
every += every[:1]  # 9 images: the sampler gives the second rank the first image again
metric = LVISFederatedMetric(manifest)
metric.process({}, every[int(rank)::2])
torch.save(metric.evaluate(9), answer)
dist.destroy_process_group()
"""


def test_two_ranks_as_one(tmp_path: Path) -> None:
    import torch

    world = scored_world(tmp_path)
    samples, store = tmp_path / "samples.pt", tmp_path / "store"
    torch.save(world.samples, samples)
    workplace = tmp_path / "workplace"
    workplace.mkdir()
    answers = [tmp_path / f"answer_{rank}.pt" for rank in range(2)]
    ranks = [
        subprocess.Popen(
            [sys.executable, "-c", _RANK, world.manifest, samples, store, str(rank), answer],
            env=environment(OMP_NUM_THREADS="1"),
            cwd=workplace,
        )
        for rank, answer in enumerate(answers)
    ]
    assert [rank.wait(timeout=120) for rank in ranks] == [0, 0]
    assert not list(workplace.iterdir())  # no files on the way: nodes need not share a folder

    metric = LVISFederatedMetric(str(world.manifest))
    metric.process({}, world.samples)
    alone = metric.evaluate(len(world.samples))
    for answer in answers:
        assert torch.load(answer) == alone
