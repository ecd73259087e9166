"""`croissant.json`: the manifest described in Croissant 1.1, for dataset search and loaders.

Derived from the declared tables; equal manifests have equal descriptions, so it holds no date.
"""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from lvis_merge.manifest.record import ManifestRecord
from lvis_merge.manifest.schema import TABLES, Column, TableSpec

CROISSANT_FILE = "croissant.json"

_CC_BY_4 = "https://creativecommons.org/licenses/by/4.0/"

_SOURCES = {
    "lvis": "LVIS (lvisdataset.org): annotations CC BY 4.0",
    "coco": "COCO (cocodataset.org): annotations CC BY 4.0",
    "open_images": "Open Images (storage.googleapis.com/openimages): annotations CC BY 4.0,"
    " images listed as CC BY 2.0",
}
_CREATORS = {"lvis": "LVIS", "coco": "COCO Consortium", "open_images": "Open Images"}

_CITATION = (
    "@inproceedings{gupta2019lvis, title={{LVIS}: A Dataset for Large Vocabulary Instance"
    " Segmentation}, author={Gupta, Agrim and Dollar, Piotr and Girshick, Ross},"
    " booktitle={CVPR}, year={2019}}"
)

_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}

_DATA_TYPES = {
    pa.string(): "sc:Text",
    pa.bool_(): "sc:Boolean",
    pa.int32(): "cr:Int32",
    pa.int64(): "cr:Int64",
    pa.float32(): "cr:Float32",
    pa.float64(): "cr:Float64",
}

_KEYS = {"images": "image_id", "annotations": "annotation_id", "categories": "category_id"}

_REFERENCES = {
    ("annotations", "image_id"): "images/image_id",
    ("annotations", "category_id"): "categories/category_id",
}


def croissant_bytes(record: ManifestRecord) -> bytes:
    """The description of a manifest.

    Args:
        record: with `rows` and with `files`, the sha256 of each table's file.

    Returns:
        JSON-LD in UTF-8, a newline at the end.
    """
    sources = sorted(
        source
        for source in _SOURCES
        if any(source in rows.sources for rows in record.rows.values())
    )
    named = [_SOURCES[source] for source in sources]
    extras = [f"{name} (annotations under its publisher's terms)" for name in sorted(record.extras)]
    version = f"LVIS {record.lvis_version}" if record.lvis_version else record.label_space
    document = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": "lvis-merge-manifest",
        "description": (
            f"Detection and segmentation annotations in the label space {record.label_space}"
            f" ({version}), merged by lvis-merge {record.tool_version}; the images are not part"
            f" of it. Sources: {'; '.join([*named, *extras]) or 'none'}."
            " Every image keeps the licence and the author that its source names."
        ),
        "citeAs": _CITATION,
        # an extra source has terms of its own, which its file need not name
        "license": [_CC_BY_4, *extras] if extras else _CC_BY_4,
        "creator": [{"@type": "sc:Organization", "name": _CREATORS[source]} for source in sources],
        "version": f"{record.schema_version}.0.0",
        "distribution": [_file_object(spec, record.files[spec.file_name]) for spec in TABLES],
        "recordSet": [_record_set(spec) for spec in TABLES],
    }
    return json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n"


def _file_object(spec: TableSpec, sha256: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": spec.file_name,
        "name": spec.file_name,
        "description": spec.meaning,
        "contentUrl": spec.file_name,
        "encodingFormat": "application/x-parquet",
        "sha256": sha256,
    }


def _record_set(spec: TableSpec) -> dict[str, Any]:
    record_set: dict[str, Any] = {
        "@type": "cr:RecordSet",
        "@id": spec.name,
        "name": spec.name,
        "description": f"{spec.meaning} Ordered {spec.order}.",
    }
    if spec.name in _KEYS:
        record_set["key"] = {"@id": f"{spec.name}/{_KEYS[spec.name]}"}
    return record_set | {"field": [_field(spec, column) for column in spec.columns]}


def _field(spec: TableSpec, column: Column) -> dict[str, Any]:
    kind, shape = column.type, []
    while pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind):
        shape.append(str(kind.list_size) if pa.types.is_fixed_size_list(kind) else "-1")
        kind = kind.value_type
    field: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": f"{spec.name}/{column.name}",
        "name": column.name,
        "description": column.meaning,
        "dataType": _DATA_TYPES[kind],
        "source": {"fileObject": {"@id": spec.file_name}, "extract": {"column": column.name}},
    }
    if shape:
        field |= {"isArray": True, "arrayShape": ",".join(shape)}
    if reference := _REFERENCES.get((spec.name, column.name)):
        field["references"] = {"field": {"@id": reference}}
    return field
