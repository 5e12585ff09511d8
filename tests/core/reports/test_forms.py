"""Reports as files: what they say, and that nothing of a sheet ever becomes markup, a formula or a link."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from typing import TextIO
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from musterroll import Problem, Severity
from musterroll.contract.text import visible
from musterroll.journal.change import Action, Change, FieldChange, InviteDecision, PasswordAction
from musterroll.journal.job import JobState
from musterroll.journal.outcomes import InviteCounts, JobCounts
from musterroll.journal.targets import Target
from musterroll.reports.forms.glance import LISTED
from musterroll.reports.forms.junit import write_junit
from musterroll.reports.forms.markdown import write_markdown
from musterroll.reports.forms.page import write_page
from musterroll.reports.forms.table import write_table
from musterroll.reports.report import Outcome, Report
from musterroll.reports.summaries import Failure, JobSummary
from musterroll.sheet.summary import SheetCounts, SheetSummary

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</title></style></script><svg/onload=alert(1)>",
    "-->",
    "]]>",
    "&lt;b&gt;",
    "=HYPERLINK(1)",
    "\t@SUM(1)",
    "＝1+1",
    "[a](javascript:alert(1))",
    "![a](http://example.com/a)",
    "http://example.com",
    "| a | b |\n|---|---|",
    "`a`",
    "\u202egnp.exe",
    "a\x00b\ud800c",
)
texts = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(alphabet="<>\"'&/!-=+@|`*_[]()#~\\{}$;\n\r\t\x00\u202e\ufffeab", max_size=20),
    st.text(alphabet=st.characters(), max_size=20),
)


def report_of(text: str, command: str = "run") -> Report:
    """A report that says a text wherever a sheet, a portal or a pipeline can have a say."""
    problems = [
        Problem(code="a.b", message=text, severity=severity, row=3, column="A", field=text, value=text, suggestion=text)
        for severity in (Severity.ERROR, Severity.ERROR, Severity.WARNING)
    ]
    change = Change(
        row=3,
        username=text,
        action=Action.UPDATE,
        password=PasswordAction.RESET,
        fields={text or "x": FieldChange(text, text + text)},
        add=(Target((text, text)),),
        remove=(Target((text,)),),
        invite=InviteDecision(send=False, reason=text),
    )
    job = JobSummary(
        id="j1",
        state=JobState.COMPLETED_WITH_ERRORS,
        started="2026-03-01",
        finished=None,
        sheet=text,
        counts=JobCounts(rows=2, updated=1, failed=1),
        invites=InviteCounts(skipped=2),
        failures=lambda: iter([Failure(3, text, text, "failed", text, text)]),
        error=text,
    )
    return Report(
        command=command,
        outcome=Outcome.FAILED,
        pipeline=text,
        profile=text,
        sheet=SheetSummary(text, "ab" * 32, "xlsx", "xlsx", text, notes=(text,)),
        counts=SheetCounts(rows=2, valid=1, invalid=1, errors=2, warnings=1),
        problems=lambda: problems,
        changes=lambda: [change],
        groups_to_create=((text,), (text, text)),
        job=None if command == "plan" else job,
    )


def written(write: Callable[[TextIO, Report, str], None], report: Report) -> str:
    file = io.StringIO(newline="")
    write(file, report, "today")
    text = file.getvalue()
    text.encode()  # whatever comes in, it is UTF-8
    return text


class Tags(HTMLParser):
    """Counts tags with the names of their attributes, and keeps the policy and the texts."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[tuple[str, ...]] = Counter()
        self.texts: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found[tag, *(name for name, _ in attrs)] += 1
        if tag not in ("meta", "rect", "input"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found[tag, *(name for name, _ in attrs)] += 1

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def tags(page: str) -> Tags:
    parser = Tags()
    parser.feed(page)
    parser.close()
    assert not parser.open, "every tag is closed"
    return parser


@pytest.mark.parametrize("command", ["run", "plan"])
@given(text=texts)
def test_no_text_becomes_markup(command: str, text: str) -> None:
    harmless = "x" if text else ""
    assert (
        tags(written(write_page, report_of(text, command))).found
        == tags(written(write_page, report_of(harmless, command))).found
    )


def test_the_page_shows_texts_as_they_are_and_spells_out_what_nobody_sees() -> None:
    shown = tags(written(write_page, report_of('<b>"a" & \u202eb</b>'))).texts
    assert '<b>"a" & \\u202eb</b>' in shown


@given(text=texts)
def test_no_cell_of_the_table_is_a_formula(text: str) -> None:
    lines = list(csv.reader(io.StringIO(written(write_table, report_of(text)).removeprefix("\ufeff"), newline="")))
    assert {len(line) for line in lines} == {9}
    assert not [cell for line in lines for cell in line if re.match(r"\s*[=+\-@＝＋－＠]|[\t\r\n]", cell)]
    assert not [cell for line in lines for cell in line if "\n" in cell or "\r" in cell]


@given(text=texts)
def test_no_text_becomes_a_mark_in_markdown(text: str) -> None:
    def kinds(text: str) -> list[str]:
        markdown = MarkdownIt("gfm-like", {"linkify": False}).parse(written(write_markdown, report_of(text)))
        return [one.type for token in markdown for one in (token, *(token.children or ()))]

    # A reason that is only blanks is a reason still, and none is not.
    harmless = "x" if visible(text).strip() else text and " "
    assert [kind for kind in kinds(text) if kind != "text"] == [kind for kind in kinds(harmless) if kind != "text"]


@given(text=texts)
def test_the_results_of_tests_are_xml(text: str) -> None:
    found = ET.fromstring(written(write_junit, report_of(text)))  # noqa: S314 -- our own
    assert found.attrib["tests"] == str(len(found.findall(".//testcase")))
    assert found.attrib["failures"] == str(len(found.findall(".//failure")))
    harmless = ET.fromstring(written(write_junit, report_of("x")))  # noqa: S314 -- our own
    assert [one.tag for one in found.iter()] == [one.tag for one in harmless.iter()]


def many(count: int) -> Report:
    report = report_of("x", "plan")
    problem, change = next(iter(report.problems())), next(iter(report.changes() if report.changes else ()))
    unchanged = Change(
        row=9, username="u", action=Action.UNCHANGED, password=PasswordAction.KEEP, invite=InviteDecision(send=False)
    )
    report.problems = lambda: (problem for _ in range(count))
    report.changes = lambda: (one for _ in range(count) for one in (change, unchanged))
    return report


def test_what_is_not_listed_is_counted() -> None:
    page = written(write_page, many(LISTED + 7))
    assert page.count('<tr data-kind="update">') == page.count('<tr data-kind="error">') - 1 == LISTED
    assert "… and 7 more that are not listed here: 7 a.b." in page
    assert "… and 7 more that are not listed here: 7 update." in page
    assert 'data-kind="unchanged"' not in page
    assert f"<b>{LISTED + 7:,}</b> unchanged" in page


def test_the_table_lists_all() -> None:
    lines = written(write_table, many(LISTED + 7)).count("\r\n")
    # a heading, two groups, a line a problem, and five a change: a field, two groups, the password, the invite
    assert lines == 1 + 2 + (LISTED + 7) * 6


def test_the_page_asks_nothing_of_a_network() -> None:
    page = written(write_page, report_of("x"))
    assert not re.search(r"https?:|src=|@import|url\(", page)
    assert "default-src 'none'" in page


@pytest.mark.parametrize("state", JobState)
def test_it_is_said_how_any_job_ended(state: JobState) -> None:
    report = report_of("x")
    assert report.job is not None
    report.job = replace(report.job, state=state)
    assert '<p class="verdict ' in written(write_page, report)


def test_groups_are_a_tree() -> None:
    report = report_of("x", "plan")
    report.groups_to_create = (("Region", "North"), ("Region", "North", "York"), ("Sales",))
    report.changes = None
    page = written(write_page, report)
    tree = re.sub(r"\s+|<bdi>|</bdi>", "", page[page.index('<ul class="tree">') : page.index("</section>\n</main>")])
    new = '<spanclass="newgood">new</span>'
    assert tree == (
        f'<ulclass="tree"><li>Region<ul><li>North{new}<ul><li>York{new}</li></ul></li></ul></li><li>Sales{new}</li></ul>'
    )
