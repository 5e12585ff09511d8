"""A report as one page: a file of its own, which asks nothing of any network.

Every text of a sheet, a portal or a pipeline passes through `_text`, so none of it becomes markup. A policy in the page
lets no other script or style work than the two that are written here.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import NamedTuple, TextIO

from musterroll.contract.problems import Severity
from musterroll.contract.terms import term
from musterroll.contract.text import visible
from musterroll.contract.translation import counted, gettext, language
from musterroll.contract.users import GroupPath, group_text
from musterroll.journal.change import Action, Change, FieldChange, Target
from musterroll.reports.forms.glance import (
    ACTIONS,
    LISTED,
    Changes,
    Glance,
    Mood,
    Part,
    hand_edit_text,
    invite_text,
    more_text,
    password_text,
    place_text,
    told_failures,
    told_invites,
    told_problems,
    value_text,
)
from musterroll.reports.report import Report
from musterroll.sheet.problem_groups import ProblemGroup

OPENING = "<!DOCTYPE html>\n<!-- musterroll report -->\n"
"""What such a file begins with."""

_WIDTH = 1000  # of the bar
_MOODS = {Severity.ERROR: Mood.BAD, Severity.WARNING: Mood.WAITING}


class _Cell(NamedTuple):
    """A cell of a table: markup that is safe already, and the classes of the cell."""

    html: str
    classes: str = ""


class _Row(NamedTuple):
    """A row of a table, and what it can be filtered by."""

    kind: str
    cells: tuple[_Cell, ...]


class _Section(NamedTuple):
    """A part of the page with a table, and what may be said below it.

    Attributes:
        id: its anchor.
        title: its heading.
        columns: the headings of the columns.
        rows: those of the table; without any there is no section.
        below: what is not listed.
        choice: what the rows can be filtered by; empty where they cannot be searched either, being few.
    """

    id: str
    title: str
    columns: tuple[str, ...]
    rows: Sequence[_Row]
    below: str = ""
    choice: str = ""


def write_page(file: TextIO, report: Report, made: str) -> None:
    """Writes the page.

    Args:
        file: where to.
        report: what is told.
        made: when that was, for a person.
    """
    changes = Changes.of(report)
    glance = Glance.of(report, changes)
    sections = [section for section in _sections(report, changes) if section.rows]
    tree = _tree(report, changes)
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
    file.write(f"</main>\n<footer>{_text(made_by)}</footer>\n")
    file.write(f"<script>{_asset('js')}</script>\n</body>\n</html>\n")


def _asset(ending: str) -> str:
    return (files("musterroll.reports.forms") / f"page.{ending}").read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _text(text: object) -> str:
    """Makes any text safe to stand between tags and in attributes."""
    return escape(visible(str(text)))


def _typed(text: str | None) -> str:
    """A text of the sheet or the portal, which may run in another direction than what stands around it."""
    return f"<bdi>{_text(text)}</bdi>" if text else ""


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
    yield f"<title>{_text(glance.title)}</title>\n<style>{style}</style>\n</head>\n<body>\n"


def _top(glance: Glance, anchors: Sequence[tuple[str, str]]) -> Iterator[str]:
    yield f"<header>\n<h1>{_typed(glance.title)}</h1>\n"
    yield f'<p class="verdict {glance.mood}">{_text(glance.verdict)}</p>\n'
    if glance.error is not None:
        yield f'<p class="error">{_text(glance.error)}</p>\n'
    if glance.parts:
        yield from _bar(glance.parts)
    yield "<dl>\n"
    for name, value in glance.facts:
        yield f"<dt>{_text(name)}</dt><dd>{_typed(value)}</dd>\n"
    yield "</dl>\n"
    if len(anchors) > 1:
        links = "".join(f'<li><a href="#{id_}">{_text(title)}</a></li>' for id_, title in anchors)
        yield f'<nav aria-label="{_text(gettext("Parts of this report"))}"><ul>{links}</ul></nav>\n'
    yield "</header>\n<main>\n"


def _bar(parts: Sequence[Part]) -> Iterator[str]:
    total = sum(part.rows for part in parts)
    told = ", ".join(f"{counted(part.rows)} {part.name}" for part in parts)
    yield f'<svg class="bar" role="img" aria-label="{_text(told)}"'
    yield f' viewBox="0 0 {_WIDTH} 24" preserveAspectRatio="none">'
    left = 0.0
    for part in parts:
        width = part.rows / total * _WIDTH
        yield f'<rect class="{part.mood}" x="{left:.2f}" y="0" width="{width:.2f}" height="24"/>'
        left += width
    yield '</svg>\n<ul class="legend">\n'
    for name, count, mood in parts:
        mark = '<svg viewBox="0 0 8 8" aria-hidden="true"><rect width="8" height="8"/></svg>'
        yield f'<li class="{mood}">{mark} <span><b>{counted(count)}</b> {_text(name)}</span></li>\n'
    yield "</ul>\n"


def _heading(id_: str, title: str) -> str:
    return f'<h2 id="{id_}-title">{_text(title)}</h2>\n'


def _section(section: _Section) -> Iterator[str]:
    yield f'<section id="{section.id}" class="listed">\n'
    yield _heading(section.id, section.title)
    if section.choice:
        yield from _tools(section)
    yield f'<div class="table" role="region" tabindex="0" aria-labelledby="{section.id}-title">\n<table>\n<thead><tr>'
    yield "".join(f'<th scope="col">{_text(column)}</th>' for column in section.columns)
    yield "</tr></thead>\n<tbody>\n"
    for row in section.rows:
        yield f'<tr data-kind="{_text(row.kind)}">'
        for column, (html, classes) in zip(section.columns, row.cells, strict=True):
            attribute = f' class="{classes}"' if classes else ""
            yield f'<td data-name="{_text(column)}"{attribute}>{html}</td>'
        yield "</tr>\n"
    yield "</tbody>\n</table>\n</div>\n"
    if section.below:
        yield f"<p>{_text(section.below)}</p>\n"
    yield "</section>\n"


def _tools(section: _Section) -> Iterator[str]:
    """What a person searches with; hidden where no script works."""
    kinds = dict.fromkeys(row.kind for row in section.rows)
    yield '<div class="tools" role="search" hidden'
    yield f' aria-label="{_text(section.title)}"><label>{_text(gettext("Search"))} '
    yield '<input type="search" autocomplete="off"></label>\n'
    if len(kinds) > 1:
        options = "".join(f'<option value="{_text(kind)}">{_text(term(kind))}</option>' for kind in kinds)
        every = f'<option value="">{_text(gettext("all"))}</option>'
        yield f"<label>{_text(section.choice)} <select>{every}{options}</select></label>\n"
    whole, some = gettext("{count} shown"), gettext("{shown} of {count} shown")
    yield f'<output aria-live="polite" data-every="{_text(whole)}" data-some="{_text(some)}"></output></div>\n'


def _sections(report: Report, changes: Changes) -> Iterator[_Section]:
    groups = report.problem_groups()
    yield _problem_groups(groups)
    if any(group.count > 1 for group in groups):
        yield _problems(report)
    failures, more = told_failures(report)
    yield _Section(
        id="failures",
        title=gettext("What did not work"),
        columns=(gettext("Row"), gettext("User"), gettext("Operation"), gettext("Status"), gettext("Why")),
        rows=[
            _Row(
                one.status,
                (
                    _Cell("" if one.row is None else str(one.row), "number"),
                    _Cell(_typed(one.username), "long"),
                    _Cell(_typed(one.told), "long"),
                    _Cell(_text(term(one.status)), Mood.BAD),
                    _Cell(_typed(one.detail), "wide"),
                ),
            )
            for one in failures
        ],
        below=gettext("… and {count} more", count=counted(more)) if more else "",
        choice=gettext("Status"),
    )
    yield _Section(
        id="changes",
        title=gettext("Changes"),
        columns=(gettext("Row"), gettext("User"), gettext("Action"), gettext("What changes"), gettext("Invite")),
        rows=[_change(change) for change in changes.listed],
        below=more_text(changes.hidden) if changes.hidden else "",
        choice=gettext("Action"),
    )
    yield _Section(
        id="invites",
        title=gettext("Invites"),
        columns=(gettext("What"), gettext("Users")),
        rows=[
            _Row(name, (_Cell(_typed(name)), _Cell(counted(count), "number")))
            for name, count in told_invites(report, changes)
        ],
    )


def _problem_groups(groups: Iterable[ProblemGroup]) -> _Section:
    return _Section(
        id="causes",
        title=gettext("Problems by their cause"),
        columns=(
            gettext("Severity"),
            gettext("Count"),
            gettext("Cells"),
            gettext("What is wrong"),
            gettext("Typed → instead"),
            gettext("Code"),
        ),
        rows=[
            _Row(
                group.severity,
                (
                    _Cell(_text(term(group.severity)), _MOODS[group.severity]),
                    _Cell(counted(group.count), "number"),
                    _Cell(_text(group.cells or gettext("sheet")), "long"),
                    _Cell(_typed(group.message), "wide"),
                    _instead(group.value, group.suggestion),
                    _Cell(f"<code>{_text(group.code)}</code>"),
                ),
            )
            for group in groups
        ],
        choice=gettext("Severity"),
    )


def _instead(value: str | None, suggestion: str | None) -> _Cell:
    """What was typed, and behind the arrow what to type."""
    typed = f"<del>{_typed(value)}</del>" if value else ""
    instead = f" → <ins>{_typed(suggestion)}</ins>" if suggestion else ""
    return _Cell(typed + instead, "long")


def _problems(report: Report) -> _Section:
    problems, hidden = told_problems(report)
    return _Section(
        id="problems",
        title=gettext("Problems one by one"),
        columns=(
            gettext("Severity"),
            gettext("Cell"),
            gettext("Field"),
            gettext("What is wrong"),
            gettext("Typed → instead"),
            gettext("Code"),
        ),
        rows=[
            _Row(
                problem.severity,
                (
                    _Cell(_text(term(problem.severity)), _MOODS[problem.severity]),
                    _Cell(_text(place_text(problem))),
                    _Cell(_text(problem.field or "")),
                    _Cell(_typed(problem.message), "wide"),
                    _instead(problem.value, problem.suggestion),
                    _Cell(f"<code>{_text(problem.code)}</code>"),
                ),
            )
            for problem in problems
        ],
        below=more_text(hidden) if hidden else "",
        choice=gettext("Severity"),
    )


def _change(change: Change) -> _Row:
    parts = [
        *(_field(name, one, is_new=change.action is Action.CREATE) for name, one in change.fields.items()),
        *_memberships(gettext("added to"), "ins", change.add),
        *_memberships(gettext("taken out of"), "del", change.remove),
    ]
    if password := password_text(change):
        parts.append(f"<b>{_text(gettext('password'))}</b> {_text(password)}")
    parts += [f"<i>{_typed(hand_edit_text(edit))}</i>" for edit in change.hand_edits]
    listed = "".join(f"<li>{part}</li>" for part in parts)
    return _Row(
        change.action,
        (
            _Cell("" if change.row is None else str(change.row), "number"),
            _Cell(_typed(change.username), "long"),
            _Cell(_text(term(change.action)), ACTIONS[change.action][1]),
            _Cell(f"<ul>{listed}</ul>" if listed else "", "wide"),
            _Cell(_typed(invite_text(change)), "long"),
        ),
    )


def _field(name: str, change: FieldChange, *, is_new: bool) -> str:
    before, after = (_typed(value_text(one)) or f"<i>{_text(gettext('(empty)'))}</i>" for one in change)
    told = f"<ins>{after}</ins>" if is_new else f"<del>{before}</del> → <ins>{after}</ins>"
    return f"<b>{_text(name)}</b> {told}"


def _memberships(words: str, tag: str, groups: Iterable[Target]) -> Iterator[str]:
    for group in groups:
        yield f"<b>{_text(words)}</b> <{tag}>{_typed(group_text(group.path))}</{tag}>"


def _tree(report: Report, changes: Changes) -> list[str]:
    """The groups that are new, and those that get or lose members, below those that hold them."""
    new = set(report.groups_to_create or ())
    paths = sorted({path[:depth] for path in (*new, *changes.groups) for depth in range(1, len(path) + 1)})
    if not paths:
        return []
    found = ['<ul class="tree">\n']
    depth = 1
    for number, path in enumerate(paths[:LISTED]):
        if len(path) > depth:
            found.append("\n<ul>\n" * (len(path) - depth))
        elif number:
            found.append("</li>\n" + "</ul></li>\n" * (depth - len(path)))
        depth = len(path)
        found.append(f"<li>{_group(path, changes, is_new=path in new)}")
    found.append("</li>\n" + "</ul></li>\n" * (depth - 1) + "</ul>\n")
    if len(paths) > LISTED:
        found.append(f"<p>{_text(gettext('… and {count} more', count=counted(len(paths) - LISTED)))}</p>\n")
    return found


def _group(path: GroupPath, changes: Changes, *, is_new: bool) -> str:
    added, removed = changes.groups.get(path, (0, 0))
    told = [gettext("adds {count}", count=counted(added))] if added else []
    told += [gettext("takes out {count}", count=counted(removed))] if removed else []
    mark = f' <span class="new good">{_text(gettext("new"))}</span>' if is_new else ""
    numbers = f" <i>{_text(', '.join(told))}</i>" if told else ""
    return f"{_typed(path[-1])}{mark}{numbers}"
