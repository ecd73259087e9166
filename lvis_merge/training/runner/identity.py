"""What makes two starts the same run: manifest, label space, recipe, seed.

Written into every checkpoint and compared when one is carried on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from lvis_merge import __version__
from lvis_merge.errors import InputError
from lvis_merge.manifest.read import open_manifest
from lvis_merge.manifest.record import RECORD_FILE

_SHOWN = 5
_WITHOUT_EFFECT = {"image_roots", "cache_dir", "on_missing", "init_cfg", "test_cfg"}
"""Where things are, what only the start needs, how is evaluated: no step depends on them."""

_SCHEDULE = "param_scheduler"


@dataclass(frozen=True)
class RunIdentity:
    """A run, as far as its weights depend on it.

    Attributes:
        recipe: its name.
        label_space: lvis, coco or open_images.
        manifest_sha256: of manifest.json.
        holdout_sha256: over the ids that the manifest's train images were checked against.
        classes: names in label order [C].
        category_ids: the manifest's ids in label order [C].
        seed: of the run.
        world_size: processes.
        batch_size: images per process and iteration.
        accumulate: iterations per optimizer step.
        max_iters: iterations in all.
        settings: the recipe's values that shape the weights, as JSON, by dotted name.
    """

    recipe: str
    label_space: str | None
    manifest_sha256: str | None
    holdout_sha256: str | None
    classes: tuple[str, ...]
    category_ids: tuple[int, ...]
    seed: int
    world_size: int
    batch_size: int
    accumulate: int
    max_iters: int
    settings: Mapping[str, str] = field(repr=False)

    @property
    def images_per_iteration(self) -> int:
        """Over all processes."""
        return self.world_size * self.batch_size

    def to_meta(self) -> dict[str, Any]:
        """Plain values for a checkpoint's `meta`."""
        meta = {**asdict(self), "settings": dict(self.settings)}
        meta["classes"], meta["category_ids"] = list(self.classes), list(self.category_ids)
        # under `dataset_meta` mmdet's own inference looks for the names
        return {"lvis_merge": __version__, **meta, "dataset_meta": {"classes": self.classes}}

    @classmethod
    def from_meta(cls, meta: Any) -> RunIdentity | None:
        """The identity that `to_meta` wrote; None if this is another program's `meta`."""
        names = {wanted.name for wanted in fields(cls)}
        if not isinstance(meta, Mapping) or not names <= set(meta):
            return None
        values = {name: meta[name] for name in names}
        lists = {name: tuple(values[name]) for name in ("classes", "category_ids")}
        return cls(**{**values, **lists})

    def same_labels(self, other: RunIdentity) -> bool:
        """Whether label i means the same category in both."""
        mine = (self.label_space, self.category_ids, self.classes)
        return mine == (other.label_space, other.category_ids, other.classes)


def identity_of(config: Any, dataset: Any, batch_size: int, world_size: int) -> RunIdentity:
    """The identity of a run about to start.

    Args:
        config: the resolved recipe (mmengine Config).
        dataset: the training data; `metainfo['classes']` and `category_ids` are read.
        batch_size: images per process and iteration.
        world_size: processes.
    """
    manifest = manifest_of(config)
    record = open_manifest(manifest).record if manifest else None
    digest = hashlib.sha256((Path(manifest) / RECORD_FILE).read_bytes()) if manifest else None
    plain = config.to_dict()
    loader = plain["train_dataloader"]
    shaping = {
        "model": plain["model"],
        "data": loader["dataset"],
        "sampler": loader["sampler"],
        "optim_wrapper": plain["optim_wrapper"],
        _SCHEDULE: plain.get("param_scheduler"),
        "amp": plain.get("amp", False),
        "sync_bn": plain.get("sync_bn", False),
    }
    accumulate = int(plain["optim_wrapper"].get("accumulative_counts", 1))
    shaping["optim_wrapper"].pop("accumulative_counts", None)
    named = dict(_flat("", shaping))
    texts = {
        name: _json(value).replace(_json(str(manifest)), _json("<manifest>"))
        for name, value in named.items()
    }
    return RunIdentity(
        recipe=recipe_of(config),
        label_space=plain.get("label_space"),
        manifest_sha256=digest.hexdigest() if digest else None,
        holdout_sha256=record.holdout.sha256 if record and record.holdout else None,
        classes=tuple(dataset.metainfo.get("classes", ())),
        category_ids=tuple(int(number) for number in getattr(dataset, "category_ids", ())),
        seed=int(plain.get("seed", 0)),
        world_size=world_size,
        batch_size=batch_size,
        accumulate=accumulate,
        max_iters=int(plain["train_cfg"]["max_iters"]),
        settings=texts,
    )


def manifest_of(config: Any) -> str | None:
    """The manifest's folder in a resolved recipe: top level, else the training data's."""
    found = config.get("manifest") or config.train_dataloader.dataset.get("manifest")
    return str(found) if found else None


def recipe_of(config: Any) -> str:
    """The recipe's name: `recipe`, else its file's, else `recipe`."""
    named = config.get("recipe") or (Path(config.filename).stem if config.filename else None)
    return str(named or "recipe")


def check_same_run(saved: RunIdentity, now: RunIdentity, checkpoint: Path) -> list[str]:
    """Compares the run that wrote a checkpoint with the one that wants to carry it on.

    The number of processes, the batch size, accumulation and the number of iterations may differ;
    folders, workers, logging, evaluation and checkpointing are not looked at.

    Args:
        saved: what the checkpoint says.
        now: the recipe as given now.
        checkpoint: for messages.

    Returns:
        What differs and may, one sentence each; empty if the run goes on bit for bit.

    Raises:
        InputError: something differs that makes it another run.
    """
    found = []
    if saved.manifest_sha256 != now.manifest_sha256:
        found.append("the manifest (it is another one, or was built again)")
    if saved.label_space != now.label_space:
        found.append(f"the label space ({saved.label_space}, now {now.label_space})")
    if not saved.same_labels(now):
        found.append(f"the categories ({len(saved.classes)}, now {len(now.classes)})")
    if saved.seed != now.seed:
        found.append(f"seed ({saved.seed}, now {now.seed})")
    compared = sorted({*saved.settings, *now.settings})
    if saved.accumulate != now.accumulate:  # the schedule is in iterations, so it differs too
        compared = [name for name in compared if name.partition(".")[0] != _SCHEDULE]
    for name in compared:
        before, after = saved.settings.get(name, "unset"), now.settings.get(name, "unset")
        if before != after:
            found.append(f"{name} ({_short(before)}, now {_short(after)})")
    if found:
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise InputError(
            f"{checkpoint}: another run's (recipe {saved.recipe}). What differs:"
            f" {'; '.join(found[:_SHOWN])}{more}. Undo that to carry it on, or start a new run from"
            f" its weights with --init {checkpoint} and another --work-dir."
        )
    return list(_allowed(saved, now))


def _allowed(saved: RunIdentity, now: RunIdentity) -> Iterator[str]:
    for name, unit in (("world_size", "processes"), ("batch_size", "images per process")):
        before, after = getattr(saved, name), getattr(now, name)
        if before != after:
            yield f"{after} {unit} instead of {before}"
    if saved.accumulate != now.accumulate:
        yield f"{now.accumulate} iterations per optimizer step instead of {saved.accumulate}"
    if saved.max_iters * now.accumulate != now.max_iters * saved.accumulate:
        before, after = saved.max_iters // saved.accumulate, now.max_iters // now.accumulate
        yield f"{after} optimizer steps in all instead of {before}"


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Dotted names and values of nested dicts; lists of dicts by their places."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key not in _WITHOUT_EFFECT:
                yield from _flat(f"{name}.{key}" if name else str(key), inner)
    elif isinstance(value, Sequence) and value and isinstance(value[0], Mapping):
        for place, inner in enumerate(value):
            yield from _flat(f"{name}.{place}", inner)
    else:
        yield name, value


def _json(value: Any) -> str:
    # classes may stand in a config in place of their names
    return json.dumps(value, sort_keys=True, default=lambda odd: getattr(odd, "__name__", str(odd)))


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}…"
