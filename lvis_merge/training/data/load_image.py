"""Transform: the pixels of a manifest's image."""

from __future__ import annotations

from typing import Any

from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS

from lvis_merge.image_roots import find_image
from lvis_merge.training.data.frame import ImageError, read_in_frame


@TRANSFORMS.register_module()
class LoadManifestImage(BaseTransform):
    """Finds and reads an image in the frame of its boxes.

    Required keys: file_name, source, img_id, width, height, image_roots (as `ManifestDataset`
    gives them). Added keys: img (uint8 [H, W, 3], BGR), img_path, img_shape and ori_shape (H, W).
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Reads the image.

        Raises:
            ImageError: no root has it, or it cannot be used.
        """
        name = f"image {results['img_id']} ({results['source']}, {results['file_name']})"
        roots = results["image_roots"]
        path = find_image(results["file_name"], results["source"], roots)
        if path is None:
            tried = [str(root.folder) for root in roots if root.source in (None, results["source"])]
            raise ImageError(
                f"{name}: not found"
                + (f" below {', '.join(tried)}." if tried else ": no image root is given for it.")
                + " Give its folder with --image-root [SOURCE=]DIR, get it with `lvis-merge fetch`,"
                " or train without missing images (on_missing='skip').",
                "missing",
            )
        image = read_in_frame(path, results["width"], results["height"], name)
        results["img"] = image
        results["img_path"] = str(path)
        results["img_shape"] = results["ori_shape"] = image.shape[:2]
        return results
