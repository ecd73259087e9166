"""Repeat factors are the paper's, and epochs are drawn by them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvis_merge import manifest as manifests
from lvis_merge.errors import InputError
from lvis_merge.pipeline.build import build_manifest
from lvis_merge.training.sampling import epoch_indices, image_repeat_factors
from lvis_merge.training.sampling.repeat_factors import epoch_length
from tests.pipeline.test_reference_worlds import build_options
from tests.training.sampling.served import Served, expected_factors, served_images
from tests.worlds import make_world


def factors_of(served: Served, threshold: float = 0.001, **options: object) -> np.ndarray:
    return image_repeat_factors(
        served.object_image,
        served.object_label,
        served.image_source,
        served.num_classes,
        threshold,
        **options,  # type: ignore[arg-type]
    )


@given(
    served=served_images(),
    threshold=st.sampled_from([0.0, 0.3, 1.0, 4.0]),
    counts=st.sampled_from(["merged", "lvis"]),
    weight=st.none() | st.sampled_from([{"lvis": 0.5}, {"open_images": 0.0, "lvis": 2.5}]),
)
def test_factors_are_the_papers(
    served: Served, threshold: float, counts: str, weight: dict[str, float] | None
) -> None:
    factors = factors_of(served, threshold, counts=counts, source_weight=weight)
    assert factors.dtype == np.float64
    np.testing.assert_allclose(
        factors, expected_factors(served, threshold, counts, weight), rtol=1e-14
    )


# 100 LVIS images of category 0, one of which has the rare category 1 too; 4 Open Images images of 1
MIXED = Served(
    ["lvis"] * 100 + ["open_images"] * 4,
    [(image, 0) for image in range(100)] + [(7, 1)] + [(image, 1) for image in range(100, 104)],
    2,
)


@pytest.mark.parametrize(
    ("counts", "of_rare_lvis", "of_open_images"),
    [
        # f = 5/104: the image with the only mask is drawn as often as those without
        ("merged", (0.09 * 104 / 5) ** 0.5, (0.09 * 104 / 5) ** 0.5),
        # f = 1/100 on LVIS: it stays repeated; the others come once
        ("lvis", 3.0, 1.0),
    ],
)
def test_counts_of_lvis_keep_rare_masks_repeated(
    counts: str, of_rare_lvis: float, of_open_images: float
) -> None:
    factors = factors_of(MIXED, 0.09, counts=counts)
    assert factors[7] == pytest.approx(of_rare_lvis)
    assert factors[100:].tolist() == pytest.approx([of_open_images] * 4)
    assert (factors[:7] == 1).all()


def test_f_is_a_share_of_the_images_with_objects() -> None:
    # category 0 is on 1 of 2 annotated images, of 4 in all
    served = Served(["lvis"] * 4, [(0, 0), (0, 0), (1, 1)], 2)
    assert factors_of(served, 2.0).tolist() == [2.0, 2.0, 1.0, 1.0]


def test_a_recipes_source_may_be_absent_but_not_misspelt() -> None:
    served = Served(["lvis", "mine"], [(0, 0), (1, 0)], 1)
    weights = {"open_images": 0.5, "mine": 3.0}
    assert factors_of(served, source_weight=weights).tolist() == [1.0, 3.0]
    with pytest.raises(InputError, match=r"no image is from 'openimages'.* lvis, mine"):
        factors_of(served, source_weight={"openimages": 0.5})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threshold": -1.0}, "repeat_threshold -1.0"),
        ({"threshold": float("nan")}, "repeat_threshold nan"),
        ({"counts": "all"}, "rfs_counts 'all': unknown"),
        ({"counts": "lvis"}, "no image here is from LVIS"),
        ({"source_weight": {"coco": -0.1}}, "source_weight of coco: -0.1"),
        ({"source_weight": {"coco": float("inf")}}, "source_weight of coco: inf"),
    ],
)
def test_what_cannot_be_used_is_told(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        factors_of(Served(["coco"], [(0, 0)], 1), **options)  # type: ignore[arg-type]


def test_merged_factors_are_those_of_the_manifest(tmp_path: Path) -> None:
    world = make_world(100, tmp_path / "world")  # 1,300 LVIS images and every source
    build_manifest(build_options(world.options, tmp_path / "manifest"))
    manifest = manifests.open(tmp_path / "manifest")
    columns = ["image_id", "category_id", "role"]
    objects = manifest.pandas("annotations", columns).query("role == 'object'")
    images = manifest.pandas("images", ["image_id", "source", "split"]).query("split == 'train'")
    images = images[images.image_id.isin(objects.image_id)]
    objects = objects[objects.image_id.isin(images.image_id)]
    categories = manifest.pandas("categories", ["category_id", "repeat_factor"])
    by_category = categories.set_index("category_id").repeat_factor
    assert set(images.source) == {"lvis", "open_images", "acme"}
    assert (by_category > 1).any()

    factors = image_repeat_factors(
        np.searchsorted(images.image_id, objects.image_id),
        np.searchsorted(categories.category_id, objects.category_id.astype(np.int64)),
        images.source.to_numpy(),
        len(categories),
    )
    expected = by_category[objects.category_id].groupby(objects.image_id.to_numpy()).max()
    np.testing.assert_allclose(factors, expected.loc[images.image_id].to_numpy(), rtol=1e-12)
    assert factors.max() > 1


FACTORS = np.random.default_rng(1).uniform(0, 4, 300)


def test_images_come_as_often_as_their_factor_says() -> None:
    epochs = 400
    draws = np.zeros((epochs, len(FACTORS)), np.int64)
    for epoch in range(epochs):
        indices = epoch_indices(FACTORS, 3, epoch)
        assert indices.dtype == np.int64
        assert len(indices) == epoch_length(FACTORS, 3, epoch)
        draws[epoch] = np.bincount(indices, minlength=len(FACTORS))
    # every epoch rounds every factor up or down
    assert ((draws == np.floor(FACTORS)) | (draws == np.floor(FACTORS) + 1)).all()
    # the mean length is Σ r(I), each image's mean is r(I), within 5 standard errors of Bernoullis
    more = FACTORS - np.floor(FACTORS)
    error = np.sqrt(more * (1 - more) / epochs)
    assert abs(draws.sum(axis=1).mean() - FACTORS.sum()) < 5 * np.sqrt((error**2).sum())
    assert (np.abs(draws.mean(axis=0) - FACTORS) < 5 * error + 1e-12).all()
    # rounding is independent from epoch to epoch
    up = draws[:, (more > 0.3) & (more < 0.7)] - np.floor(FACTORS)[(more > 0.3) & (more < 0.7)]
    assert abs(np.corrcoef(up[:-1].ravel(), up[1:].ravel())[0, 1]) < 0.05


def test_an_epoch_follows_from_seed_and_number() -> None:
    first = epoch_indices(FACTORS, 0, 0)
    assert np.array_equal(first, epoch_indices(FACTORS, 0, 0))
    for seed, epoch in ((0, 1), (1, 0)):
        other = epoch_indices(FACTORS, seed, epoch)
        assert len(other) != len(first) or not np.array_equal(other, first)
        assert not np.array_equal(np.sort(other), np.sort(first))  # rounded anew, too


def test_without_shuffling_images_come_in_order() -> None:
    plain = epoch_indices(FACTORS, 0, 5, shuffle=False)
    shuffled = epoch_indices(FACTORS, 0, 5)
    assert (np.diff(plain) >= 0).all()
    assert not (np.diff(shuffled) >= 0).all()
    assert np.array_equal(np.sort(shuffled), plain)


def test_whole_factors_are_not_rounded() -> None:
    indices = epoch_indices(np.array([1.0, 0.0, 3.0]), 0, 0, shuffle=False)
    assert indices.tolist() == [0, 2, 2, 2]
