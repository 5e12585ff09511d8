"""A report as a table for a spreadsheet program: a line for every problem, failure and changed field."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import TextIO

from musterroll.contract.terms import term
from musterroll.contract.text import no_formula, visible
from musterroll.contract.users import group_text
from musterroll.journal.change import Change
from musterroll.reports.forms.glance import says_something
from musterroll.reports.forms.texts import hand_edit_text, invite_text, password_text, place_text, value_text
from musterroll.reports.report import Report

_HEADINGS = ("What", "Kind", "Row", "Cell", "User", "Field", "Before", "After", "Message")
_MARK = "\ufeff"  # makes Excel read UTF-8

OPENING = _MARK + ",".join(f'"{heading}"' for heading in _HEADINGS) + "\r\n"
"""What such a file begins with."""

_Line = tuple[str, str, int | None, str, str | None, str | None, str | None, str | None, str | None]


def write_table(file: TextIO, report: Report, _made: str) -> None:
    """Writes the table: `Before` of a problem is what was typed, and `After` what to type instead.

    Args:
        file: where to.
        report: what is told.
    """
    file.write(OPENING)
    # Every cell in quotation marks: what stands after a semicolon is no cell of its own anywhere.
    write = csv.writer(file, quoting=csv.QUOTE_ALL).writerow
    for line in _lines(report):
        write([_safe("" if cell is None else str(cell)) for cell in line])


def _safe(text: str) -> str:
    """A text that can be seen, and that no spreadsheet program computes."""
    if text[:1].isalnum() and text.isprintable():  # nearly all
        return text
    return no_formula(visible(text))


def _lines(report: Report) -> Iterator[_Line]:
    if report.error is not None:
        yield "error", report.error.code, None, "", None, None, None, None, report.error.message
    for one in report.problems():
        yield (
            *(one.severity, one.code, one.row, place_text(one), None, one.field),
            *(one.value, one.suggestion, one.message),
        )
    for failure in report.job.failures() if report.job is not None else ():
        yield (
            *("failure", failure.status, failure.row, "", failure.username, None, None, None),
            f"{failure.told}: {failure.detail or term(failure.status)}",
        )
    for group in report.groups_to_create or ():
        yield "change", "new group", None, "", None, "groups", None, group_text(group), None
    for change in report.changes() if report.changes is not None else ():
        if says_something(change):
            yield from _change(change)


def _change(change: Change) -> Iterator[_Line]:
    def line(field: str, before: str | None = None, after: str | None = None) -> _Line:
        return "change", change.action, change.row, "", change.username, field, before, after, None

    for name, (before, after) in change.fields.items():
        yield line(name, value_text(before), value_text(after))
    for target in change.add:
        yield line("groups", after=group_text(target.path))
    for target in change.remove:
        yield line("groups", before=group_text(target.path))
    for edit in change.hand_edits:
        before, after = (edit.written, edit.portal) if edit.group is None else (None, None)
        yield (*line(edit.field, value_text(before), value_text(after))[:-1], hand_edit_text(edit))
    if password := password_text(change):
        yield line("password", after=password)
    yield line("invite", after=invite_text(change))
