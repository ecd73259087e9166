"""Time what multi-scale testing adds to the network: merging boxes, averaging and pasting masks.

    python benchmarks/multi_scale.py [--views 10] [--boxes 1000] [--images 20]

Boxes of 1,230 categories on images of 640 x 480, of which most overlap one of another view, as a
detector's do; 300 masks of 28 x 28 an image. A table in Markdown goes to stdout.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable

import torch
from mmdet.models.roi_heads.mask_heads import FCNMaskHead
from mmengine.config import ConfigDict
from mmengine.structures import InstanceData

from lvis_merge.testing.inference.merge_views import merge_views
from lvis_merge.testing.inference.network import Boxes
from lvis_merge.training.metric.image_detections import run_lengths

WIDTH, HEIGHT, CATEGORIES, KEPT, RESULTS = 640, 480, 1230, 1000, 300


def main() -> None:
    """Draw boxes and masks, time each step, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--views", type=int, default=10)
    parser.add_argument("--boxes", type=int, default=1000)
    parser.add_argument("--images", type=int, default=20)
    arguments = parser.parse_args()
    draw = torch.Generator().manual_seed(0)
    images = [views_of(arguments.views, arguments.boxes, draw) for _ in range(arguments.images)]
    masks = torch.rand(RESULTS, 1, 28, 28, generator=draw)
    head = FCNMaskHead(num_convs=0, num_classes=1, class_agnostic=True)

    def paste(boxes_xyxy: torch.Tensor) -> None:
        found = InstanceData(bboxes=boxes_xyxy.clone(), labels=torch.zeros(len(boxes_xyxy)).long())
        whole = {"ori_shape": (HEIGHT, WIDTH), "scale_factor": (1.0, 1.0)}
        settings = ConfigDict(mask_thr_binary=0.5)
        given = [masks[: len(boxes_xyxy)]]
        head.predict_by_feat(given, [found], [whole], settings, rescale=True, activate_map=True)
        run_lengths(found.masks)

    steps: dict[str, Callable[[list[Boxes]], object]] = {
        f"merge {arguments.views} x {arguments.boxes:,} boxes": lambda v: merge_views(v, KEPT),
        f"average {RESULTS} masks of {arguments.views} views": lambda v: sum(
            masks.sigmoid().flip(dims=(3,)) for _ in v
        ),
        f"paste and encode {RESULTS} masks, once": lambda v: paste(v[0].xyxy[:RESULTS]),
    }
    print(f"{os.cpu_count()} cores ({platform.machine()}), {torch.get_num_threads()} thread\n")
    print("| an image | median ms | slowest ms |\n|---|---:|---:|")
    for name, step in steps.items():
        step(images[0])
        taken = [timed(step, views) for views in images]
        print(f"| {name} | {statistics.median(taken):.0f} | {max(taken):.0f} |")


def timed(step: Callable[[list[Boxes]], object], views: list[Boxes]) -> float:
    """Milliseconds of one step."""
    start = time.perf_counter()
    step(views)
    return 1000 * (time.perf_counter() - start)


def views_of(views: int, count: int, draw: torch.Generator) -> list[Boxes]:
    """The same objects seen from several views, each a little elsewhere."""
    corner = torch.rand(count, 2, generator=draw) * torch.tensor([WIDTH - 60, HEIGHT - 60])
    size = torch.rand(count, 2, generator=draw) * 200 + 5
    label = torch.randint(0, CATEGORIES, (count // 10,), generator=draw).repeat(10)[:count]
    found = []
    for _ in range(views):
        shake = 1 + 0.02 * torch.randn(count, 4, generator=draw)
        boxes = torch.cat([corner, corner + size], dim=1) * shake
        boxes = torch.cat([boxes[:, :2], boxes[:, 2:].maximum(boxes[:, :2] + 1)], dim=1)
        found.append(Boxes(boxes, torch.rand(count, generator=draw) ** 4, label))
    return found


if __name__ == "__main__":
    main()
