"""The images that are tested, from a manifest, at their views."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from torch.utils.data import DataLoader

from lvis_merge import manifest as manifests
from lvis_merge.errors import InputError, LvisMergeError
from lvis_merge.testing.inference.one_image import Views
from lvis_merge.testing.inference.plan import RunPlan
from lvis_merge.testing.inference.view_pipeline import view_pipeline
from lvis_merge.training.data import ManifestDataset
from lvis_merge.training.recipe.images import missing_images
from lvis_merge.training.runner.signals import held_back
from lvis_merge.training.runner.worker_errors import from_a_worker


def tested_images(plan: RunPlan, loader: dict[str, Any]) -> ManifestDataset:
    """The images of a split, as a dataset whose samples are lists of views.

    Args:
        plan: the run.
        loader: the recipe's `val_dataloader`.

    Raises:
        InputError: the split has no images, or some are missing; the pipeline cannot be used.
    """
    given = loader["dataset"]
    kept = {name: given[name] for name in ("cache_dir", "indices") if name in given}
    dataset = ManifestDataset(
        manifest=plan.images,
        split=plan.split,
        image_roots=plan.image_roots,
        pipeline=view_pipeline(given["pipeline"], plan.scales, plan.flip),
        test_mode=True,
        **kept,
    )
    if not len(dataset):
        raise InputError(f"{plan.images}: has no image of split {plan.split}.")
    return dataset


def check_there(plan: RunPlan, dataset: ManifestDataset) -> None:
    """Looks for a thousand images of each source before a network is built.

    Raises:
        InputError: some are missing; says how many, which and where they were looked for.
    """
    missing = missing_images(str(plan.images), dataset.image_ids, plan.image_roots)
    if missing:
        raise InputError(
            "\n".join(map(str, missing))
            + f"\nLooked in {', '.join(plan.image_roots) or 'no folder'}. Give --image-root"
            " [SOURCE=]DIR, repeatable: file names are below it."
        )


def image_sizes(images: Path, image_ids: np.ndarray) -> np.ndarray:
    """int64 [I, 2]: height and width of images [I] of a manifest."""
    table = manifests.open(images).arrow("images", ["image_id", "height", "width"])
    place = pc.index_in(pa.array(image_ids), table["image_id"].combine_chunks())
    rows = table.take(place)
    return np.stack([rows["height"].to_numpy(), rows["width"].to_numpy()], axis=1).astype(np.int64)


def loaded(dataset: ManifestDataset, places: Sequence[int], workers: int) -> Iterator[Views]:
    """Reads images, in other processes if there are to be any.

    Args:
        dataset: of `tested_images`.
        places: of the images wanted, in order.
        workers: processes that read ahead.
    """
    loader = DataLoader(
        dataset,
        batch_size=None,
        sampler=list(places),
        num_workers=workers,
        collate_fn=_as_it_is,
        multiprocessing_context="fork" if workers else None,
    )
    # stop signals end the run at once: its workers see that by themselves
    with held_back():
        samples = iter(loader)
    while True:
        try:
            sample = next(samples)
        except StopIteration:
            return
        except (LvisMergeError, RuntimeError) as error:
            raise from_a_worker(error) from None
        yield Views(sample["inputs"], sample["data_samples"])


def _as_it_is(sample: Any) -> Any:
    return sample
