"""An export from start to end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from lvis_merge.errors import UsageError
from lvis_merge.export.options import Exported, ExportOptions, Format
from lvis_merge.export.place import check_new, new_file, new_folder
from lvis_merge.export.split_rows import SplitRows, splits_of
from lvis_merge.manifest import Manifest
from lvis_merge.progress import Advance, Stages

_FILE_NAMES = {Format.lvis: "lvis_{}.json", Format.coco: "instances_{}.json"}
"""Of the formats that have one file per split."""


def export(manifest: Manifest, options: ExportOptions, stages: Stages) -> list[Exported]:
    """Writes a manifest in another format, whole or not at all.

    Equal manifests and options give equal bytes.

    Args:
        manifest: an open manifest.
        options: what to export, and where to.
        stages: progress.

    Returns:
        What was written, by split.

    Raises:
        UsageError: `out` names one file and there are several splits.
        InputError: `out` is there already or cannot be written, a split has no image, or the
            manifest is damaged.
    """
    check_new(options.out)
    splits = splits_of(manifest, options.splits)
    if options.format in _FILE_NAMES:
        return _annotation_files(splits, options, stages)
    total = sum(len(split.images) for split in splits)
    with (
        new_folder(options.out) as folder,
        stages.stage(f"writing {options.format.value}", total) as advance,
    ):
        return _folder_writer(options)(folder, splits, advance)


def _annotation_files(
    splits: Sequence[SplitRows], options: ExportOptions, stages: Stages
) -> list[Exported]:
    from lvis_merge.export.coco import write_coco
    from lvis_merge.export.lvis import write_lvis

    write = write_lvis if options.format is Format.lvis else write_coco

    def written(path: Path, name: str, split: SplitRows) -> Exported:
        with stages.stage(f"writing {split.split}", split.annotation_count) as advance:
            return write(path, name, split, options.box_only, advance)

    if options.out.suffix == ".json":
        if len(splits) > 1:
            names = ", ".join(split.split for split in splits)
            raise UsageError(
                f"--out {options.out} is one file, and there are splits {names}. Give --split, or a"
                " folder as --out."
            )
        with new_file(options.out) as path:
            return [written(path, ".", splits[0])]
    with new_folder(options.out) as folder:
        return [
            written(folder / name, name, split)
            for split in splits
            for name in [_FILE_NAMES[options.format].format(split.split)]
        ]


def _folder_writer(
    options: ExportOptions,
) -> Callable[[Path, Sequence[SplitRows], Advance], list[Exported]]:
    roots = options.image_roots
    match options.format:
        case Format.yolo:
            from lvis_merge.export.yolo import write_yolo

            return lambda folder, splits, advance: write_yolo(
                folder, splits, options.box_only, roots, options.copy_images, advance
            )
        case Format.huggingface:
            from lvis_merge.export.huggingface import write_huggingface

            return lambda folder, splits, advance: write_huggingface(folder, splits, roots, advance)
        case _:
            from lvis_merge.export.fiftyone_folder import write_fiftyone

            return lambda folder, splits, advance: write_fiftyone(
                folder, options.out.name, splits, roots, advance
            )
