"""Where the label maps and the training recipes are: in a checkout or inside the installed wheel.

In a checkout `mappings/` and `train/` are top-level folders beside the package, where people edit
and review them; the wheel carries them as `lvis_merge/_data`.
"""

from __future__ import annotations

from pathlib import Path

from lvis_merge.errors import InputError

_PACKAGE = Path(__file__).resolve().parent


def mappings_dir() -> Path:
    """The folder of the label maps.

    Raises:
        InputError: the installation lacks it.
    """
    return _folder("mappings")


def train_dir() -> Path:
    """The folder of the recipes and launchers.

    Raises:
        InputError: the installation lacks it.
    """
    return _folder("train")


def default_map() -> Path:
    """The map `build` takes without `--mapping`: the 110 tail categories."""
    return mappings_dir() / "open_images_v5_110.csv"


def default_coco_map() -> Path:
    """The map `build` takes without `--coco-mapping`."""
    return mappings_dir() / "coco_2017.csv"


def all_pairs_map() -> Path:
    """Every sound pair of an Open Images class and an LVIS category, frequent ones too."""
    return mappings_dir() / "open_images_v5_all.csv"


def rejected_pairs() -> Path:
    """Pairs that names suggest and that are wrong or ambiguous, with the reason."""
    return mappings_dir() / "open_images_v5_rejected.csv"


def _folder(name: str) -> Path:
    # The wheel's copy first: beside an installed package lies site-packages, where a folder of
    # that name would be somebody else's.
    for folder in (_PACKAGE / "_data" / name, _PACKAGE.parent / name):
        if folder.is_dir():
            return folder
    raise InputError(
        f"This installation of lvis-merge lacks its {name} folder (looked beside {_PACKAGE} and in"
        f" {_PACKAGE / '_data'}). Install it again."
    )
