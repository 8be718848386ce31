"""A report as one HTML page that needs nothing else: styles, figures and images are inside it."""

from __future__ import annotations

import base64
from functools import cache
from importlib import resources
from typing import Any

from radtui.export.report.document import Document
from radtui.harmless import printable

CLIPPED = 1_500  # characters of a text that an example shows; the exports hold all of it


def html_page(document: Document) -> str:
    """The page. Everything that a model or a person wrote is escaped, and control characters are shown as symbols."""
    return str(_template().render(document=document))


@cache
def _template() -> Any:
    from jinja2 import Environment
    from markupsafe import Markup

    def shown(value: object) -> object:
        # Everything printed passes here, then Jinja escapes it; only radtui's own drawings and styles are markup.
        return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    own = resources.files("radtui.export.report")
    environment = Environment(autoescape=True, finalize=shown, trim_blocks=True, lstrip_blocks=True)
    environment.filters["clip"] = clip
    environment.filters["drawing"] = Markup
    environment.filters["jpeg_uri"] = lambda data: "data:image/jpeg;base64," + base64.b64encode(data).decode()
    environment.globals["style"] = Markup((own / "page.css").read_text(encoding="utf-8"))
    return environment.from_string((own / "page.html.j2").read_text(encoding="utf-8"))


def clip(text: str, limit: int = CLIPPED) -> str:
    """A text of bearable length, saying how much is left out."""
    return text if len(text) <= limit else f"{text[:limit]} … ({len(text) - limit:,} more characters)"
