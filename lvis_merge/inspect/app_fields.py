"""The fields of the data set in the App: types, groups in the sidebar, colours."""

from __future__ import annotations

from typing import Any

from lvis_merge.inspect.documents import EVIDENCE, OBJECTS, PREDICTIONS, REGIONS
from lvis_merge.inspect.predictions import FALSE_POSITIVE, NEITHER, TRUE_POSITIVE

_BOX_TEXTS = (
    "source", "split", "source_annotation_id", "source_label", "original_label", "map_row",
    "frequency",
)  # fmt: skip
_IMAGE_TEXTS = (
    "source", "source_image_id", "split", "file_name", "license", "author", "landing_url",
)  # fmt: skip
_METADATA = tuple(
    f"metadata.{name}" for name in ("width", "height", "size_bytes", "mime_type", "num_channels")
)
_COUNTS = ("true_positives", "false_positives", "missed")

SOURCE_COLOURS = {"lvis": "#56B4E9", "coco": "#0072B2", "open_images": "#CC79A7"}
"""Okabe and Ito's colours, which every reader tells apart; ignore regions are the warm ones."""

REASON_COLOURS = {
    "coco_box": "#E69F00",
    "crowd": "#D55E00",
    "unmapped": "#E69F00",
    "group_of": "#D55E00",
    "depiction": "#D55E00",
    "inside": "#D55E00",
}
OUTCOME_COLOURS = {TRUE_POSITIVE: "#009E73", FALSE_POSITIVE: "#D55E00", NEITHER: "#999999"}
_POOL = ("#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#0072B2", "#D55E00", "#F0E442")


def declare_fields(dataset: Any, with_predictions: bool) -> None:
    """Declares every field with its type: an empty list on the first image would leave one open.

    Args:
        dataset: an empty `fiftyone.Dataset`.
        with_predictions: whether there are results.
    """
    import fiftyone as fo

    dataset.add_sample_field("image_id", fo.IntField)
    for name in _IMAGE_TEXTS:
        dataset.add_sample_field(name, fo.StringField)
    dataset.add_sample_field("checks", fo.ListField, subfield=fo.StringField)
    for name in EVIDENCE:
        dataset.add_sample_field(
            name, fo.EmbeddedDocumentField, embedded_doc_type=fo.Classifications
        )
    boxes = {OBJECTS: ("method", "relabelled_from", "suspicion"), REGIONS: ("category",)}
    for field, texts in boxes.items():
        dataset.add_sample_field(field, fo.EmbeddedDocumentField, embedded_doc_type=fo.Detections)
        for name in (*_BOX_TEXTS, *texts):
            dataset.add_sample_field(f"{field}.detections.{name}", fo.StringField)
        dataset.add_sample_field(f"{field}.detections.flags", fo.ListField, subfield=fo.StringField)
    dataset.add_sample_field(f"{REGIONS}.detections.matched", fo.BooleanField)
    if with_predictions:
        dataset.add_sample_field(
            PREDICTIONS, fo.EmbeddedDocumentField, embedded_doc_type=fo.Detections
        )
        for name in ("outcome", "frequency"):
            dataset.add_sample_field(f"{PREDICTIONS}.detections.{name}", fo.StringField)
        for name in _COUNTS:
            dataset.add_sample_field(name, fo.IntField)


def arrange_app(dataset: Any, with_predictions: bool) -> None:
    """Sets sidebar groups, the fields that are shown at first, and colours."""
    import fiftyone as fo

    shown = [OBJECTS, REGIONS, *([PREDICTIONS] if with_predictions else [])]
    counts = list(_COUNTS) if with_predictions else []
    config = dataset.app_config
    config.sidebar_groups = [
        fo.SidebarGroupDocument(name="tags", paths=["tags", "_label_tags"]),
        fo.SidebarGroupDocument(name="boxes", paths=[*shown, *counts], expanded=True),
        fo.SidebarGroupDocument(name="to check", paths=["checks"], expanded=True),
        fo.SidebarGroupDocument(name="verified labels", paths=list(EVIDENCE), expanded=True),
        fo.SidebarGroupDocument(
            name="image", paths=["source", "split", "source_image_id", "file_name", "image_id"]
        ),
        fo.SidebarGroupDocument(name="credit", paths=["author", "license", "landing_url"]),
        fo.SidebarGroupDocument(
            name="metadata",
            paths=["id", "filepath", *_METADATA, "created_at", "last_modified_at"],
            expanded=False,
        ),
    ]
    config.active_fields = fo.ActiveFields(paths=[*shown, "source"])
    config.color_scheme = fo.ColorScheme(
        color_by="value",
        color_pool=list(_POOL),
        opacity=0.5,
        fields=[
            {"path": "source", "fieldColor": _POOL[0], "valueColors": _values(SOURCE_COLOURS)},
            _coloured(OBJECTS, "source", SOURCE_COLOURS, "#56B4E9"),
            _coloured(REGIONS, "label", REASON_COLOURS, "#E69F00"),
            *(
                [_coloured(PREDICTIONS, "outcome", OUTCOME_COLOURS, "#009E73")]
                if with_predictions
                else []
            ),
        ],
    )
    dataset.save()


def _coloured(path: str, attribute: str, colours: dict[str, str], whole: str) -> dict[str, Any]:
    return {
        "path": path,
        "fieldColor": whole,
        "colorByAttribute": attribute,
        "valueColors": _values(colours),
    }


def _values(colours: dict[str, str]) -> list[dict[str, str]]:
    return [{"value": value, "color": colour} for value, colour in colours.items()]
