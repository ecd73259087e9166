"""The road-map world's numbers: how much of everything, and how far its sources disagree.

The world is made for measuring what each trick of the recipe does, so every ratio that a trick
lives on is stated here, and a test measures it on a drawn world.
"""

from __future__ import annotations

from dataclasses import dataclass

CLASSES = 96
"""Eight shapes, four hues, three textures."""

CROWD_MEMBERS = 8


@dataclass(frozen=True)
class RoadMapDesign:
    """Amounts and ratios of a road-map world.

    A smaller world has a smaller `most_instances`: the number of train images follows from it.

    Attributes:
        most_instances: annotated LVIS train objects of the most frequent class.
        fewest_instances: those of the rarest; log-linear by rank in between.
        annotated_per_image: annotated objects per LVIS train image.
        unannotated: share of the objects on LVIS train images that LVIS leaves out, in every class.
        coco_covers: share of those that stand in a COCO box. The rest is of classes that COCO
            does not have, spread evenly over the ranks.
        coco_own: so many of the most frequent classes that COCO has are COCO classes of their own,
            which the map names. The others are in one coarse class per shape, without a category.
        neg: categories verified absent, per LVIS image (train, and val with federated lists).
        not_exhaustive: share of the LVIS train images with one category done only partly.
        empty: share of the LVIS train images without any annotation.
        pairs: share of a class's LVIS objects that stand two to an image.
        crowds: share of the LVIS train images with a heap that COCO outlines as a crowd.
        coco_only_images: COCO images that LVIS does not have.
        val_images: LVIS val images, annotated exhaustively.
        val_instances: val objects of each class.
        open_images: images, train and validation subset together.
        open_images_validation: share of them in the validation subset.
        open_images_tail: share of their objects that are of the tail half of the classes, which
            the map names, each equally often.
        verified: share of the classes drawn on an Open Images image that are verified present and
            boxed. Each image has one of the tail at least.
        label_only: share of them that are verified present without a box; of the remaining ones
            the files say nothing.
        absent: classes verified absent, per Open Images image.
        absent_shapes: share of the Open Images images on which a whole shape is verified absent.
        groups: share of the Open Images images with a heap under one group-of box.
        depictions: share of the Open Images images with a picture of an object.
        shift: how much of the domain shift below Open Images has; 0: none, its images are drawn
            as the others are.
        shifted_backdrops: at shift 1, share of its images before a backdrop of another kind.
        shifted_colours: at shift 1, what red, green and blue are multiplied with.
        shifted_noise: at shift 1, standard deviation of the noise; `noise` is that of the others.
        shifted_size: at shift 1, size of its objects relative to the others'.
        noise: standard deviation of the camera's noise, of 255 levels.
        smallest: half the side of the smallest object, pixels.
        largest: half the side of the largest object, pixels.
    """

    most_instances: int = 500
    fewest_instances: int = 2
    annotated_per_image: float = 2.4
    unannotated: float = 0.4
    coco_covers: float = 0.9
    coco_own: int = 24
    neg: int = 6
    not_exhaustive: float = 0.06
    empty: float = 0.01
    pairs: float = 0.1
    crowds: float = 0.01
    coco_only_images: int = 200
    val_images: int = 600
    val_instances: int = 25
    open_images: int = 1200
    open_images_validation: float = 0.08
    open_images_tail: float = 0.65
    verified: float = 0.8
    label_only: float = 0.04
    absent: int = 4
    absent_shapes: float = 0.15
    groups: float = 0.04
    depictions: float = 0.04
    shift: float = 1.0
    shifted_backdrops: float = 0.8
    shifted_colours: tuple[float, float, float] = (1.12, 1.0, 0.8)
    shifted_noise: float = 10.0
    shifted_size: float = 0.75
    noise: float = 4.0
    smallest: float = 11.0
    largest: float = 19.0

    def __post_init__(self) -> None:
        """Refuses numbers that no world can have.

        Raises:
            ValueError: a share outside [0, 1), or more instances of a class than images.
        """
        for name in ("unannotated", "not_exhaustive", "empty", "pairs", "crowds", "groups"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} = {getattr(self, name)}: a share from 0 to below 1")
        if not 2 <= self.fewest_instances <= self.most_instances:
            raise ValueError("fewest_instances: from 2 to most_instances")
        if self.most_instances > 0.5 * self.train_images:
            raise ValueError("most_instances: more than half of the train images would show it")

    def instances(self, rank: int) -> int:
        """Annotated LVIS train objects of the class at a rank, 0 the most frequent."""
        fall: float = (self.fewest_instances / self.most_instances) ** (rank / (CLASSES - 1))
        return round(self.most_instances * fall)

    def hidden(self, rank: int) -> int:
        """Objects of that class on LVIS train images that LVIS leaves out."""
        return round(self.instances(rank) * self.unannotated / (1 - self.unannotated))

    @classmethod
    def small(cls) -> RoadMapDesign:
        """For a quick look: some 700 LVIS train images, and a seventh of the others."""
        return cls(
            most_instances=60, coco_only_images=30, val_images=96, val_instances=4, open_images=180
        )

    @property
    def train_images(self) -> int:
        """Number of LVIS train images."""
        total = sum(self.instances(rank) for rank in range(CLASSES))
        return round(total / self.annotated_per_image / (1 - self.empty))

    @property
    def objects_per_image(self) -> float:
        """Objects on an LVIS train image, annotated or not; other images have as many."""
        return self.annotated_per_image / (1 - self.unannotated)

    @property
    def images(self) -> int:
        """Number of all images."""
        lvis = self.train_images + self.val_images
        return lvis + self.coco_only_images + self.open_images

    @property
    def open_images_size(self) -> float:
        """Size of Open Images' objects relative to the others'."""
        return 1 + self.shift * (self.shifted_size - 1)
