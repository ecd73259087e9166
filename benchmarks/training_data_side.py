"""One measured process of `training_data.py`: opens a dataset, then samples with its workers.

Told by arguments what to open; each line of stdin is a number of workers, and the line of stdout
that answers it says that they have drawn their samples and wait.
"""

from __future__ import annotations

import contextlib
import gc
import json
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS

from lvis_merge.training.data import ManifestDataset

FEW = 16
"""Images of the dataset that stands for processes without data."""


@TRANSFORMS.register_module()
class FrameWithoutPixels(BaseTransform):
    """What loading an image would tell the annotations."""

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        results["ori_shape"] = results["img_shape"] = (results["height"], results["width"])
        return results


def manifest_dataset(manifest: Path, cache: Path, pipeline: Sequence[Any], **options: Any) -> Any:
    """Ours."""
    return ManifestDataset(manifest, pipeline=pipeline, cache_dir=cache, **options)


def stock_dataset(lvis: Path, pipeline: Sequence[Any], **options: Any) -> Any:
    """mmdet's, opened."""
    from mmdet.datasets import LVISV05Dataset
    from mmengine.registry import DefaultScope

    with DefaultScope.overwrite_default_scope("mmdet"):
        return LVISV05Dataset(ann_file=str(lvis), pipeline=list(pipeline), **options)


def open_side(side: str, manifest: Path, lvis: Path, cache: Path) -> Any:
    """A dataset whose samples are annotations only: manifest, few (of its images), or stock."""
    from mmengine.dataset import ClassBalancedDataset

    if side != "stock":
        names = ["FrameWithoutPixels", "LoadManifestAnnotations", "PackManifestInputs"]
        few = FEW if side == "few" else None
        return manifest_dataset(manifest, cache, [{"type": name} for name in names], indices=few)
    masks = {"with_bbox": True, "with_mask": True, "poly2mask": False}
    pipeline = [
        {"type": "FrameWithoutPixels"},
        {"type": "LoadAnnotations", **masks},
        {"type": "PackDetInputs"},
    ]
    return ClassBalancedDataset(
        stock_dataset(lvis, pipeline, data_prefix={"img": ""}), oversample_thr=1e-3
    )


def main() -> None:
    """Opens, answers, and samples for as long as it is asked to."""
    from mmengine.dataset import pseudo_collate
    from torch.utils.data import DataLoader, RandomSampler

    answers = sys.stdout
    side, manifest, lvis, cache, samples = sys.argv[1:]
    with contextlib.redirect_stdout(sys.stderr):
        started = time.perf_counter()
        dataset = open_side(side, Path(manifest), Path(lvis), Path(cache))
        opened = time.perf_counter() - started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"open_s": opened, "peak_rss_mb": peak}), file=answers, flush=True)
        # A full collection in a worker makes the interpreter's whole heap its own, at one time or
        # another: that is no memory of the dataset.
        gc.collect()
        gc.freeze()
        batches = None
        for line in sys.stdin:
            del batches  # the workers of before end with it
            batches = iter(
                DataLoader(
                    dataset,
                    batch_size=16,
                    sampler=RandomSampler(dataset, True, 2 * int(samples)),
                    num_workers=int(line),
                    collate_fn=pseudo_collate,
                )
            )
            for _ in range(int(samples) // 16):
                next(batches)
            print(json.dumps({"workers": int(line)}), file=answers, flush=True)


if __name__ == "__main__":
    main()
