"""What the packaged maps know: a partial vocabulary for checks without the full lists."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from lvis_merge import resources
from lvis_merge.labelmap.csv_text import read_bytes
from lvis_merge.labelmap.read import RejectedPair, parse_map, read_rejected


@dataclass(frozen=True)
class Known:
    """Classes, categories and judgements of the packaged maps.

    Attributes:
        lvis_names: for each synset the LVIS names it is given.
        class_names: for each id column (`mid`, `coco_id`) the class names by id.
        rejected: the pairs found wrong or ambiguous, by (MID, synset).
    """

    lvis_names: Mapping[str, frozenset[str]] = field(default_factory=dict)
    class_names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    rejected: Mapping[tuple[str, str], RejectedPair] = field(default_factory=dict)


def read_known() -> Known:
    """Reads the packaged maps; rows with a fault, which `map check` shows, are passed over.

    Raises:
        InputError: a packaged map is missing or unreadable.
    """
    lvis_names: dict[str, set[str]] = defaultdict(set)
    class_names: dict[str, dict[str, str]] = defaultdict(dict)
    for path in (resources.all_pairs_map(), resources.default_coco_map()):
        style, rows, _ = parse_map(read_bytes(path), str(path))
        for row in rows:
            class_names[style.id_column][row.source_id] = row.source_name
            if row.synset is not None:
                lvis_names[row.synset].add(row.lvis_name)
    rejected = read_rejected(resources.rejected_pairs())
    for pair in rejected.values():
        class_names["mid"].setdefault(pair.mid, pair.open_images_name)
        lvis_names[pair.synset].add(pair.lvis_name)
    return Known(
        {synset: frozenset(names) for synset, names in lvis_names.items()}, class_names, rejected
    )
