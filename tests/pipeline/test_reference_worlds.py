"""`build` equals a slow reference that was written from the contract, on generated worlds."""

from pathlib import Path

import pytest

from lvis_merge.manifest.validate import validate
from lvis_merge.pipeline.build import build_manifest
from lvis_merge.pipeline.extra_option import parse_extras
from lvis_merge.pipeline.options import BuildOptions
from tests.pipeline.running import hold_little
from tests.reference import build_reference
from tests.reference.compare import differences
from tests.worlds import Options, make_world

WORLDS = 200


def build_options(options: Options, out: Path) -> BuildOptions:
    """A world's options as `build` takes them."""

    def text(path: Path | None) -> str | None:
        return None if path is None else str(path)

    return BuildOptions(
        out=out,
        lvis=text(options.lvis),
        lvis_val=text(options.lvis_val),
        lvis_test=text(options.lvis_test),
        coco=text(options.coco),
        openimages=text(options.openimages),
        mapping=text(options.mapping),
        coco_mapping=text(options.coco_mapping),
        images=None if options.images == "all" else options.images,
        selection=options.selection,
        candidates=options.candidates,
        openimages_sizes=text(options.openimages_sizes),
        openimages_exclude=text(options.openimages_exclude),
        coco_boxes=options.coco_boxes,
        unmapped=options.unmapped,
        holdout=tuple(map(str, options.holdout)),
        extra=parse_extras(options.extra, options.extra_exhaustive),
        label_space=options.label_space,
        max_rejects=options.max_rejects,
        seed=options.seed,
    )


@pytest.mark.parametrize("seed", range(WORLDS))
def test_build_equals_the_reference(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A world of a few images is treated as one that memory does not hold, in one way or other."""
    hold_little(monkeypatch, buckets=1 + seed % 5, waiting=(1 << 18, 1)[seed % 2])
    world = make_world(seed, tmp_path / "world")
    out = tmp_path / "manifest"
    build_manifest(build_options(world.options, out))
    assert differences(build_reference(world.options), out) == []
    assert [str(f) for f in validate(out) if f.level == "error"] == []
