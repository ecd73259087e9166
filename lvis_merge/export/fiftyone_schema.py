"""`metadata.json` of a FiftyOneDataset folder: which fields there are, as FiftyOne 1.22 writes it.

Newer releases read it and bring it up to date; older ones refuse it.
"""

from __future__ import annotations

from typing import Any

VERSION = "1.22.1"
"""Of the FiftyOne whose form this is."""

OBJECTS, REGIONS = "objects", "ignore_regions"
EVIDENCE = {
    "present": "pos_category_ids",
    "absent": "neg_category_ids",
    "not_exhaustive": "not_exhaustive_category_ids",
}
"""Fields of verified labels, and the columns that they come from."""

IMAGE_TEXTS = (
    "source", "source_image_id", "split", "file_name", "url", "license", "author", "author_url",
    "title", "landing_url",
)  # fmt: skip
BOX_TEXTS = ("source", "source_annotation_id", "source_label")
REGION_TEXTS = (*BOX_TEXTS, "category")

WRITTEN = {"$date": "1970-01-01T00:00:00Z"}
"""For a time: equal exports have equal bytes."""

_FIELDS, _LABELS = "fiftyone.core.fields", "fiftyone.core.labels"


def metadata(name: str) -> dict[str, Any]:
    """The document.

    Args:
        name: of the data set, until it is imported under another.
    """
    return {
        "_id": {"$oid": "0" * 24},
        "name": name,
        "slug": name,
        "version": VERSION,
        "created_at": WRITTEN,
        "last_modified_at": WRITTEN,
        "last_loaded_at": WRITTEN,
        "sample_collection_name": f"samples.{'0' * 24}",
        "persistent": False,
        "media_type": "image",
        "tags": [],
        "info": {},
        "app_config": {
            "grid_media_field": "filepath",
            "media_fallback": True,
            "media_fields": ["filepath"],
            "modal_media_field": "filepath",
            "plugins": {},
        },
        "classes": {},
        "default_classes": [],
        "mask_targets": {},
        "default_mask_targets": {},
        "skeletons": {},
        "sample_fields": _sample_fields(),
        "frame_fields": [],
        "saved_views": [],
        "workspaces": [],
        "annotation_runs": {},
        "brain_methods": {},
        "evaluations": {},
        "runs": {},
    }


def _sample_fields() -> list[dict[str, Any]]:
    image = [_field(name, "Int") for name in ("size_bytes", "width", "height", "num_channels")]
    return [
        _field("id", "ObjectId", stored_as="_id"),
        _field("filepath", "String"),
        _list("tags", "String"),
        _embedded(
            "metadata",
            "fiftyone.core.metadata.ImageMetadata",
            [*image, _field("mime_type", "String")],
        ),
        _field("created_at", "DateTime", read_only=True),
        _field("last_modified_at", "DateTime", read_only=True),
        _field("_media_type", "String"),
        _field("_rand", "Float"),
        _field("_dataset_id", "ObjectId"),
        _field("image_id", "Int"),
        *(_field(name, "String") for name in IMAGE_TEXTS),
        _detections(OBJECTS, BOX_TEXTS),
        _detections(REGIONS, REGION_TEXTS),
        *(_classifications(name) for name in EVIDENCE),
    ]


def _field(
    name: str, kind: str, *, stored_as: str | None = None, read_only: bool = False, **more: Any
) -> dict[str, Any]:
    return {
        "name": name,
        "ftype": f"{_FIELDS}.{kind}Field",
        "embedded_doc_type": None,
        "subfield": None,
        "fields": [],
        "db_field": stored_as or name,
        "description": None,
        "info": None,
        "read_only": read_only,
        "created_at": WRITTEN,
        **more,
    }


def _list(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return _field(name, "List", subfield=f"{_FIELDS}.{kind}Field", **more)


def _embedded(name: str, kind: str, fields: list[dict[str, Any]]) -> dict[str, Any]:
    return _field(name, "EmbeddedDocument", embedded_doc_type=kind, fields=fields)


def _detections(name: str, texts: tuple[str, ...]) -> dict[str, Any]:
    members = [
        _field("id", "ObjectId", stored_as="_id"),
        _list("tags", "String"),
        _field("label", "String"),
        _list("bounding_box", "Float"),
        _field("mask", "Array"),
        _field("mask_path", "String"),
        _field("confidence", "Float"),
        _field("index", "Int"),
        _field("annotation_id", "Int"),
        *(_field(text, "String") for text in texts),
    ]
    kind = f"{_LABELS}.Detection"
    rows = _list("detections", "EmbeddedDocument", embedded_doc_type=kind, fields=members)
    return _embedded(name, f"{_LABELS}.Detections", [rows])


def _classifications(name: str) -> dict[str, Any]:
    members = [
        _field("id", "ObjectId", stored_as="_id"),
        _list("tags", "String"),
        _field("label", "String"),
        _field("confidence", "Float"),
        _field("logits", "Vector"),
    ]
    kind = f"{_LABELS}.Classification"
    rows = _list("classifications", "EmbeddedDocument", embedded_doc_type=kind, fields=members)
    logits = _field("logits", "Vector")
    return _embedded(name, f"{_LABELS}.Classifications", [rows, logits])
