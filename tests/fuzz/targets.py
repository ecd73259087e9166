"""Every file that a user gives, with the commands that read it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import chain
from unittest import mock

from lvis_merge.fetch import download
from tests.cli import small_inputs as files
from tests.cli.small_inputs import Inputs
from tests.fuzz import fetched, open_images, world
from tests.fuzz.limits import Ended, run_bounded

_SELECTION = "openimages_selection.csv"


@dataclass(frozen=True)
class Target:
    """A file and a command that reads it.

    Attributes:
        file: below the world's folder.
        command: its arguments, given the world.
        id: names it.
    """

    file: str
    command: Callable[[Inputs], list[str]]
    id: str

    @property
    def format(self) -> str:
        """How the file is written; of an archive, a picture: binary."""
        suffix = self.file.rpartition(".")[2]
        known = {"json": "json", "csv": "csv", "parquet": "parquet", "toml": "text"}
        return known.get(suffix, "binary")

    def run(self, inputs: Inputs, data: bytes) -> Ended:
        """Runs the command on other content of the file; the world is good again afterwards."""
        good = inputs.path(self.file).read_bytes()
        try:
            inputs.write(self.file, data)
            with mock.patch.object(download, "pause", return_value=0.0):
                return run_bounded(self.command(inputs))
        finally:
            inputs.write(self.file, good)
            for left in (*inputs.folder.glob(f"{world.OUT}*"), inputs.path(_SELECTION)):
                shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)


def _out(inputs: Inputs, name: str = world.OUT) -> list[str]:
    return ["--out", str(inputs.path(name))]


def _build(inputs: Inputs, *more: str) -> list[str]:
    return ["build", *more, *_out(inputs), "--max-rejects", "50%"]


def _everything(inputs: Inputs) -> list[str]:
    corrections = inputs.option("--corrections", world.CORRECTIONS)
    return _build(inputs, *inputs.everything(), *corrections)


def _lvis(inputs: Inputs) -> list[str]:
    return _build(inputs, *inputs.json_files())


def _coco_space(inputs: Inputs) -> list[str]:
    return _build(inputs, *inputs.option("--coco", files.COCO), "--label-space", "coco")


def _open_images_space(inputs: Inputs) -> list[str]:
    sizes = inputs.option("--openimages-sizes", files.SIZES)
    folder = inputs.option("--openimages", files.FOLDER)
    return _build(inputs, *folder, *sizes, "--mapping", "none", "--label-space", "open_images")


def _folder(inputs: Inputs, folder: str) -> list[str]:
    options = {
        "--openimages": folder, "--mapping": files.MAP, "--openimages-sizes": files.SIZES,
    }  # fmt: skip
    named = [inputs.option(*option) for option in options.items()]
    return _build(inputs, *inputs.lvis(), *chain(*named))


def _extra(inputs: Inputs) -> list[str]:
    paths = f"{inputs.path(world.EXTRA)}:{inputs.path(world.EXTRA_MAP)}"
    extra = ("--extra", f"acme=coco-json:{paths}", "--extra-exhaustive", "acme")
    return _build(inputs, *inputs.lvis(), *extra)


def _packed(inputs: Inputs) -> list[str]:
    flags = ("--lvis", "--lvis-val", "--holdout", "--openimages-sizes")
    named = [inputs.option(*option) for option in zip(flags, world.PACKED, strict=True)]
    folder = inputs.option("--openimages", files.FOLDER)
    return _build(inputs, *chain(*named), *folder, *inputs.option("--mapping", files.MAP))


def _of_manifest(inputs: Inputs, command: str, *more: str) -> list[str]:
    return [command, str(inputs.path(world.MANIFEST)), *more]


def _export(inputs: Inputs, form: str) -> list[str]:
    return _of_manifest(inputs, "export", "--format", form, *_out(inputs))


def _scored(inputs: Inputs, results: str, *more: str) -> list[str]:
    return ["evaluate", str(inputs.path(results)), *more]


def _against_lvis(inputs: Inputs, results: str) -> list[str]:
    return _scored(inputs, results, *inputs.option("--annotations", files.VAL))


def _against_manifest(inputs: Inputs) -> list[str]:
    return _scored(inputs, world.RESULTS, *inputs.option("--manifest", world.MANIFEST), "--lenient")


def _experts(inputs: Inputs, *more: str) -> list[str]:
    return [
        "experts", str(inputs.path(world.POOL)), *inputs.option("--map", files.COCO_MAP),
        *inputs.option("--annotations", files.VAL), "--lenient", *_out(inputs, "out.json"), *more,
    ]  # fmt: skip


def _ensemble(inputs: Inputs, *more: str) -> list[str]:
    pools = [str(inputs.path(name)) for name in (world.POOL, world.TABLE)]
    return ["ensemble", *pools, *more, *_out(inputs, "out.json")]


def _fit(inputs: Inputs) -> list[str]:
    return _ensemble(inputs, *inputs.option("--fit-on", files.VAL))


def _apply(inputs: Inputs) -> list[str]:
    return _ensemble(inputs, *inputs.option("--params", world.PARAMETERS))


def _submit(inputs: Inputs) -> list[str]:
    return [
        "submit", str(inputs.path(world.RESULTS)), *inputs.option("--annotations", files.VAL),
        *_out(inputs, "out.zip"),
    ]  # fmt: skip


def _roadmap(inputs: Inputs, folder: str) -> list[str]:
    return ["roadmap", str(inputs.path(folder)), "--plot", str(inputs.path("out.svg"))]


def _check(inputs: Inputs) -> list[str]:
    return [
        "map", "check", str(inputs.path(files.MAP)), *inputs.option("--lvis", files.VAL),
        *inputs.option("--classes", files.CLASS_LIST),
    ]  # fmt: skip


def _suggest(inputs: Inputs) -> list[str]:
    return [
        "map", "suggest", *inputs.option("--source", world.CLASSES),
        *inputs.option("--lvis", files.VAL),
    ]  # fmt: skip


def _check_extra(inputs: Inputs) -> list[str]:
    lvis, classes = inputs.option("--lvis", files.VAL), inputs.option("--classes", world.EXTRA)
    return ["map", "check", str(inputs.path(world.EXTRA_MAP)), *lvis, *classes]


def _draft(inputs: Inputs) -> list[str]:
    source, lvis = inputs.option("--source", world.EXTRA), inputs.option("--lvis", files.VAL)
    return ["map", "suggest", "--draft", *source, *lvis, *_out(inputs, "out.csv")]


def _fetch(inputs: Inputs, what: str) -> list[str]:
    return fetched.fetch(inputs, what, world.OUT)


def _diff(inputs: Inputs) -> list[str]:
    return ["diff", *(str(inputs.path(world.MANIFEST)) for _ in range(2))]


_MANIFEST_FILES = (
    "manifest.json", "images.parquet", "annotations.parquet", "categories.parquet",
    "rejects.parquet", "croissant.json", "maps/map.csv",
)  # fmt: skip
_READ_BY: dict[str, tuple[Callable[[Inputs], list[str]], tuple[str, ...]]] = {
    "build": (_everything, (
        files.TRAIN, files.COCO, files.BOXES, files.LIST, files.LABELS, files.CLASS_LIST,
        files.HIERARCHY, files.SIZES, files.EXCLUDE, files.HELD_OUT_JSON, files.HELD_OUT_CSV,
        files.HELD_OUT_PICTURES, files.MAP, files.COCO_MAP, world.CORRECTIONS, world.PICTURE,
    )),
    "build-json": (_lvis, (files.TRAIN, files.VAL, files.TEST, files.COCO)),
    "build-coco": (_coco_space, (files.COCO,)),
    "build-open-images": (_open_images_space, (files.BOXES, files.CLASS_LIST, files.HIERARCHY)),
    "build-packed": (_packed, world.PACKED),
    "build-extra": (_extra, (world.EXTRA, world.EXTRA_MAP)),
    "build-masks": (
        partial(_folder, folder=open_images.MASKED),
        (open_images.MASK_LIST, open_images.MASK, files.SIZES),
    ),
    "build-parts": (
        partial(_folder, folder=open_images.PARTS),
        (open_images.BOXES_PARQUET, open_images.LIST_PARQUET, open_images.LABELS_PART),
    ),
    "fetch": (
        partial(_fetch, what=fetched.SELECTION),
        (
            fetched.SELECTION, fetched.MIRRORED, fetched.MIRRORED_PNG, fetched.CHECKED,
            fetched.FAILURES,
        ),
    ),
    "fetch-manifest": (partial(_fetch, what=world.MANIFEST), _MANIFEST_FILES[:2]),
    "validate": (partial(_of_manifest, command="validate"), _MANIFEST_FILES),
    "stats": (partial(_of_manifest, command="stats"), _MANIFEST_FILES[:5]),
    "diff": (_diff, _MANIFEST_FILES[:5]),
    **{
        f"export-{form}": (partial(_export, form=form), _MANIFEST_FILES[:4])
        for form in ("lvis", "coco", "yolo", "huggingface")
    },
    "evaluate": (partial(_against_lvis, results=world.RESULTS), (world.RESULTS, files.VAL)),
    "evaluate-table": (partial(_against_lvis, results=world.TABLE), (world.TABLE,)),
    "evaluate-manifest": (_against_manifest, _MANIFEST_FILES[:4]),
    "experts": (_experts, (world.POOL, files.COCO_MAP, files.VAL)),
    "ensemble": (_fit, (world.POOL, world.TABLE, files.VAL)),
    "ensemble-params": (_apply, (world.PARAMETERS, world.POOL)),
    "submit": (_submit, (world.RESULTS, files.VAL)),
    "roadmap": (partial(_roadmap, folder=world.RUNS), (world.EVALUATION, world.CONFIG)),
    "experiment": (partial(_roadmap, folder=world.EXPERIMENT), (world.TOML, world.SETTING)),
    "map-check": (_check, (files.MAP, files.VAL, files.CLASS_LIST)),
    "map-check-extra": (_check_extra, (world.EXTRA_MAP, world.EXTRA)),
    "map-suggest": (_suggest, (world.CLASSES, files.VAL)),
    "map-draft": (_draft, (world.EXTRA,)),
}  # fmt: skip


def _targets() -> tuple[Target, ...]:
    found = []
    for name, (command, read) in _READ_BY.items():
        for file in read:
            below = file.startswith(("manifest.json",)) or file in _MANIFEST_FILES
            path = f"{world.MANIFEST}/{file}" if below else file
            found.append(Target(path, command, f"{name}:{file.rpartition('/')[2]}"))
    return tuple(found)


TARGETS = _targets()
