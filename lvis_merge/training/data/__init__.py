"""From a manifest to a batch: the dataset, its Arrow copy on the node, and its own transforms."""

from lvis_merge.training.data.dataset import ManifestDataset
from lvis_merge.training.data.draw import Draw
from lvis_merge.training.data.frame import ImageError
from lvis_merge.training.data.load_annotations import LoadManifestAnnotations
from lvis_merge.training.data.load_image import LoadManifestImage
from lvis_merge.training.data.masks import ManifestBitmapMasks, ManifestMasks, ManifestPolygonMasks
from lvis_merge.training.data.pack import PackManifestInputs

__all__ = [
    "Draw",
    "ImageError",
    "LoadManifestAnnotations",
    "LoadManifestImage",
    "ManifestBitmapMasks",
    "ManifestDataset",
    "ManifestMasks",
    "ManifestPolygonMasks",
    "PackManifestInputs",
]
