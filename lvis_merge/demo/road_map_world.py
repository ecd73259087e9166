"""Where a road-map world's files lie, and its label maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lvis_merge.demo.coco_json import CocoCategory
from lvis_merge.demo.open_images_csv import write_table
from lvis_merge.demo.road_map_classes import RoadMapClass
from lvis_merge.demo.world import world_at

_MAP_TAIL = ("lvis_synset", "lvis_name", "relation", "note")


@dataclass(frozen=True)
class RoadMapWorld:
    """Paths of a drawn road-map world, named as the command line names its options.

    Attributes:
        folder: all below is in it.
        seed: the one it was drawn from.
        lvis_train: `build --lvis`.
        lvis_val: `build --lvis-val`, with federated lists.
        lvis_val_exhaustive: `evaluate --annotations`: the same images and objects, every category
            that an image does not show among its negatives.
        coco: `build --coco`.
        coco_mapping: `build --coco-mapping`.
        openimages_dir: `build --openimages`.
        openimages_images: `build --openimages-images`; holds `train/`, `validation/`.
        openimages_sizes: `build --openimages-sizes`.
        mapping: `build --mapping`.
        image_root: `--image-root`; holds `train2017/`, `val2017/`.
    """

    folder: Path
    seed: int
    lvis_train: Path
    lvis_val: Path
    lvis_val_exhaustive: Path
    coco: Path
    coco_mapping: Path
    openimages_dir: Path
    openimages_images: Path
    openimages_sizes: Path
    mapping: Path
    image_root: Path

    @property
    def image_roots(self) -> tuple[Path, Path]:
        """The folders in which a manifest's `file_name` resolves."""
        return self.image_root, self.openimages_images


def road_map_at(folder: Path, seed: int) -> RoadMapWorld:
    """The layout of a road-map world below a folder; nothing is read or written."""
    usual = world_at(folder, seed)
    annotations, maps = usual.lvis_train.parent, folder / "maps"
    return RoadMapWorld(
        folder=folder,
        seed=seed,
        lvis_train=annotations / "lvis_train.json",
        lvis_val=annotations / "lvis_val.json",
        lvis_val_exhaustive=annotations / "lvis_val_exhaustive.json",
        coco=usual.coco,
        coco_mapping=maps / "coco.csv",
        openimages_dir=usual.openimages_dir,
        openimages_images=usual.openimages_images,
        openimages_sizes=usual.openimages_sizes,
        mapping=maps / "open_images.csv",
        image_root=usual.image_root,
    )


def write_maps(
    world: RoadMapWorld, classes: Sequence[RoadMapClass], coco: Sequence[CocoCategory]
) -> None:
    """Write both label maps.

    Args:
        world: where; the folder of the maps is made.
        classes: all classes.
        coco: COCO's categories, by id.
    """
    world.mapping.parent.mkdir(exist_ok=True)
    tail = sorted((cls for cls in classes if cls.is_tail), key=lambda cls: cls.mid)
    write_table(
        world.mapping,
        ("mid", "open_images_name", *_MAP_TAIL),
        [(cls.mid, cls.spoken_name, cls.synset, cls.name, "exact", "") for cls in tail],
    )
    own = {cls.coco_id: cls for cls in classes if cls.coco_is_own}
    rows = []
    for category in coco:
        named = own.get(category.id)
        if named is not None:
            fields = (named.synset, named.name, "exact", "")
        else:
            note = f"any {category.supercategory} that has no COCO class of its own"
            fields = ("", "", "", note)
        rows.append((str(category.id), category.name, *fields))
    write_table(world.coco_mapping, ("coco_id", "coco_name", *_MAP_TAIL), rows)
