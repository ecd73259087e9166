"""LVIS + COCO + Open Images in one reviewed, validated Parquet manifest."""

__version__ = "0.1.0"
