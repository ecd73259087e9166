"""The manifest: four Parquet tables and a record of how they were built."""

from __future__ import annotations

from lvis_merge.manifest.place import check_out
from lvis_merge.manifest.read import Manifest
from lvis_merge.manifest.read import open_manifest as open
from lvis_merge.manifest.record import ManifestRecord
from lvis_merge.manifest.tables import Tables
from lvis_merge.manifest.write import write_manifest

__all__ = ["Manifest", "ManifestRecord", "Tables", "check_out", "open", "write_manifest"]
