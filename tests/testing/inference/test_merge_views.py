"""Boxes of several views: pooled, then class-wise NMS at 0.5."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from lvis_merge.testing.inference.merge_views import merge_views
from lvis_merge.testing.inference.network import Boxes
from tests.testing import plain


def boxes(rows: list[tuple[float, float, float, float, float, int]]) -> Boxes:
    table = torch.tensor([row[:5] for row in rows], dtype=torch.float32).reshape(-1, 5)
    labels = torch.tensor([row[5] for row in rows], dtype=torch.int64)
    corners = torch.cat([table[:, :2], table[:, :2] + table[:, 2:4]], dim=1)
    return Boxes(corners, table[:, 4], labels)


def rows_of(found: Boxes) -> list[tuple[list[float], float, int]]:
    columns = found.xyxy.tolist(), found.scores.tolist(), found.labels.tolist()
    return list(zip(*columns, strict=True))


_ROW = st.tuples(
    st.integers(0, 30), st.integers(0, 30), st.integers(0, 20), st.integers(0, 20),
    st.sampled_from([0.1, 0.25, 0.5, 0.75, 1.0]), st.integers(0, 2),
)  # fmt: skip


@given(st.lists(st.lists(_ROW, max_size=12), min_size=2, max_size=4), st.integers(1, 20))
def test_merging_is_nms_within_each_category(
    views: list[list[tuple[float, float, float, float, float, int]]], most: int
) -> None:
    merged = merge_views([boxes(rows) for rows in views], most)
    pooled = [row for rows in views for row in rows]
    kept = []
    for label in range(3):
        places = [place for place, row in enumerate(pooled) if row[5] == label]
        xywh = [pooled[place][:4] for place in places]
        stays = plain.nms(xywh, [pooled[place][4] for place in places], 0.5)
        kept += [places[place] for place in stays]
    order = sorted(kept, key=lambda place: (-pooled[place][4], place))[:most]
    assert rows_of(merged) == rows_of(boxes([pooled[place] for place in order]))


def test_one_view_stays_as_it_is() -> None:
    """A single view has been through mmdet's NMS: the same figures must come out."""
    both = boxes([(0, 0, 10, 10, 0.9, 0), (0, 0, 10, 9, 0.8, 0)])
    assert rows_of(merge_views([both], 10)) == rows_of(both)


def test_many_categories_do_not_blur_boxes() -> None:
    """An IoU of 0.5 and a hair is more than 0.5, at the 1,230th category too.

    mmcv tells categories apart by moving boxes by multiples of the image's size, which leaves
    float32 a quarter of a pixel here.
    """
    one = [(10.0, 10.0, 20.0, 10.0, 0.9, 1229), (10.0, 10.0, 10.01, 10.0, 0.8, 1229)]
    far = (1990.0, 1990.0, 10.0, 10.0, 0.5, 0)
    merged = merge_views([boxes([one[0], far]), boxes([one[1]])], 10)
    assert merged.scores.tolist() == torch.tensor([0.9, 0.5]).tolist()
