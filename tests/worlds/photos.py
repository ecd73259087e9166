"""Flickr URLs; some photos are shared by images of several sources and splits."""

from __future__ import annotations

from random import Random


class Photos:
    """Draws photo ids, one in four or so from a small common pool."""

    def __init__(self, rng: Random, shared: float) -> None:
        self.rng = rng
        self.shared = shared
        self.pool = [rng.randint(10**5, 10**11) for _ in range(12)]

    def drawn_by(self, rng: Random) -> Photos:
        """The same common pool, drawn from by another generator."""
        other = Photos(rng, self.shared)
        other.pool = self.pool
        return other

    def number(self) -> int:
        if self.rng.random() < self.shared:
            return self.rng.choice(self.pool)
        return self.rng.randint(10**11, 10**17)

    def stem(self) -> str:
        """The last path part; now and then one without a usable photo id."""
        kind = self.rng.random()
        if kind < 0.03:
            return f"{self.number()}.jpg"
        if kind < 0.05:
            return f"x{self.number()}_ab_z.jpg"
        if kind < 0.07:
            return f"{10**18 + self.number()}_ab_z.jpg"
        return f"{self.number()}_{self.rng.randrange(16**8):08x}_z.jpg"

    def coco_url(self) -> str:
        return f"http://farm{self.rng.randint(1, 9)}.staticflickr.com/70_12/{self.stem()}"

    def open_images_url(self) -> str:
        return f"https://c{self.rng.randint(1, 9)}.staticflickr.com/6/5606/{self.stem()}"
