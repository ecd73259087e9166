import numpy as np
import pytest

from lvis_merge.report.rows import read_rows
from lvis_merge.report.sampling import epoch_lengths, repeat_factors
from tests.report import small


@pytest.mark.parametrize(
    ("images_of_category", "images", "factor"),
    [
        # f = 1/4000, a quarter of t = 0.001: drawn twice
        (1, 4000, 2.0),
        # f = t: exactly once
        (4, 4000, 1.0),
        # above t: never less than once
        (400, 4000, 1.0),
        # no image: 1, by the contract, not infinity
        (0, 4000, 1.0),
        # no image at all
        (0, 0, 1.0),
    ],
)
def test_repeat_factor_of_a_category(images_of_category, images, factor):
    assert repeat_factors(np.array([images_of_category]), images)[0] == pytest.approx(factor)


def test_merged_counts_stop_repeating_a_category_that_open_images_fills():
    # 4,000 LVIS images show a cat; one of them a banjo too (f = t/4, r = 2)
    images = [small.image(i) for i in range(1, 4001)]
    objects = [small.annotation(i, 2) for i in range(1, 4001)] + [small.annotation(4000, 1)]
    # 36 Open Images images of banjos lift it over t
    others = range(2**52, 2**52 + 36)
    images += [small.image(i, "open_images") for i in others]
    objects += [small.annotation(i, 1, "open_images") for i in others]
    made = small.tables(
        images, objects, [small.category(1, "banjo", "r"), small.category(2, "cat", "f")]
    )
    alone, lvis, merged = epoch_lengths(read_rows(made.images, made.annotations, made.categories))
    assert (alone.counts, alone.images, alone.expected) == ("lvis_alone", 4000, 4001.0)
    # other sources' images are drawn once each, the LVIS banjo twice
    assert (lvis.counts, lvis.images, lvis.expected) == ("lvis", 4036, 4037.0)
    assert (lvis.repeated_images, lvis.repeated_categories, lvis.max_factor) == (1, 1, 2.0)
    assert (merged.counts, merged.expected, merged.repeated_images) == ("merged", 4036.0, 0)


def test_only_objects_on_train_images_count():
    made = small.tables(
        [small.image(1), small.image(2, split="val"), small.image(3)],
        [
            small.annotation(1, 1),
            # not a train image
            small.annotation(2, 1),
            # not an object: its image has none and is not in the epoch
            small.annotation(3, 1, "coco", ignore_reason="coco_box"),
        ],
        [small.category(1, "banjo", "r")],
    )
    (merged,) = epoch_lengths(read_rows(made.images, made.annotations, made.categories))
    assert (merged.images, merged.expected) == (1, 1.0)
