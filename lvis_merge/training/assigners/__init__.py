"""Assigners: which proposal learns which object, and which learns nothing."""

from __future__ import annotations

from lvis_merge.training.assigners.background_ignore import BackgroundIgnoreAssigner

__all__ = ["BackgroundIgnoreAssigner"]
