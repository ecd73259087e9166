"""Tests a detector on a split, in one process or as one rank of several."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch

from lvis_merge.errors import InputError, UsageError
from lvis_merge.evaluation import read_results
from lvis_merge.evaluation.detections import MAX_DETECTIONS, Detections
from lvis_merge.evaluation.known import Known
from lvis_merge.testing.inference.detector import label_space, trained_model
from lvis_merge.testing.inference.images import check_there, image_sizes, loaded, tested_images
from lvis_merge.testing.inference.journal import ImageRecord, Journal, journal_writer
from lvis_merge.testing.inference.network import MaskRCNN
from lvis_merge.testing.inference.one_image import Views, Wanted, found_on_image, masks_on_image
from lvis_merge.testing.inference.output import RunOutcome, read_outcome, write_output
from lvis_merge.testing.inference.plan import STATE, RunPlan, check_out, identity
from lvis_merge.testing.inference.progress import testing_progress
from lvis_merge.training.runner.control import RunControl
from lvis_merge.training.runner.process import in_ranks
from lvis_merge.training.runner.signals import StopWords
from lvis_merge.training.runner.worker_errors import died

_AGAIN = "the same command goes on: finished images are not redone."
_FAR = 10
_WORDS = StopWords(at_start=f"stopped; {_AGAIN}", again=f"Then {_AGAIN}")


def run_test(plan: RunPlan, config: Any, loader: dict[str, Any]) -> RunOutcome | None:
    """Tests; where the same run was stopped before, goes on with the images that are left.

    Args:
        plan: the run.
        config: of `resolve`, for the manifest whose categories the labels are.
        loader: the recipe's `val_dataloader`.

    Returns:
        What was written; None on all ranks but the first.

    Raises:
        InputError: a checkpoint, a manifest, an image or a folder that cannot be used.
        SystemExit: stopped by a signal (130, 143), or another process has failed.
    """
    outcomes: list[RunOutcome] = []
    in_ranks(
        config.device,
        lambda control: outcomes.extend(_test(plan, config, loader, control)),
        words=_WORDS,
        explain=_for_the_user,
    )
    return outcomes[0] if outcomes else None


def _test(
    plan: RunPlan, config: Any, loader: dict[str, Any], control: RunControl
) -> list[RunOutcome]:
    ranks, say = control.ranks, control.display.say
    if plan.amp and ranks.device.type != "cuda":
        raise UsageError("--amp needs a GPU: mmcv's operators know no half precision on a CPU.")
    run = identity(plan, config, loader)
    _check_same_everywhere(run, control)
    done_before = check_out(plan.out, run) if ranks.is_first else False
    # nobody may add to a folder before it is known to be this run's
    if ranks.agree_now(int(done_before)):
        say(f"{plan.out}: this very test is complete there; nothing to do")
        return [read_outcome(plan.out)] if ranks.is_first else []
    labels = label_space(plan.manifest)
    dataset = tested_images(plan, loader)
    if ranks.is_first:
        check_there(plan, dataset)
    network = _network(plan, config, labels, ranks.device)
    masks = plan.masks and network.has_masks
    work = _work(plan, config, network, np.array(labels.category_ids), dataset, ranks.device)
    done = Journal(plan.out / STATE).image_ids
    # by place, whatever is done: processes may look at different moments
    places = [
        place
        for place in range(ranks.rank, len(dataset), ranks.world_size)
        if int(dataset.image_ids[place]) not in done
    ]
    if done:
        say(f"going on after {len(done):,} of {len(dataset):,} images")
    views = len(plan.scales or (1,)) * (1 + plan.flip)
    silent = not ranks.is_first
    with (
        journal_writer(plan.out / STATE, ranks.rank) as journal,
        testing_progress(len(done), len(dataset), ranks.world_size, silent) as one_more,
    ):
        for image in loaded(dataset, places, int(loader.get("num_workers", 0))):
            journal.write(work(image))
            one_more()
    ranks.wait_as_long_as_it_takes("tested")
    if not ranks.is_first:
        return []
    complete = Journal(plan.out / STATE)
    if missing := set(dataset.image_ids.tolist()) - complete.image_ids:
        raise InputError(
            f"{plan.out}: {len(missing):,} images have no result here. All machines of a run have"
            f" to see the same --out; put it on a shared disk, then {_AGAIN}"
        )
    sizes = image_sizes(plan.images, dataset.image_ids)
    return [write_output(plan, run, complete, dataset.image_ids, sizes, masks=masks, views=views)]


def _check_same_everywhere(run: dict[str, Any], control: RunControl) -> None:
    """Refuses machines of one run that would not find the same.

    Raises:
        InputError: their checkpoints, recipes, manifests, boxes or options differ.
    """
    digest = hashlib.sha256(json.dumps(run, sort_keys=True).encode()).digest()
    mine = int.from_bytes(digest[:7], "big")  # of the size of a tensor's integers
    highest, lowest = control.ranks.agree_now(mine), -control.ranks.agree_now(-mine)
    if highest != lowest:
        raise InputError(
            "the machines of this run differ in checkpoint, recipe, manifest, --boxes or options."
            " Give all the same."
        )


def _network(plan: RunPlan, config: Any, labels: Any, device: torch.device) -> MaskRCNN:
    model = trained_model(config, plan.checkpoint, labels)
    bound = (config.get("testing") or {}).get("pre_nms_topk")
    network = MaskRCNN(
        model,
        device,
        most=max(plan.pool, MAX_DETECTIONS),
        pre_nms_topk=bound,
        amp=plan.amp,
    )
    if plan.boxes is not None and not network.has_masks:
        raise InputError("--boxes: this model has no mask head. Give one that has.")
    return network


def _work(
    plan: RunPlan,
    config: Any,
    network: MaskRCNN,
    category_ids: np.ndarray,
    dataset: Any,
    device: torch.device,
) -> Callable[[Views], ImageRecord]:
    """What is done with an image."""
    if plan.boxes is not None:
        given = _given(plan.boxes, plan, category_ids, dataset)
        return lambda image: masks_on_image(
            network, image, given(image.image_id), category_ids, device
        )
    cap = min(int(config.model.test_cfg.rcnn.max_per_img), MAX_DETECTIONS)
    wanted = Wanted(
        category_ids, results=cap, pool=max(plan.pool, cap), masks=plan.masks and network.has_masks
    )
    return partial(found_on_image, network, wanted=wanted)


def _given(
    boxes: str, plan: RunPlan, category_ids: np.ndarray, dataset: Any
) -> Callable[[int], Detections]:
    """The boxes of a results file, by image."""
    image_ids = np.sort(dataset.image_ids)
    known = Known(
        f"{plan.images} ({plan.split})",
        image_ids=image_ids,
        sizes=image_sizes(plan.images, image_ids),
        category_ids=category_ids,
        category_advice="The model gives masks to its own categories only.",
    )
    found = read_results(boxes, known, lenient=plan.lenient).detections
    if found.bbox is None:
        raise InputError(f"{boxes}: has no boxes to give masks to.")
    _check_near(boxes, found, known)
    order = np.argsort(found.image_id, kind="stable")
    ids = found.image_id[order]

    def of_image(image_id: int) -> Detections:
        first, last = np.searchsorted(ids, [image_id, image_id + 1])
        return found.at(order[first:last])

    return of_image


def _check_near(boxes: str, found: Detections, known: Known) -> None:
    """Refuses boxes that would take the mask head's sampling for ever.

    Raises:
        InputError: a box is ten times its image's size or away from it.
    """
    sizes = known.size(found.image_id)
    assert sizes is not None
    assert found.bbox is not None
    most = _FAR * np.tile(sizes[:, ::-1], 2)  # width and height, as x, y and w, h
    if (far := (np.abs(found.bbox) > most).any(axis=1)).any():
        raise InputError(
            f"{boxes}: entry {found.entry[far.argmax()]}: its box is over {_FAR} times its image's"
            " size, or as far away. Write x, y, w, h in pixels of the image."
        )


def _for_the_user(error: Exception) -> Exception:
    if isinstance(error, torch.OutOfMemoryError):
        return InputError(
            f"the GPU's memory is used up ({str(error).partition('. ')[0]}). Features of all views"
            " are kept for the masks: take fewer --scales, or --amp, with another --out."
        )
    if died(error):
        return InputError(
            "a worker of the data loader was killed: the machine's memory is used up, as a rule, or"
            " /dev/shm is too small (docker: --shm-size). Use none: --set"
            f" val_dataloader.num_workers=0; {_AGAIN}"
        )
    return error
