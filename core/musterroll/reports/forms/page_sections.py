"""The parts of a report's page: tables of problems, failures, changes and invites, and the tree of groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import NamedTuple

from musterroll.contract.problems import Severity
from musterroll.contract.terms import term
from musterroll.contract.text import visible
from musterroll.contract.translation import counted, gettext
from musterroll.contract.users import GroupPath, group_text
from musterroll.journal.change import Action, Change, FieldChange
from musterroll.journal.targets import Target
from musterroll.reports.forms.glance import (
    ACTIONS,
    LISTED,
    Changes,
    Mood,
    told_failures,
    told_invites,
    told_problems,
)
from musterroll.reports.forms.texts import hand_edit_text, invite_text, more_text, password_text, place_text, value_text
from musterroll.reports.report import Report
from musterroll.sheet.problem_groups import ProblemGroup

_MOODS = {Severity.ERROR: Mood.BAD, Severity.WARNING: Mood.WAITING}


class PageCell(NamedTuple):
    """A cell of a table: markup that is safe already, and the classes of the cell."""

    html: str
    classes: str = ""


class PageRow(NamedTuple):
    """A row of a table, and what it can be filtered by."""

    kind: str
    cells: tuple[PageCell, ...]


class PageSection(NamedTuple):
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
    rows: Sequence[PageRow]
    below: str = ""
    choice: str = ""


def safe(text: object) -> str:
    """Makes any text safe to stand between tags and in attributes."""
    return escape(visible(str(text)))


def safe_typed(text: str | None) -> str:
    """A text of the sheet or the portal, which may run in another direction than what stands around it."""
    return f"<bdi>{safe(text)}</bdi>" if text else ""


def sections_of(report: Report, changes: Changes) -> Iterator[PageSection]:
    """Yields the tables of a report; those without rows are left out by whoever writes them."""
    groups = report.problem_groups()
    yield _problem_groups(groups)
    if any(group.count > 1 for group in groups):
        yield _problems(report)
    failures, more = told_failures(report)
    yield PageSection(
        id="failures",
        title=gettext("What did not work"),
        columns=(gettext("Row"), gettext("User"), gettext("Operation"), gettext("Status"), gettext("Why")),
        rows=[
            PageRow(
                one.status,
                (
                    PageCell("" if one.row is None else str(one.row), "number"),
                    PageCell(safe_typed(one.username), "long"),
                    PageCell(safe_typed(one.told), "long"),
                    PageCell(safe(term(one.status)), Mood.BAD),
                    PageCell(safe_typed(one.detail), "wide"),
                ),
            )
            for one in failures
        ],
        below=gettext("… and {count} more", count=counted(more)) if more else "",
        choice=gettext("Status"),
    )
    yield PageSection(
        id="changes",
        title=gettext("Changes"),
        columns=(gettext("Row"), gettext("User"), gettext("Action"), gettext("What changes"), gettext("Invite")),
        rows=[_change(change) for change in changes.listed],
        below=more_text(changes.hidden) if changes.hidden else "",
        choice=gettext("Action"),
    )
    yield PageSection(
        id="invites",
        title=gettext("Invites"),
        columns=(gettext("What"), gettext("Users")),
        rows=[
            PageRow(name, (PageCell(safe_typed(name)), PageCell(counted(count), "number")))
            for name, count in told_invites(report, changes)
        ],
    )


def _problem_groups(groups: Iterable[ProblemGroup]) -> PageSection:
    return PageSection(
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
            PageRow(
                group.severity,
                (
                    PageCell(safe(term(group.severity)), _MOODS[group.severity]),
                    PageCell(counted(group.count), "number"),
                    PageCell(safe(group.cells or gettext("sheet")), "long"),
                    PageCell(safe_typed(group.message), "wide"),
                    _instead(group.value, group.suggestion),
                    PageCell(f"<code>{safe(group.code)}</code>"),
                ),
            )
            for group in groups
        ],
        choice=gettext("Severity"),
    )


def _instead(value: str | None, suggestion: str | None) -> PageCell:
    """What was typed, and behind the arrow what to type."""
    typed = f"<del>{safe_typed(value)}</del>" if value else ""
    instead = f" → <ins>{safe_typed(suggestion)}</ins>" if suggestion else ""
    return PageCell(typed + instead, "long")


def _problems(report: Report) -> PageSection:
    problems, hidden = told_problems(report)
    return PageSection(
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
            PageRow(
                problem.severity,
                (
                    PageCell(safe(term(problem.severity)), _MOODS[problem.severity]),
                    PageCell(safe(place_text(problem))),
                    PageCell(safe(problem.field or "")),
                    PageCell(safe_typed(problem.message), "wide"),
                    _instead(problem.value, problem.suggestion),
                    PageCell(f"<code>{safe(problem.code)}</code>"),
                ),
            )
            for problem in problems
        ],
        below=more_text(hidden) if hidden else "",
        choice=gettext("Severity"),
    )


def _change(change: Change) -> PageRow:
    parts = [
        *(_field(name, one, is_new=change.action is Action.CREATE) for name, one in change.fields.items()),
        *_memberships(gettext("added to"), "ins", change.add),
        *_memberships(gettext("taken out of"), "del", change.remove),
    ]
    if password := password_text(change):
        parts.append(f"<b>{safe(gettext('password'))}</b> {safe(password)}")
    parts += [f"<i>{safe_typed(hand_edit_text(edit))}</i>" for edit in change.hand_edits]
    listed = "".join(f"<li>{part}</li>" for part in parts)
    return PageRow(
        change.action,
        (
            PageCell("" if change.row is None else str(change.row), "number"),
            PageCell(safe_typed(change.username), "long"),
            PageCell(safe(term(change.action)), ACTIONS[change.action][1]),
            PageCell(f"<ul>{listed}</ul>" if listed else "", "wide"),
            PageCell(safe_typed(invite_text(change)), "long"),
        ),
    )


def _field(name: str, change: FieldChange, *, is_new: bool) -> str:
    before, after = (safe_typed(value_text(one)) or f"<i>{safe(gettext('(empty)'))}</i>" for one in change)
    told = f"<ins>{after}</ins>" if is_new else f"<del>{before}</del> → <ins>{after}</ins>"
    return f"<b>{safe(name)}</b> {told}"


def _memberships(words: str, tag: str, groups: Iterable[Target]) -> Iterator[str]:
    for group in groups:
        yield f"<b>{safe(words)}</b> <{tag}>{safe_typed(group_text(group.path))}</{tag}>"


def group_tree(report: Report, changes: Changes) -> list[str]:
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
        found.append(f"<p>{safe(gettext('… and {count} more', count=counted(len(paths) - LISTED)))}</p>\n")
    return found


def _group(path: GroupPath, changes: Changes, *, is_new: bool) -> str:
    added, removed = changes.groups.get(path, (0, 0))
    told = [gettext("adds {count}", count=counted(added))] if added else []
    told += [gettext("takes out {count}", count=counted(removed))] if removed else []
    mark = f' <span class="new good">{safe(gettext("new"))}</span>' if is_new else ""
    numbers = f" <i>{safe(', '.join(told))}</i>" if told else ""
    return f"{safe_typed(path[-1])}{mark}{numbers}"
