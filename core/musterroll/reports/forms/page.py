"""A report as one page: a file of its own, which asks nothing of any network.

Every text of a sheet, a portal or a pipeline passes through `safe`, so none of it becomes markup. A policy in the page
lets no other script or style work than the two that are written here.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from hashlib import sha256
from importlib.resources import files
from typing import TextIO

from musterroll.contract.terms import term
from musterroll.contract.translation import counted, gettext, language
from musterroll.reports.forms.glance import (
    Changes,
    Glance,
    Part,
)
from musterroll.reports.forms.page_sections import PageSection, group_tree, safe, safe_typed, sections_of
from musterroll.reports.report import Report

OPENING = "<!DOCTYPE html>\n<!-- musterroll report -->\n"
"""What such a file begins with."""

_WIDTH = 1000  # of the bar


def write_page(file: TextIO, report: Report, made: str) -> None:
    """Writes the page.

    Args:
        file: where to.
        report: what is told.
        made: when that was, for a person.
    """
    changes = Changes.of(report)
    glance = Glance.of(report, changes)
    sections = [section for section in sections_of(report, changes) if section.rows]
    tree = group_tree(report, changes)
    anchors = [(section.id, section.title) for section in sections] + ([("groups", gettext("Groups"))] if tree else [])
    file.write(OPENING)
    file.writelines(_head(glance))
    file.writelines(_top(glance, anchors))
    for section in sections:
        file.writelines(_section(section))
    if tree:
        file.writelines(('<section id="groups">\n', _heading("groups", gettext("Groups")), *tree))
        file.write("</section>\n")
    made_by = gettext("Made by musterroll, {time}. It may hold personal data.", time=made)
    file.write(f"</main>\n<footer>{safe(made_by)}</footer>\n")
    file.write(f"<script>{_asset('js')}</script>\n</body>\n</html>\n")


def _asset(ending: str) -> str:
    return (files("musterroll.reports.forms") / f"page.{ending}").read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _head(glance: Glance) -> Iterator[str]:
    style, script = _asset("css"), _asset("js")
    policy = (
        f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)}; base-uri 'none'; "
        "form-action 'none'"
    )
    yield f'<html lang="{language()}">\n<head>\n<meta charset="utf-8">\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield '<meta name="referrer" content="no-referrer">\n<meta name="robots" content="noindex">\n'
    yield f"<title>{safe(glance.title)}</title>\n<style>{style}</style>\n</head>\n<body>\n"


def _top(glance: Glance, anchors: Sequence[tuple[str, str]]) -> Iterator[str]:
    yield f"<header>\n<h1>{safe_typed(glance.title)}</h1>\n"
    yield f'<p class="verdict {glance.mood}">{safe(glance.verdict)}</p>\n'
    if glance.error is not None:
        yield f'<p class="error">{safe(glance.error)}</p>\n'
    if glance.parts:
        yield from _bar(glance.parts)
    yield "<dl>\n"
    for name, value in glance.facts:
        yield f"<dt>{safe(name)}</dt><dd>{safe_typed(value)}</dd>\n"
    yield "</dl>\n"
    if len(anchors) > 1:
        links = "".join(f'<li><a href="#{id_}">{safe(title)}</a></li>' for id_, title in anchors)
        yield f'<nav aria-label="{safe(gettext("Parts of this report"))}"><ul>{links}</ul></nav>\n'
    yield "</header>\n<main>\n"


def _bar(parts: Sequence[Part]) -> Iterator[str]:
    total = sum(part.rows for part in parts)
    told = ", ".join(f"{counted(part.rows)} {part.name}" for part in parts)
    yield f'<svg class="bar" role="img" aria-label="{safe(told)}"'
    yield f' viewBox="0 0 {_WIDTH} 24" preserveAspectRatio="none">'
    left = 0.0
    for part in parts:
        width = part.rows / total * _WIDTH
        yield f'<rect class="{part.mood}" x="{left:.2f}" y="0" width="{width:.2f}" height="24"/>'
        left += width
    yield '</svg>\n<ul class="legend">\n'
    for name, count, mood in parts:
        mark = '<svg viewBox="0 0 8 8" aria-hidden="true"><rect width="8" height="8"/></svg>'
        yield f'<li class="{mood}">{mark} <span><b>{counted(count)}</b> {safe(name)}</span></li>\n'
    yield "</ul>\n"


def _heading(id_: str, title: str) -> str:
    return f'<h2 id="{id_}-title">{safe(title)}</h2>\n'


def _section(section: PageSection) -> Iterator[str]:
    yield f'<section id="{section.id}" class="listed">\n'
    yield _heading(section.id, section.title)
    if section.choice:
        yield from _tools(section)
    yield f'<div class="table" role="region" tabindex="0" aria-labelledby="{section.id}-title">\n<table>\n<thead><tr>'
    yield "".join(f'<th scope="col">{safe(column)}</th>' for column in section.columns)
    yield "</tr></thead>\n<tbody>\n"
    for row in section.rows:
        yield f'<tr data-kind="{safe(row.kind)}">'
        for column, (html, classes) in zip(section.columns, row.cells, strict=True):
            attribute = f' class="{classes}"' if classes else ""
            yield f'<td data-name="{safe(column)}"{attribute}>{html}</td>'
        yield "</tr>\n"
    yield "</tbody>\n</table>\n</div>\n"
    if section.below:
        yield f"<p>{safe(section.below)}</p>\n"
    yield "</section>\n"


def _tools(section: PageSection) -> Iterator[str]:
    """What a person searches with; hidden where no script works."""
    kinds = dict.fromkeys(row.kind for row in section.rows)
    yield '<div class="tools" role="search" hidden'
    yield f' aria-label="{safe(section.title)}"><label>{safe(gettext("Search"))} '
    yield '<input type="search" autocomplete="off"></label>\n'
    if len(kinds) > 1:
        options = "".join(f'<option value="{safe(kind)}">{safe(term(kind))}</option>' for kind in kinds)
        every = f'<option value="">{safe(gettext("all"))}</option>'
        yield f"<label>{safe(section.choice)} <select>{every}{options}</select></label>\n"
    whole, some = gettext("{count} shown"), gettext("{shown} of {count} shown")
    yield f'<output aria-live="polite" data-every="{safe(whole)}" data-some="{safe(some)}"></output></div>\n'
