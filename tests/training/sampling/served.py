"""What the sampler reads off a dataset, and repeat factors written out from the paper."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st


@dataclass(frozen=True)
class Served:
    """The images that a dataset serves; `objects` are (image, label) pairs."""

    sources: Sequence[str]
    objects: Sequence[tuple[int, int]]
    num_classes: int
    image_source: np.ndarray = field(init=False)
    object_image: np.ndarray = field(init=False)
    object_label: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        pairs = np.array(self.objects, np.int64).reshape(-1, 2)
        object.__setattr__(self, "image_source", np.array(self.sources, str))
        object.__setattr__(self, "object_image", pairs[:, 0])
        object.__setattr__(self, "object_label", pairs[:, 1])

    def __len__(self) -> int:
        return len(self.sources)


def expected_factors(
    served: Served,
    threshold: float,
    counts: str = "merged",
    source_weight: Mapping[str, float] | None = None,
) -> list[float]:
    """r(c) = max(1, sqrt(t / f(c))), r(I) = max over the image's c, image by image.

    With counts `lvis` f is of LVIS images, and other images have r = 1.
    """
    labels: dict[int, set[int]] = {}
    for image, label in served.objects:
        if counts == "merged" or served.sources[image] == "lvis":
            labels.setdefault(image, set()).add(label)
    factors = []
    for image, source in enumerate(served.sources):
        r = 1.0
        for c in labels.get(image, ()):
            f = sum(c in there for there in labels.values()) / len(labels)
            r = max(r, math.sqrt(threshold / f))
        factors.append(r * (source_weight or {}).get(source, 1.0))
    return factors


@st.composite
def served_images(draw: st.DrawFn) -> Served:
    """A few images, the first of LVIS; some have no object, some have one category twice."""
    images = draw(st.integers(1, 8))
    classes = draw(st.integers(1, 4))
    others = st.lists(
        st.sampled_from(["lvis", "open_images"]), min_size=images - 1, max_size=images - 1
    )
    pair = st.tuples(st.integers(0, images - 1), st.integers(0, classes - 1))
    return Served(["lvis", *draw(others)], draw(st.lists(pair, max_size=20)), classes)
