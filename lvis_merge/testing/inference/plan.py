"""What a test run is: what decides its results, and how one that was stopped is recognised."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lvis_merge import __version__
from lvis_merge.errors import InputError
from lvis_merge.manifest.record import RECORD_FILE
from lvis_merge.testing.inference.views import Scale
from lvis_merge.testing.pools import POOL_SIZE
from lvis_merge.whole_file import whole_file

RESULTS, RECORD = "results.json", "test.json"
STATE = ".unfinished"
"""Folder of a run's journals, in its `--out`; gone when it is complete."""

_PLAN = "plan.json"
_SHOWN = 60


@dataclass(frozen=True)
class RunPlan:
    """One test run.

    Attributes:
        checkpoint: the weights.
        manifest: whose categories the labels are.
        images: the manifest whose images are tested; as a rule the same.
        split: which of them.
        image_roots: `[SOURCE=]DIR` values.
        out: folder of the results.
        scales: to test at; none: the recipe's own.
        flip: test each scale mirrored too.
        pool: boxes an image kept before the cap; 0: no pool is written.
        masks: whether results get masks, where the model has a mask head.
        boxes: results that are to get masks; None: the model finds boxes itself.
        lenient: drop and count bad entries of `boxes`.
        amp: compute in half precision.
    """

    checkpoint: Path
    manifest: Path
    images: Path
    split: str
    image_roots: tuple[str, ...]
    out: Path
    scales: tuple[Scale, ...] = ()
    flip: bool = False
    pool: int = POOL_SIZE
    masks: bool = True
    boxes: str | None = None
    lenient: bool = False
    amp: bool = False


def identity(plan: RunPlan, config: Any, loader: dict[str, Any]) -> dict[str, Any]:
    """All that decides the results, as plain JSON.

    Args:
        plan: the run.
        config: of `resolve`.
        loader: the recipe's `val_dataloader`.
    """
    tree = config.to_dict()
    boxes = None if plan.boxes is None else _digest(Path(plan.boxes))
    return {
        "lvis_merge": __version__,
        "recipe": tree["recipe"],
        "model": _short_digest(_plain(tree["model"])),
        "pipeline": _short_digest(_plain(loader["dataset"])),
        "testing": tree.get("testing"),
        "checkpoint": _digest(plan.checkpoint),
        "manifest": _digest(plan.manifest / RECORD_FILE),
        "images": _digest(plan.images / RECORD_FILE),
        "split": plan.split,
        "scales": [str(scale) for scale in plan.scales],
        "flip": plan.flip,
        "pool": plan.pool,
        "masks": plan.masks,
        "boxes": boxes,
        "lenient": plan.lenient,
        "amp": plan.amp,
        "device": tree["device"],
    }


def check_out(out: Path, run: dict[str, Any]) -> bool:
    """Prepares the folder of a run, or finds it done.

    Args:
        out: made if missing.
        run: of `identity`.

    Returns:
        Whether the very same run has been completed there.

    Raises:
        InputError: it holds another run, finished or not, or other things.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"{out}: is a file. Give another --out.")
    finished, unfinished = out / RECORD, out / STATE / _PLAN
    if not finished.is_file() and not _begun(out / STATE):
        shutil.rmtree(out / STATE, ignore_errors=True)
    for path in (finished, unfinished):
        if path.is_file() and (differing := _differing(path, run)):
            raise InputError(
                f"{out}: holds another test run ({differing}). Give another --out, or remove it."
            )
    if finished.is_file():
        shutil.rmtree(out / STATE, ignore_errors=True)  # it was ended before this could be done
        _check_complete(out)
        return True
    others = [path for path in out.iterdir() if path.name != STATE] if out.is_dir() else []
    if others and not unfinished.is_file():
        raise InputError(f"{out}: is not empty, and no folder of `lvis-merge test`.")
    for partial_folder in out.glob(".*.partial-*"):  # of a start that was killed as it wrote
        shutil.rmtree(partial_folder, ignore_errors=True)
    if not unfinished.is_file():
        try:
            unfinished.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(unfinished) as partial:
                partial.write_text(json.dumps({"run": run}, indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            raise InputError(
                f"{out}: cannot be written ({error.strerror}). Give another --out."
            ) from error
    return False


def _begun(state: Path) -> bool:
    """Whether images were tested under a plan that is known.

    A plan under which none was binds nobody: what it was refused for is to be corrected. Journals
    without a plan are of nobody knows which run.
    """
    return (state / _PLAN).is_file() and any(p.stat().st_size for p in state.glob("*.journal"))


def _check_complete(out: Path) -> None:
    saved = json.loads((out / RECORD).read_text("utf-8"))["outcome"]
    names = [name for name in (saved["results"], saved["pool"]) if name]
    if gone := [name for name in names if not (out / name).is_file()]:
        raise InputError(
            f"{out}: {', '.join(gone)} of this complete test is gone. Remove the folder to test"
            " again, or give another --out."
        )


def _differing(path: Path, run: dict[str, Any]) -> str:
    """What another run differs in; empty if in nothing."""
    try:
        other = json.loads(path.read_text("utf-8"))["run"]
    except (OSError, ValueError, KeyError, TypeError):
        return f"{path.name} cannot be read"
    names = [name for name in run if other.get(name) != run[name]]
    return ", ".join(f"{name} {_brief(other.get(name))}, now {_brief(run[name])}" for name in names)


def _brief(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}…"


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}). Check the path.") from error


def _short_digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()[:16]


def _plain(value: Any) -> str:
    """A config as JSON, without the places of files."""
    kept = _without_places(value)
    return json.dumps(kept, sort_keys=True, default=lambda odd: getattr(odd, "__name__", str(odd)))


def _without_places(value: Any) -> Any:
    if isinstance(value, dict):
        places = ("manifest", "image_roots", "cache_dir", "init_cfg")
        return {name: _without_places(part) for name, part in value.items() if name not in places}
    if isinstance(value, (list, tuple)):
        return [_without_places(part) for part in value]
    return value
