"""The assignment and the ignore rule, one box at a time, in plain Python floats."""

from __future__ import annotations

Box = tuple[float, float, float, float]


def area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def intersection(one: Box, other: Box) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0.0) * max(height, 0.0)


def iou(one: Box, other: Box) -> float:
    both = intersection(one, other)
    return both / (area(one) + area(other) - both)


def iof(proposal: Box, region: Box) -> float:
    return intersection(proposal, region) / area(proposal)


def matched(
    proposals: list[Box],
    objects: list[Box],
    *,
    pos_iou_thr: float,
    neg_iou_thr: float,
    min_pos_iou: float,
    match_low_quality: bool,
) -> list[int]:
    """MaxIoU assignment: 1-based object, 0 background, -1 between the thresholds."""
    if not objects:
        return [0] * len(proposals)
    assigned = []
    for proposal in proposals:
        overlaps = [iou(proposal, found) for found in objects]
        best = max(overlaps)
        if best >= pos_iou_thr:
            assigned.append(overlaps.index(best) + 1)
        else:
            assigned.append(0 if best < neg_iou_thr else -1)
    if match_low_quality:
        for number, found in enumerate(objects, start=1):
            overlaps = [iou(proposal, found) for proposal in proposals]
            best = max(overlaps, default=-1.0)
            if best >= min_pos_iou:
                for row, overlap in enumerate(overlaps):
                    if overlap == best:
                        assigned[row] = number
    return assigned


def with_regions(
    assigned: list[int], proposals: list[Box], regions: list[Box], metric: str, threshold: float
) -> list[int]:
    """The same, background inside a region ignored."""
    overlap = {"iof": iof, "iou": iou}[metric]
    return [
        -1
        if found == 0 and max((overlap(proposal, r) for r in regions), default=0.0) > threshold
        else found
        for found, proposal in zip(assigned, proposals, strict=True)
    ]
