"""A report as JUnit writes the results of tests, which build servers show: a test a cause of problems or a failure."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TextIO

from musterroll.contract.problems import Severity
from musterroll.contract.terms import term
from musterroll.contract.text import visible
from musterroll.contract.translation import counted, gettext
from musterroll.reports.forms.glance import told_failures
from musterroll.reports.report import Report

OPENING = '<?xml version="1.0" encoding="UTF-8"?>\n<!-- musterroll report -->\n'
"""What such a file begins with."""


def write_junit(file: TextIO, report: Report, _made: str) -> None:
    """Writes the results; warnings are tests that were passed, with a word about it.

    Args:
        file: where to.
        report: what is told.
    """
    groups = report.problem_groups()
    failures, more = told_failures(report)
    failed = sum(group.severity is Severity.ERROR for group in groups) + len(failures)
    errors = int(report.error is not None)
    tests = len(groups) + len(failures) + 1
    numbers = f'tests="{tests}" failures="{failed}" errors="{errors}"'
    name = _text(f"musterroll {report.command}")
    file.write(f'{OPENING}<testsuites name="{name}" {numbers}>\n<testsuite name="{name}" {numbers}>\n')
    where = report.sheet.path if report.sheet is not None else report.pipeline
    stopped = () if report.error is None else (_part("error", report.error.code, report.error.message),)
    file.writelines(_test(where, gettext("the command did its work"), *stopped))
    for group in groups:
        place = group.cells or gettext("sheet")
        told = f"{group.message} ({counted(group.count)}: {place})"
        is_error = group.severity is Severity.ERROR
        part = _part("failure", group.code, told) if is_error else f"<system-out>{_text(told)}</system-out>"
        file.writelines(_test(where, f"{group.code} {place}", part))
    for one in failures:
        part = _part("failure", one.status, one.detail or term(one.status))
        file.writelines(_test(where, f"{one.told} {one.username or ''}".rstrip(), part))
    if more:
        told = gettext("… and {count} more that did not work", count=counted(more))
        file.write(f"<system-out>{_text(told)}</system-out>\n")
    file.write("</testsuite>\n</testsuites>\n")


def _test(where: str, name: str, *parts: str) -> Iterator[str]:
    yield f'<testcase classname="{_text(where)}" name="{_text(name)}">{"".join(parts)}</testcase>\n'


def _part(tag: str, kind: str, message: str) -> str:
    return f'<{tag} type="{_text(kind)}" message="{_text(message)}"/>'


def _text(text: str) -> str:
    return escape(visible(text))
