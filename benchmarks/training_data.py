"""ManifestDataset against mmdet's LVIS dataset: opening, memory, and samples per second.

    python benchmarks/full_scale_world.py FOLDER      # the LVIS JSON of the true size
    lvis-merge build … --out MANIFEST                 # from it, see README.md
    python benchmarks/training_data.py --lvis FOLDER/lvis_v0.5_train.json --manifest MANIFEST

Prints Markdown tables, progress on stderr. Memory is PSS, the sum over a rank and its workers: a
page that k processes share counts 1/k in each. It is given above that of the same processes with a
dataset of 16 images, so that torch and mmdet are not in it. Every opening is a process of its own.
Samples are made in one process without workers, both sides in turn, of the same generated pictures
through the same transforms with the same random choices; the median round, lowest and highest.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from pathlib import Path
from statistics import median
from typing import Any

from full_scale import machine

WORKERS = (1, 2, 4)
AUGMENT = [
    {
        "type": "RandomChoiceResize",
        "scales": [(1333, short) for short in range(640, 801, 32)],
        "keep_ratio": True,
    },
    {"type": "RandomFlip", "prob": 0.5},
]


class Rank:
    """A process that has opened a dataset and waits, its workers alive, to be measured.

    Attributes:
        opened: what it says of the opening, open_s and peak_rss_mb.
    """

    def __init__(self, side: str, arguments: argparse.Namespace, cache: Path) -> None:
        self.process = subprocess.Popen(
            [
                *(sys.executable, str(Path(__file__).with_name("training_data_side.py")), side),
                *(str(arguments.manifest), str(arguments.lvis), str(cache)),
                str(arguments.samples),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.opened = self._answer()

    def begin(self, workers: int) -> None:
        """Has so many workers draw samples."""
        assert self.process.stdin
        print(workers, file=self.process.stdin, flush=True)

    def finish(self) -> None:
        """Waits until they have."""
        self._answer()

    def _answer(self) -> dict[str, float]:
        assert self.process.stdout
        for line in self.process.stdout:
            if line.startswith("{"):
                answer: dict[str, float] = json.loads(line)
                return answer
        raise SystemExit("a measured process ended early; its message is above")


@contextmanager
def rank(side: str, arguments: argparse.Namespace, cache: Path) -> Iterator[Rank]:
    """A rank that ends with the block."""
    started = Rank(side, arguments, cache)
    try:
        yield started
    finally:  # at the end of its input it ends its workers and itself; killed, it would leave them
        assert started.process.stdin
        started.process.stdin.close()
        started.process.wait()


def tree_pss(pid: int) -> float:
    """MB of a process and all below it."""
    below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    own = next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return own / 1024 + sum(tree_pss(int(child)) for child in below)


def pss_by_workers(started: Rank) -> list[float]:
    """MB at each number of workers."""
    found = []
    for workers in WORKERS:
        started.begin(workers)
        started.finish()
        found.append(tree_pss(started.process.pid))
    return found


def pss_of_ranks(side: str, ranks: int, arguments: argparse.Namespace, cache: Path) -> float:
    """MB of several ranks of two workers each."""
    with ExitStack() as stack:
        started = [stack.enter_context(rank(side, arguments, cache)) for _ in range(ranks)]
        for one in started:
            one.begin(2)
        for one in started:
            one.finish()
        return sum(tree_pss(one.process.pid) for one in started)


def opening(arguments: argparse.Namespace, folder: Path) -> None:
    """Prints the table of opening time and memory."""
    cache = folder / "cache"
    with rank("few", arguments, folder / "few"):
        pass  # who makes the copy keeps some memory of it
    with rank("few", arguments, folder / "few") as few:
        baseline = pss_by_workers(few)
    baseline_ranks = pss_of_ranks("few", 2, arguments, folder / "few")
    print("| dataset | open s | peak RSS GB | PSS MB, 1 worker | 2 | 4 | 2 ranks of 2 |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    sides = [("manifest", "ManifestDataset, first time"), ("manifest", "ManifestDataset, cached")]
    sides += [] if arguments.ours else [("stock", "LVISV05Dataset + ClassBalancedDataset")]
    for side, title in sides:
        print(f"opening: {title}", file=sys.stderr)
        with rank(side, arguments, cache) as started:
            opened = started.opened
            found = [
                pss - base for pss, base in zip(pss_by_workers(started), baseline, strict=True)
            ]
        together = "-"
        if side == "manifest":  # two of the other do not fit into a small machine's memory
            together = f"{pss_of_ranks(side, 2, arguments, cache) - baseline_ranks:.0f}"
        cells = [f"{opened['open_s']:.2f}", f"{opened['peak_rss_mb'] / 1000:.2f}"]
        cells += [f"{pss:.0f}" for pss in found] + [together]
        print(f"| {title} | " + " | ".join(cells) + " |", flush=True)
    (copy,) = (path for path in (cache / "manifests").iterdir() if path.is_dir())
    size = sum(file.stat().st_size for file in copy.iterdir()) / 1e6
    print(f"\nThe Arrow copy is {size:.0f} MB; it is in PSS as far as samples have touched it.\n")


def draw_pictures(dataset: Any, root: Path) -> None:
    """A JPEG for each image of a dataset, about as hard to decode as a photo."""
    import cv2
    import numpy as np

    rng = np.random.default_rng(0)
    for place in range(len(dataset)):
        info = dataset.get_data_info(place)
        size = (info["width"], info["height"])
        coarse = rng.integers(0, 256, (12, 16, 3), np.uint8)
        fine = rng.integers(0, 40, (size[1] // 2 + 1, size[0] // 2 + 1, 3), np.uint8)
        picture = cv2.add(cv2.resize(coarse, size), cv2.resize(fine, size))
        path = root / info["file_name"]
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), picture, [cv2.IMWRITE_JPEG_QUALITY, 92])


def write_lvis_json(dataset: Any, path: Path) -> None:
    """The dataset's objects with masks as an LVIS file, for the other side."""
    images, rows = [], []
    for place in range(len(dataset)):
        info = dataset.get_data_info(place)
        images.append(
            {
                "id": info["img_id"],
                "file_name": f"COCO_train2014_{info['img_id']:012d}.jpg",
                **{name: info[name] for name in ("width", "height")},
                "neg_category_ids": [],
                "not_exhaustive_category_ids": [],
            }
        )
        found = info["rows"]
        for n in range(len(found.labels)):
            box = found.boxes_xywh[n].tolist()
            rows.append(
                {
                    **{"id": len(rows) + 1, "image_id": info["img_id"], "bbox": box},
                    "category_id": int(dataset.category_ids[found.labels[n]]),
                    "area": box[2] * box[3],
                    "segmentation": [part.tolist() for part in found.polygons[n]],
                }
            )
    categories = [
        {"id": int(category), "name": name}
        for category, name in zip(dataset.category_ids, dataset.metainfo["classes"], strict=True)
    ]
    path.write_text(json.dumps({"images": images, "annotations": rows, "categories": categories}))


Side = Callable[[int, int], Any]


def passes(sides: dict[str, Side], images: int, rounds: int) -> dict[str, list[float]]:
    """Samples per CPU second of each side, by round.

    The sides take turns at every image, so that a change of the machine's speed meets all, and the
    first turn goes round.
    """
    names = list(sides)
    found: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(-1, rounds):  # before the first round, one to warm up
        print(f"speed: round {turn + 1}", file=sys.stderr)
        spent = dict.fromkeys(names, 0.0)
        for image in range(images):
            first = image % len(names)
            for name in names[first:] + names[:first]:
                spent[name] += sides[name](image, (turn + 1) * images + image)
        if turn >= 0:
            for name in names:
                found[name].append(images / spent[name])
    return found


def clocked(dataset: Any, item: Any) -> float:
    """CPU seconds of one sample."""
    started = time.process_time()
    dataset[item]
    return time.process_time() - started


def speed(arguments: argparse.Namespace, folder: Path) -> None:
    """Prints the table of samples per second."""
    with redirect_stdout(sys.stderr):  # mmdet prints on being imported
        import cv2
        import torch
        from training_data_side import manifest_dataset, stock_dataset

        from lvis_merge.training.data import Draw
        from lvis_merge.training.data.seeding import seeded

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    root = folder / "images"
    options = {"ignore_reasons": [], "sources": ["lvis"], "indices": arguments.images}
    root.mkdir()
    pipeline = [
        {"type": "LoadManifestImage"},
        {"type": "LoadManifestAnnotations"},
        *AUGMENT,
        {"type": "PackManifestInputs"},
    ]
    options |= {"image_roots": [str(root)]}
    ours = manifest_dataset(arguments.manifest, folder / "cache", pipeline, **options)
    draw_pictures(ours, root)
    write_lvis_json(ours, folder / "lvis.json")
    stock = stock_dataset(
        folder / "lvis.json",
        [
            {"type": "LoadImageFromFile"},
            {"type": "LoadAnnotations", "with_bbox": True, "with_mask": True, "poly2mask": False},
            *AUGMENT,
            {"type": "PackDetInputs"},
        ],
        data_prefix={"img": str(root / "train2017")},
    )

    def alike(dataset: Any) -> Side:
        """Asked by number, with the chance that the draw would have."""

        def run(image: int, position: int) -> float:
            with seeded(0, position, 0):
                return clocked(dataset, image)

        return run

    sides: dict[str, Side] = {
        "LVISV05Dataset": alike(stock),
        "ManifestDataset": alike(ours),
        "ManifestDataset, seeding itself by draw": lambda image, position: clocked(
            ours, Draw(image, position)
        ),
    }
    found = passes(sides, len(ours), arguments.rounds)
    base = median(found["LVISV05Dataset"])
    print(f"| {len(ours)} pictures, {arguments.rounds} rounds | samples per CPU second | ratio |")
    print("|---|---:|---:|")
    for name, rates in found.items():
        middle = median(rates)
        cell = f"{middle:.1f} ({min(rates):.1f}-{max(rates):.1f})"
        print(f"| {name} | {cell} | {middle / base:.2f} |")


def main() -> None:
    """Parses the command line and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lvis", type=Path, required=True, help="LVIS train JSON")
    parser.add_argument("--manifest", type=Path, required=True, help="built from it")
    parser.add_argument("--samples", type=int, default=20_000, help="draws before PSS is read")
    parser.add_argument("--images", type=int, default=200, help="pictures of the speed table")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--ours", action="store_true", help="leave mmdet's dataset unopened")
    parser.add_argument("--speed", action="store_true", help="samples per second only")
    arguments = parser.parse_args()
    print(f"{machine()}\n")
    with tempfile.TemporaryDirectory() as folder:
        if not arguments.speed:
            opening(arguments, Path(folder))
        speed(arguments, Path(folder))


if __name__ == "__main__":
    main()
