"""The losses of recent iterations, fetched off the GPU without holding it up; finds the bad one.

Each iteration's values go to the CPU in one asynchronous copy. They are read once the copy is
known to be done: at the latest one optimizer step later, when waiting for it costs nothing.
"""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from lvis_merge.errors import InputError
from lvis_merge.training.runner.checkpoint_file import write_text

TOTAL = "loss"
_LISTED = 8
_KEPT = 10_000


@dataclass(frozen=True)
class BatchImage:
    """One image of a batch.

    Attributes:
        image_id: of the manifest; None if the sample does not say.
        file: its path.
        position: its place in the endless chain of samples.
    """

    image_id: Any
    file: str | None
    position: int | None


@dataclass(frozen=True)
class Losses:
    """What one iteration reported.

    Attributes:
        iteration: counted from 0.
        values: scalars by name; `loss` is the total.
        images: of the batch, on this process.
    """

    iteration: int
    values: Mapping[str, float]
    images: Sequence[BatchImage]


@dataclass
class _Pending:
    iteration: int
    images: Sequence[BatchImage]
    names: list[str]
    packed: torch.Tensor
    copied: Any = field(repr=False)


class LossHistory:
    """Losses since the last `taken`.

    Attributes:
        fault: the first iteration whose total loss was not finite, None so far.
        latest: the newest iteration whose values are known.
    """

    def __init__(self) -> None:
        self.fault: Losses | None = None
        self.latest: Losses | None = None
        self._pending: deque[_Pending] = deque()
        self._known: deque[Losses] = deque(maxlen=_KEPT)

    def add(self, iteration: int, outputs: Mapping[str, Any], images: Sequence[BatchImage]) -> None:
        """Takes what a training step returned.

        Args:
            iteration: counted from 0.
            outputs: scalars, as 0-dim tensors on any device or numbers.
            images: of the batch.
        """
        scalars = {name: torch.as_tensor(value).detach() for name, value in outputs.items()}
        devices = {value.device for value in scalars.values()}
        # a head may count on the CPU: rare, and moving that up waits for nothing
        on = next((device for device in devices if device.type == "cuda"), torch.device("cpu"))
        # float64 holds every type's values: none becomes infinite by the packing
        values = [value.to(on, torch.float64).mean() for value in scalars.values()]
        packed = torch.stack(values) if values else torch.zeros(0)
        copied = None
        if on.type == "cuda":
            packed = packed.to("cpu", non_blocking=True)
            copied = torch.cuda.Event()
            copied.record()
        self._pending.append(_Pending(iteration, images, list(scalars), packed, copied))

    def read(self, up_to: int) -> None:
        """Reads what has arrived, and waits for iterations before `up_to`."""
        while self._pending:
            oldest = self._pending[0]
            if oldest.copied is not None and not oldest.copied.query():
                if oldest.iteration >= up_to:
                    return
                oldest.copied.synchronize()
            self._read(self._pending.popleft())

    def taken(self) -> list[Losses]:
        """Every iteration since the last call (at most 10,000); waits for all so far."""
        self.read(up_to=self._pending[-1].iteration + 1 if self._pending else 0)
        known = list(self._known)
        self._known.clear()
        return known

    def _read(self, pending: _Pending) -> None:
        values = dict(zip(pending.names, pending.packed.tolist(), strict=True))
        self.latest = Losses(pending.iteration, values, pending.images)
        self._known.append(self.latest)
        if self.fault is None and not math.isfinite(values.get(TOTAL, 0.0)):
            self.fault = self.latest


def images_of(batch: Any) -> list[BatchImage]:
    """The images of a batch of mmdet's form (`data_samples` with `metainfo`); else none."""
    samples = batch.get("data_samples", ()) if isinstance(batch, Mapping) else ()
    metas = [sample.metainfo for sample in samples if hasattr(sample, "metainfo")]
    return [
        BatchImage(meta.get("img_id"), meta.get("img_path"), meta.get("position")) for meta in metas
    ]


def stop_for(fault: Losses, what: str, folder: Path, rank: int) -> InputError:
    """Writes down what a batch did, and makes the error that ends the run.

    Args:
        fault: the iteration.
        what: what is not finite: `the loss`, say.
        folder: gets the JSON file.
        rank: of this process.
    """
    file = folder / f"not_finite_iter_{fault.iteration}_rank_{rank}.json"
    content = {
        "iteration": fault.iteration,
        "rank": rank,
        "losses": {name: _json_number(value) for name, value in fault.values.items()},
        "image_ids": [image.image_id for image in fault.images],
        "files": [image.file for image in fault.images],
        "positions": [image.position for image in fault.images],
    }
    write_text(json.dumps(content, indent=2, default=str) + "\n", file)
    bad = [name for name, value in fault.values.items() if not math.isfinite(value)]
    listed = ", ".join(str(image.image_id) for image in fault.images[:_LISTED])
    more = ", …" if len(fault.images) > _LISTED else ""
    named = f" ({', '.join(bad)})" if bad else ""
    return InputError(
        f"iteration {fault.iteration}: {what} is not finite{named}. Images of that batch:"
        f" {listed}{more}; all in {file}. No checkpoint was saved after it. Look at these images'"
        " boxes; if they are fine, lower the learning rate or lengthen the warm-up, and --resume."
    )


def _json_number(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)
