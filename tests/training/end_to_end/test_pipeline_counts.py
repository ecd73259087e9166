"""Nothing is lost on the way: the manifest's objects, counted after mini's whole pipeline."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from lvis_merge.manifest import open as open_manifest


@pytest.fixture(scope="module")
def counted(
    demo_manifest: Path, demo_image_roots: list[str], cache: str
) -> tuple[Counter[tuple[str, str]], set[int]]:
    """Objects, masks and ignore regions by source of their image, as the model gets them."""
    from mmdet.registry import DATASETS, MODELS
    from mmengine.dataset import pseudo_collate

    from lvis_merge.training import register_all
    from lvis_merge.training.data import Draw
    from lvis_merge.training.recipe.load import load_recipe
    from lvis_merge.training.recipe.resolve import resolve

    register_all()
    config = resolve(load_recipe("mini"), demo_manifest, demo_image_roots)
    dataset = DATASETS.build({**config.train_dataloader.dataset, "cache_dir": cache})
    preprocessor = MODELS.build(config.model.data_preprocessor)
    counts: Counter[tuple[str, str]] = Counter()
    served = set()
    draws = [Draw(index, index) for index in range(len(dataset))]
    for start in range(0, len(draws), 8):
        batch = pseudo_collate([dataset[draw] for draw in draws[start : start + 8]])
        for sample in preprocessor(batch, True)["data_samples"]:
            objects, source = sample.gt_instances, sample.metainfo["source"]
            assert len(objects.labels) == len(objects.bboxes) == len(objects.masks)
            counts[source, "object"] += len(objects)
            counts[source, "mask"] += int(objects.has_mask.sum())
            counts[source, "ignore"] += len(sample.ignored_instances)
            served.add(sample.metainfo["img_id"])
    return counts, served


def test_positives_by_source_are_the_manifest_s(
    counted: tuple[Counter[tuple[str, str]], set[int]], demo_manifest: Path
) -> None:
    """Box-only objects stay objects, ignore regions stay regions, masks stay masks."""
    manifest = open_manifest(demo_manifest)
    images = manifest.pandas("images", ["image_id", "source", "split"])
    images = images[images["split"] == "train"].drop(columns="split")
    columns = ["image_id", "role", "segmentation", "mask_rle"]
    rows = manifest.pandas("annotations", columns).merge(images, on="image_id")
    objects = rows[rows["role"] == "object"]
    with_objects = set(objects["image_id"])
    masks = objects[objects["segmentation"].notna() | objects["mask_rle"].notna()]
    regions = rows[(rows["role"] == "ignore") & rows["image_id"].isin(with_objects)]
    expected: Counter[tuple[str, str]] = Counter()
    for what, some in (("object", objects), ("mask", masks), ("ignore", regions)):
        for source, number in some.groupby("source").size().items():
            expected[str(source), what] = int(number)
    counts, served = counted
    assert served == with_objects
    assert counts == expected
    # there is something to lose: objects without masks, and regions on both sources' images
    assert expected["open_images", "object"] > 0 == expected["open_images", "mask"]
    assert expected["lvis", "ignore"] > 0 < expected["open_images", "ignore"]
