"""Errors that a manifest is to blame for, told as what is wrong with it.

Commands trust that a manifest keeps its rules: proving them all takes longer than most commands.
Where one ends in an unexpected error, the rules are proved after all.
"""

from __future__ import annotations

from contextlib import suppress


def broken_manifest() -> str | None:
    """What is wrong with a manifest that the command has opened; None if nothing is."""
    from lvis_merge.manifest.read import opened
    from lvis_merge.manifest.validate import validate

    for folder in opened:
        with suppress(Exception):  # not even its rules can be proved: the first error is told
            errors = [finding for finding in validate(folder) if finding.level == "error"]
            if errors:
                return (
                    f"{folder}: is no valid manifest ({str(errors[0]).removeprefix('error: ')})."
                    " It was changed or damaged: build it again. `lvis-merge validate` tells all."
                )
    return None
