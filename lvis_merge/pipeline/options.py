"""What a build is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lvis_merge.errors import InputError, UsageError
from lvis_merge.pipeline.extra_option import ExtraSource

LabelSpace = Literal["lvis", "coco", "open_images"]
DEFAULT_IMAGES = 20_000
NO_MAPPING = "none"


@dataclass(frozen=True)
class BuildOptions:
    """Options of `lvis-merge build`; files are local paths or URLs.

    Attributes:
        out: the manifest folder to be.
        lvis: LVIS train JSON.
        lvis_val: LVIS val JSON, becomes split val.
        lvis_test: LVIS test JSON, becomes split test.
        coco: COCO instances JSON.
        openimages: folder with the Open Images CSVs.
        mapping: Open Images label map; None for the map of 110, `none` for no map.
        coco_mapping: COCO label map; None for the one that comes along.
        images: how many Open Images images; None for all.
        selection: how they are chosen.
        candidates: which images may be chosen: all, or those whose size is known.
        openimages_images: folder with images, for their sizes.
        openimages_sizes: CSV ImageID,Width,Height.
        openimages_exclude: CSV with a column ImageID: images not to choose.
        coco_boxes: which COCO boxes become ignore regions.
        unmapped: whether boxes of unmapped classes become ignore regions or are dropped.
        holdout: files of images that no train image may share an id or a photo with.
        label_space: whose categories the manifest has.
        max_rejects: tolerated bad rows per file, a count or a percentage; None for the default.
        corrections: CSV of `lvis-merge curate`: rows to leave out, boxes of another category.
        strict: stop at the first bad row or map row without a category.
        extra: further data sets in COCO's format, in any order; each name once.
        seed: of the selection.
        overwrite: whether a manifest at `out` may be replaced.
    """

    out: Path
    lvis: str | None = None
    lvis_val: str | None = None
    lvis_test: str | None = None
    coco: str | None = None
    openimages: str | None = None
    mapping: str | None = None
    coco_mapping: str | None = None
    images: int | None = DEFAULT_IMAGES
    selection: Literal["balanced", "random"] = "balanced"
    candidates: Literal["all", "sized"] = "all"
    openimages_images: Path | None = None
    openimages_sizes: str | None = None
    openimages_exclude: str | None = None
    coco_boxes: Literal["all", "unmatched", "off"] = "all"
    unmapped: Literal["ignore", "drop"] = "ignore"
    holdout: tuple[str, ...] = ()
    corrections: str | None = None
    label_space: LabelSpace = "lvis"
    max_rejects: str | None = None
    strict: bool = False
    extra: tuple[ExtraSource, ...] = ()
    seed: int = 0
    overwrite: bool = False

    def check(self) -> None:
        """Refuses options that make no sense together.

        Raises:
            UsageError: options that contradict each other.
            InputError: sources that do not fit the label space.
        """
        for name, value in vars(self).items():
            if value == "" or (isinstance(value, tuple) and "" in value):
                raise UsageError(
                    f"--{name.replace('_', '-')}: the value is empty (an unset variable?). Give"
                    " one, or leave the option out."
                )
        if self.images is not None and self.images < 0:
            raise UsageError(f"--images {self.images}: give a number from 0, or all.")
        names = [extra.name for extra in self.extra]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise UsageError(f"--extra {twice[0]}=…: given twice. Give each source its own name.")
        if self.label_space == "lvis":
            self._check_lvis()
        else:
            self._check_expert()

    def _check_lvis(self) -> None:
        if self.lvis is None:
            if self.coco and not self.openimages:
                raise InputError(
                    "--coco without --lvis: COCO boxes are ignore regions on LVIS images. Give"
                    " --lvis, or --label-space coco for an expert on COCO's own 80 classes."
                )
            if self.openimages:
                raise InputError(
                    "--openimages without --lvis: its boxes are merged into LVIS. Give --lvis, or"
                    " --label-space open_images for an expert on Open Images' own classes."
                )
            if self.extra:
                raise InputError(
                    "--extra without --lvis: its boxes are merged into LVIS. Give --lvis."
                )
            raise UsageError("Nothing to build: give --lvis FILE, the LVIS train annotations.")
        if self.mapping == NO_MAPPING and self.openimages:
            raise UsageError(
                "--mapping none: Open Images needs a label map to LVIS. Leave the option out for"
                " the map of 110 classes, or use --label-space open_images."
            )

    def _check_expert(self) -> None:
        needed = "coco" if self.label_space == "coco" else "openimages"
        given = {
            "lvis": self.lvis,
            "lvis-val": self.lvis_val,
            "lvis-test": self.lvis_test,
            "coco": self.coco,
            "openimages": self.openimages,
            "extra": self.extra,
        }
        if not given[needed]:
            raise UsageError(f"--label-space {self.label_space} needs --{needed}.")
        others = [f"--{name}" for name, value in given.items() if value and name != needed]
        if others:
            raise UsageError(
                f"--label-space {self.label_space} is built from --{needed} alone; leave out"
                f" {', '.join(others)} (give the files to --holdout to keep their images out)."
            )

    def without_effect(self) -> list[str]:
        """Options that were given and mean nothing without another one, one sentence each."""
        needs = {
            "mapping": "openimages",
            "openimages_images": "openimages",
            "openimages_sizes": "openimages",
            "openimages_exclude": "openimages",
            "coco_mapping": "coco",
        }
        flags = {name: f"--{name.replace('_', '-')}" for name in needs}
        return [
            f"{flags[name]} has no effect without --{needed}"
            for name, needed in needs.items()
            if getattr(self, name) is not None and getattr(self, needed) is None
        ]

    def shaping(self) -> dict[str, Any]:
        """The options that shape the result, without files and folders, for the manifest."""
        options: dict[str, Any] = {
            "images": "all" if self.images is None else self.images,
            "selection": self.selection,
            "candidates": self.candidates,
            "unmapped": self.unmapped,
            "coco_boxes": self.coco_boxes,
            "max_rejects": self.max_rejects,
            "strict": self.strict,
        }
        if self.label_space != "lvis" or not self.coco:
            options.pop("coco_boxes")
        if not self.openimages:
            for name in ("images", "selection", "candidates"):
                options.pop(name)
        if not self.openimages and not self.extra:
            options.pop("unmapped")
        return options
