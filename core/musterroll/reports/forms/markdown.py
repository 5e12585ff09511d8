"""A report as Markdown, short enough for a comment in a pull request or a ticket."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TextIO

from musterroll.contract.terms import term
from musterroll.contract.text import visible
from musterroll.contract.translation import counted, gettext
from musterroll.contract.users import group_text
from musterroll.reports.forms.glance import Changes, Glance, told_failures, told_invites
from musterroll.reports.report import Report

OPENING = "<!-- musterroll report -->\n"
"""What such a file begins with."""

_MOST = 50  # lines of a list
_SIGNS = re.compile(r"([!-/:-@\[-`{-~])")  # every mark that Markdown may take for one of its own


def write_markdown(file: TextIO, report: Report, made: str) -> None:
    """Writes the text: the numbers, the problems by their cause, what did not work, new groups. No changes one by one.

    Args:
        file: where to.
        report: what is told.
        made: when that was, for a person.
    """
    changes = Changes.of(report, most=0)
    glance = Glance.of(report, changes)
    file.write(OPENING)
    file.write(f"# {_text(glance.title)}\n\n{_text(glance.verdict)}\n\n")
    if glance.error is not None:
        file.write(f"**{_text(glance.error)}**\n\n")
    numbers = [(part.name, counted(part.rows)) for part in glance.parts]
    numbers += [(name, counted(count)) for name, count in told_invites(report, changes)]
    file.writelines(_table(gettext("Numbers"), (gettext("What"), gettext("How many")), numbers))
    groups = report.problem_groups()
    problems = (
        (term(one.severity), counted(one.count), one.cells or gettext("sheet"), one.message, one.suggestion, one.code)
        for one in groups
    )
    columns = (
        *(gettext("Severity"), gettext("Count"), gettext("Cells")),
        *(gettext("What is wrong"), gettext("Instead"), gettext("Code")),
    )
    file.writelines(_table(gettext("Problems by their cause"), columns, problems))
    failures, _ = told_failures(report)
    failed = ((one.username, one.told, term(one.status), one.detail) for one in failures)
    file.writelines(
        _table(
            gettext("What did not work"),
            (gettext("User"), gettext("Operation"), gettext("Status"), gettext("Why")),
            failed,
        )
    )
    new = ((group_text(path),) for path in report.groups_to_create or ())
    file.writelines(_table(gettext("New groups"), (gettext("Group"),), new))
    privileged = ((group_text(one.path), counted(one.add), counted(one.remove)) for one in report.privileged)
    headings = (gettext("Group"), gettext("Members added"), gettext("Members taken out"))
    file.writelines(_table(gettext("Privileged groups"), headings, privileged))
    made_by = gettext("Made by musterroll, {time}.", time=made)
    file.write(f"{_text(made_by)}\n")


def _table(title: str, columns: tuple[str, ...], rows: Iterable[tuple[str | None, ...]]) -> Iterator[str]:
    count = 0
    for row in rows:
        if not count:
            yield f"## {title}\n\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}\n"
        count += 1
        if count <= _MOST:
            yield f"| {' | '.join(_text(cell or '') for cell in row)} |\n"
    if count > _MOST:
        yield f"\n{gettext('… and {count} more', count=counted(count - _MOST))}\n"
    if count:
        yield "\n"


def _text(text: str) -> str:
    """Makes any text safe: none of it becomes a mark, a link or markup. Blanks at the ends would undo our own marks."""
    return _SIGNS.sub(r"\\\1", visible(text).strip())
