from pathlib import Path

import pytest

from lvis_merge import resources
from lvis_merge.errors import InputError


def test_a_checkout_uses_the_folders_beside_the_package():
    top = Path(resources.__file__).parent.parent
    assert resources.mappings_dir() == top / "mappings"
    assert resources.train_dir() == top / "train"


def test_an_installed_wheel_uses_its_own_copy_even_if_a_neighbour_has_such_a_folder(
    tmp_path, monkeypatch
):
    package = tmp_path / "lvis_merge"
    (package / "_data" / "mappings").mkdir(parents=True)
    (tmp_path / "mappings").mkdir()
    monkeypatch.setattr(resources, "_PACKAGE", package)
    assert resources.mappings_dir() == package / "_data" / "mappings"


def test_a_missing_folder_tells_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "lvis_merge")
    with pytest.raises(InputError, match=r"lacks its train folder.*Install it again"):
        resources.train_dir()


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (resources.default_map, "open_images_v5_110.csv"),
        (resources.default_coco_map, "coco_2017.csv"),
        (resources.all_pairs_map, "open_images_v5_all.csv"),
        (resources.rejected_pairs, "open_images_v5_rejected.csv"),
    ],
)
def test_packaged_maps_exist(path, name):
    assert path().name == name
    assert path().is_file()
