"""The styles that a changed document has besides its own: of marked cells, and of the worksheet in front."""

from __future__ import annotations

import re

from musterroll import Severity
from musterroll_plugins.readers import looks as _looks
from musterroll_plugins.readers.package.patching import with_attributes, xml_text

_PROPERTIES = re.compile(r"<style:table-cell-properties\b[^>]*>")
_NAME = "musterroll-"
FRONT_PAGE = f"{_NAME}problems"
_FO = 'xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0"'


class EditedStyles:
    """Gathers styles while the document is gone through once, and makes their XML when it is written.

    Attributes:
        knows_all: whether it was gone through once.
    """

    def __init__(self) -> None:
        self._own: dict[str, str] = {}  # the document's, by name
        self._marked: dict[tuple[str | None, Severity], str] = {}
        self._others: dict[str, str] = {}  # by their XML without a name

    def know(self, name: str, raw: str) -> None:
        """Hears of a style of the document's own."""
        self._own[name] = raw

    def marked(self, style: str | None, mark: Severity) -> str:
        """Returns the name of a style that is like another one, and shows a mark."""
        return self._marked.setdefault((style, mark), f"{_NAME}mark-{len(self._marked) + 1}")

    def column(self, characters: int) -> str:
        """Returns the name of a style of columns."""
        width = f'<style:table-column-properties style:column-width="{characters * 0.21:.2f}cm"/>'
        return self._other("table-column", width)

    def text(self, *, bold: bool = False, wraps: bool = True, lined: bool = True, mark: Severity | None = None) -> str:
        """Returns the name of a style of text."""
        look = 'style:vertical-align="top" style:text-align-source="fix"'
        look += ' fo:wrap-option="wrap"' if wraps else ""
        look += f' fo:border-bottom="0.75pt solid #{_looks.LINE}"' if lined else ""
        look += f' fo:background-color="#{_looks.MARKS[mark]}"' if mark is not None else ""
        weight = '<style:text-properties fo:font-weight="bold"/>' if bold else ""
        start = '<style:paragraph-properties fo:text-align="start"/>'
        return self._other("table-cell", f"<style:table-cell-properties {look}/>{start}{weight}")

    def table(self) -> str:
        """Returns the name of the style of the worksheet in front: printed on pages of its own kind."""
        return self._other("table", '<style:table-properties table:display="true"/>', page=FRONT_PAGE)

    def _other(self, family: str, properties: str, page: str | None = None) -> str:
        printed = f' style:master-page-name="{page}"' if page else ""
        element = f'style:family="{family}"{printed}>{properties}'
        return self._others.setdefault(element, f"{_NAME}{len(self._others) + 1}")

    def added(self) -> str:
        """The XML of all of them."""
        made = [self._made(style, mark, name) for (style, mark), name in self._marked.items()]
        for element, name in self._others.items():
            made.append(f'<style:style {_FO} style:name="{name}" {element}</style:style>')
        return "".join(made)

    def _made(self, style: str | None, mark: Severity, name: str) -> str:
        colour = f"#{_looks.MARKS[mark]}"
        properties = f'<style:table-cell-properties {_FO} fo:background-color="{colour}"/>'
        own = self._own.get(style or "")
        if own is None:
            parent = xml_text(style or "Default")
            head = f'style:name="{name}" style:family="table-cell" style:parent-style-name="{parent}"'
            return f"<style:style {head}>{properties}</style:style>"
        end = own.index(">") + 1
        tag, rest = own[:end], own[end:]
        named = with_attributes(tag.encode(), style_name=name, style_display__name=None)
        if tag.endswith("/>"):
            return f"{named.removesuffix('/>')}>{properties}</style:style>"
        found = _PROPERTIES.search(rest)
        if found is None:
            return f"{named}{properties}{rest}"
        changed = with_attributes(found[0].encode(), fo_background__color=colour)
        return named + rest[: found.start()] + changed + rest[found.end() :]
