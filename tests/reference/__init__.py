"""The slow reference for `lvis-merge build`, written from the contract alone."""

from tests.reference.build import build_reference
from tests.reference.result import Reference

__all__ = ["Reference", "build_reference"]
