"""Pages in the report's style: one file each, with everything in it."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from jinja2 import Template


def page_template(file: Traversable) -> Template:
    """A page's template: values are escaped, an unknown name is an error.

    Filters: `n`, a count with separators; `size`, bytes as people read them. `{{ style }}` is the
    style sheet.

    Args:
        file: the template.
    """
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"n": lambda value: f"{value:,}", "size": _size}
    style = (files("lvis_merge.report") / "style.css").read_text(encoding="utf-8")
    environment.globals["style"] = Markup(style)
    return environment.from_string(file.read_text(encoding="utf-8"))


def _size(count: int) -> str:
    """Bytes as people read them."""
    value = float(count)
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.2f} GB"
