"""The vocabulary and the constants of the merge rules."""

SPLITS = ("train", "val", "test")
ROLES = ("object", "ignore")
FREQUENCIES = ("r", "c", "f")

SOURCE_ORDER = ("lvis", "coco", "open_images")
"""Order of sources within an image's annotations; extras follow by name."""

IGNORE_REASONS = ("coco_box", "crowd", "unmapped", "group_of", "depiction", "inside")

DROP_RULES = (
    "not_on_an_lvis_image",
    "holdout",
    "excluded",
    "rotation",
    "id_collision",
    "not_a_candidate",
    "not_selected",
    "correction",
    "option",
)
"""Why a good row is left out; a row meets the first of them."""

RARE_MAX, COMMON_MAX = 10, 100
"""Image counts: rare <= 10 < common <= 100 < frequent, as in the published files."""

REPEAT_THRESHOLD = 0.001
"""t of repeat factor sampling: r(c) = max(1, sqrt(t / f(c))) (Gupta et al. 2019, LVIS)."""

EQL_LAMBDA = {"v0.5": 0.00177, "v1": 0.0011}
"""Equalization loss (Tan et al. 2020): tail where images of the class < lambda * annotated ones."""

MATCH_IOU = 0.5
"""A COCO box and an LVIS object of the same category are one thing from this IoU on."""
