"""Sizes and mirroring: what `--scales` means, and where boxes go."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lvis_merge.errors import InputError, UsageError
from lvis_merge.testing.inference.view_frame import ViewFrame
from lvis_merge.testing.inference.view_pipeline import view_pipeline
from lvis_merge.testing.inference.views import Scale, read_scales


def test_the_papers_scales() -> None:
    assert read_scales("600,800,1000,1200,1400") == (
        Scale(600, 1000),
        Scale(800, 1333),
        Scale(1000, 1667),
        Scale(1200, 2000),
        Scale(1400, 2333),
    )


@pytest.mark.parametrize(
    ("text", "scales"),
    [
        ("192x256", (Scale(192, 256),)),  # both bounds
        (" 600 , 800x800 ", (Scale(600, 1000), Scale(800, 800))),  # spaces, a square
    ],
)
def test_other_scales(text: str, scales: tuple[Scale, ...]) -> None:
    assert read_scales(text) == scales


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "nothing is no scale"),
        ("600,", "nothing is no scale"),
        ("6e2", "6e2 is no scale"),
        ("-600", "-600 is no scale"),
        ("0", "0 is no scale"),
        ("600x", "600x is no scale"),
        ("1000x600", "the short side is the longer one"),
        ("600,600x1000", "600x1000 is there twice"),
    ],
)
def test_what_is_no_scale(text: str, fault: str) -> None:
    with pytest.raises(UsageError, match="--scales") as error:
        read_scales(text)
    assert fault in str(error.value)


RESIZE = {"type": "Resize", "scale": (1333, 800), "keep_ratio": True}
PIPELINE = [{"type": "LoadManifestImage"}, RESIZE, {"type": "Pad"}, {"type": "PackManifestInputs"}]


def test_views_are_made_between_loading_and_padding() -> None:
    load, views = view_pipeline(PIPELINE, [Scale(600, 1000), Scale(800, 1333)], flip=True)
    assert load == {"type": "LoadManifestImage"}
    resizes, flips, pad, pack = views["transforms"]
    assert [one["scale"] for one in resizes] == [(1000, 600), (1333, 800)]
    assert [one["prob"] for one in flips] == [0.0, 1.0]
    assert (pad, pack) == ([{"type": "Pad"}], [{"type": "PackManifestInputs"}])


def test_without_scales_the_recipes_own_is_tested() -> None:
    _, views = view_pipeline(PIPELINE, [], flip=False)
    assert views["transforms"][:2] == [[RESIZE], [{"type": "RandomFlip", "prob": 0.0}]]


@pytest.mark.parametrize("resizes", [0, 2])
def test_a_pipeline_needs_one_resize(resizes: int) -> None:
    with pytest.raises(InputError, match=f"has {resizes} transforms Resize"):
        view_pipeline([PIPELINE[0], *[RESIZE] * resizes, PIPELINE[3]], [], flip=False)


def test_a_mirrored_view() -> None:
    # an image of 100 x 50 at 200 x 150, mirrored: x is counted from the right
    meta: dict[str, Any] = {"ori_shape": (50, 100), "scale_factor": (2.0, 3.0), "flip": True}
    frame = ViewFrame.of(meta)
    boxes = torch.tensor([[0.0, 0.0, 20.0, 30.0]])
    assert frame.to_image(boxes).tolist() == [[90.0, 0.0, 100.0, 10.0]]
    assert frame.to_view(torch.tensor([[90.0, 0.0, 100.0, 10.0]])).tolist() == boxes.tolist()


@given(
    st.integers(1, 4000),
    st.tuples(st.floats(0.1, 10), st.floats(0.1, 10)),
    st.booleans(),
    st.lists(st.tuples(*[st.floats(-100, 4000)] * 4), max_size=4),
)
def test_there_and_back(
    width: int, scale: tuple[float, float], flipped: bool, corners: list[tuple[float, ...]]
) -> None:
    """A view's boxes, mapped to the image, are where they were; left stays left of right."""
    frame = ViewFrame(width, scale, flipped)
    boxes = torch.tensor(corners, dtype=torch.float64).reshape(-1, 4)
    boxes = torch.cat([boxes[:, :2].minimum(boxes[:, 2:]), boxes[:, :2].maximum(boxes[:, 2:])], 1)
    seen = frame.to_view(boxes)
    assert (seen[:, 2] >= seen[:, 0]).all()
    assert torch.allclose(frame.to_image(seen), boxes, atol=1e-6)
