"""`lvis-merge curate`: what was marked in the App, as a file that `build` applies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lvis_merge.cli.options import Json
from lvis_merge.cli.outputs import check_folder, write_text
from lvis_merge.errors import InputError, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from lvis_merge.curate.corrected import Curated
    from lvis_merge.curate.tags import FoundTags


def curate(
    manifest: Annotated[Path, typer.Argument(metavar="DIR", help="A manifest, as inspected.")],
    from_fiftyone: Annotated[
        bool, typer.Option("--from-fiftyone", help="Read the tags that were set in the App.")
    ] = False,
    out: Annotated[
        Path,
        typer.Option(
            metavar="FILE", help="The corrections; what the file has already is carried on."
        ),
    ] = Path("corrections.csv"),
    as_json: Json = False,
) -> None:
    """Keep what was marked in the App: tags reject and relabel:NAME on boxes or images.

    A box or image tagged reject is left out by build --corrections FILE; a box tagged relabel:NAME
    gets that category. On an image, relabel:NAME means every object of it. NAME is a category's
    name or synset.

    Example: lvis-merge curate manifests/demo --from-fiftyone --out corrections.csv
    """
    if not from_fiftyone:
        raise UsageError("curate: say where the tags are: --from-fiftyone.")
    check_folder(out)
    import json

    from rich.console import Console

    from lvis_merge import manifest as manifests
    from lvis_merge.curate.corrected import curated
    from lvis_merge.curate.tags import FoundTags, read_tags
    from lvis_merge.inspect.database import database
    from lvis_merge.inspect.loaded import datasets_of, told
    from lvis_merge.merge.corrections import corrections_csv, read_corrections

    opened = manifests.open(manifest)
    earlier = read_corrections(out.read_bytes(), out.name).rows if out.exists() else ()
    tags = FoundTags()
    with database(), told():
        import fiftyone as fo

        names = datasets_of(opened.path)
        if not names:
            raise InputError(
                f"{manifest}: FiftyOne has nothing of it. Open it with `lvis-merge inspect` first,"
                " and curate as the same user."
            )
        for name in names:
            read_tags(fo.load_dataset(name), tags)
    found = curated(tags.tags, opened.categories, earlier)
    write_text(out, corrections_csv(found.rows))
    _tell(tags, found, Console(stderr=True))
    counts = _counts(found)
    if as_json:
        print(json.dumps({"corrections": str(out), **counts}, indent=2))
        return
    print(out)
    for what, number in counts.items():
        print(f"{number:>8,}  {what.replace('_', ' ')}")
    print(f"\nNext: lvis-merge build … --corrections {out}")


def _counts(found: Curated) -> dict[str, Any]:
    from lvis_merge.merge.corrections import REJECT, RELABEL

    return {
        "images_rejected": found.count(REJECT, boxes=False),
        "boxes_rejected": found.count(REJECT, boxes=True),
        "boxes_relabelled": found.count(RELABEL, boxes=True),
        "new": found.new,
        "changed": found.changed,
        "carried_on": found.carried,
    }


def _tell(tags: FoundTags, found: Curated, console: Console) -> None:
    notes = []
    if tags.of_images:
        notes.append(f"{tags.of_images:,} images are tagged relabel: every object of them is meant")
    if tags.others:
        some = ", ".join(sorted(tags.others)[:5])
        notes.append(f"{tags.others.total():,} tags are not reject or relabel:NAME ({some})")
    if tags.on_predictions:
        notes.append(f"{tags.on_predictions:,} tags are on predictions, which no build reads")
    if found.no_category:
        notes.append(
            f"{found.no_category:,} boxes tagged relabel have no category: put their classes into"
            " the label map instead"
        )
    for note in notes:
        console.print(f"note: {note}", highlight=False, markup=False, soft_wrap=True)
