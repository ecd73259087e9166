"""What each part of the report says in one sentence; used as its title."""

from __future__ import annotations

from statistics import median

from lvis_merge.merge.rules import COMMON_MAX, RARE_MAX
from lvis_merge.report.summary import Summary

SOURCE_NAMES = {"lvis": "LVIS", "coco": "COCO", "open_images": "Open Images"}
REASON_NAMES = {
    "coco_box": "COCO box",
    "crowd": "crowd",
    "unmapped": "not in the map",
    "group_of": "group of objects",
    "depiction": "depiction",
    "inside": "seen from inside",
}
_MOST_REGIONS = {
    "coco_box": "COCO boxes",
    "crowd": "crowds",
    "unmapped": "{} boxes of classes that are not in the map",
    "group_of": "boxes around groups of objects",
    "depiction": "depictions",
    "inside": "objects seen from inside",
}
KIND_NAMES = {"image": "images", "annotation": "annotations", "box": "boxes", "label": "labels"}
RULE_NAMES = {
    "not_on_an_lvis_image": "no LVIS train image",
    "holdout": "held out",
    "excluded": "on the exclude list",
    "rotation": "rotated",
    "id_collision": "image id taken",
    "not_a_candidate": "no candidate",
    "not_selected": "not selected",
    "correction": "by a correction",
    "option": "by an option",
}
REJECT_NAMES = {
    "columns": "wrong number of fields",
    "value": "not a legal value",
    "unknown_image": "unknown image",
    "unknown_category": "unknown category",
    "duplicate_id": "repeated id",
    "box": "impossible box",
    "polygon": "impossible polygon",
}
EPOCH_NAMES = {
    "lvis_alone": "LVIS images alone",
    "lvis": "all images, counts of LVIS",
    "merged": "all images, all counts",
}


def source_name(source: str) -> str:
    """The source as people write it; extras by their own name."""
    return SOURCE_NAMES.get(source, source)


def title(summary: Summary) -> str:
    """What was merged: `LVIS v0.5 + COCO + Open Images`."""
    names = []
    for source in dict.fromkeys(count.source for count in summary.sources):
        version = summary.record.lvis_version if source == "lvis" else None
        shown = "(custom categories)" if version == "custom" else version
        names.append(f"{source_name(source)} {shown}" if version else source_name(source))
    return " + ".join(names) or "Empty manifest"


def tail_finding(summary: Summary) -> str:
    """What happened to the rare categories."""
    rare = summary.groups[0]
    if rare.categories_before is None:
        return (
            f"{rare.categories_after:,} of {summary.totals.categories:,} categories have at most"
            f" {RARE_MAX} training images"
        )
    if not rare.gained:
        return (
            f"{rare.categories_before:,} of {summary.totals.categories:,} categories are rare: at"
            f" most {RARE_MAX} training images"
        )
    left = rare.categories_before - dict(rare.moves_to).get("r", 0)
    if left == rare.gained:
        amount = "it now has" if left == 1 else "all of them now have"
    else:
        amount = f"{left:,} now {'has' if left == 1 else 'have'}"
    return (
        f"{rare.gained:,} of {rare.categories_before:,} rare categories gained images;"
        f" {amount} more than {RARE_MAX}"
    )


def rare_finding(summary: Summary) -> str:
    """How much the rare categories gained."""
    over = sum(count.images_after > COMMON_MAX for count in summary.rare_gains)
    return (
        f"Rare categories that gained: {rare_gain_words(summary)};"
        f" {f'{over:,}' if over else 'none'} {'are' if over > 1 else 'is'} beyond {COMMON_MAX}"
        " images now"
    )


def rare_gain_words(summary: Summary) -> str:
    """The median gain of the rare categories that gained; there is one at least."""
    return f"+{median(count.images_added for count in summary.rare_gains):,g} images in the median"


def open_images_finding(summary: Summary) -> str:
    """How evenly Open Images fills its categories."""
    counts = [count.images_open_images for count in summary.open_images]
    images = summary.images_by_source.get("open_images", 0)
    return (
        f"{images:,} Open Images images show {len(counts):,} mapped categories:"
        f" {median(counts):,g} images in the median, from {min(counts):,} to {max(counts):,}"
    )


def evidence_finding(summary: Summary) -> str:
    """How much is known about absent categories."""
    parts = [
        f"{one.negative / one.images:.1f} on {_a(source_name(one.source))} image"
        for one in summary.evidence
        if one.split == "train"
    ]
    return f"Categories verified absent, on average: {', '.join(parts)}" if parts else "Evidence"


def ignore_finding(summary: Summary) -> str:
    """What most ignore regions are."""
    total = summary.totals.ignore_regions
    if not total:
        return "There are no ignore regions"
    top = max(summary.ignore_regions, key=lambda one: one.regions)
    share = "all" if top.regions == total else f"{100 * top.regions / total:.0f}%"
    regions = _MOST_REGIONS[top.reason].format(source_name(top.source))
    return f"{total:,} ignore regions: {share} are {regions}"


def inputs_finding(summary: Summary) -> str:
    """How many rows were used."""
    rows = sum(one.rows for one in summary.inputs)
    kept = sum(one.kept for one in summary.inputs)
    bad = sum(one.rejected for one in summary.inputs)
    return f"{kept:,} of {rows:,} input rows are used; {bad:,} {'was' if bad == 1 else 'were'} bad"


def sampling_finding(summary: Summary) -> str:
    """How long an epoch is."""
    merged = summary.sampling[-1]
    return (
        f"With repeat factor sampling an epoch is {merged.expected:,.0f} draws,"
        f" {merged.ratio:.2f} times the {merged.images:,} images with objects"
    )


def changed(summary: Summary) -> bool:
    """Whether some category has another number of images than LVIS has."""
    return any(
        count.images_before not in (None, count.images_after) for count in summary.categories
    )


def leakage(summary: Summary) -> str:
    """What the train images were checked against."""
    holdout = summary.record.holdout
    if holdout is None:
        return "not checked"
    return (
        f"train images checked against {holdout.image_ids:,} image ids and"
        f" {holdout.flickr_photo_ids:,} Flickr photo ids of {', '.join(holdout.files)}"
    )


def _a(name: str) -> str:
    return f"an {name}" if name[0] in "AEIOULaeiou" else f"a {name}"
