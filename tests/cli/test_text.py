"""What a person reads."""

from __future__ import annotations

import io
from collections.abc import Callable
from itertools import pairwise

import pytest

from musterroll import Problem, Severity
from musterroll.journal.change import Action, Change, FieldChange, InviteDecision, PasswordAction
from musterroll.journal.job import JobState
from musterroll.journal.outcomes import JobCounts
from musterroll.journal.targets import Target
from musterroll.reports.report import Outcome, Report
from musterroll.reports.summaries import Failure, JobSummary
from musterroll.sheet.summary import SheetCounts
from musterroll_cli.options import Common
from musterroll_cli.output.console import Stream
from musterroll_cli.output.text.jobs import show_jobs
from musterroll_cli.output.text.report import show_report

MakeReport = Callable[..., Report]
MakeJob = Callable[..., JobSummary]
Shown = Callable[[Stream], str]


def problems(count: int) -> list[Problem]:
    return [Problem(code="forename.required", message="give a name", row=i + 3, column="C") for i in range(count)]


def test_problems_are_an_aligned_table(make_report: MakeReport, paper: Stream, shown: Shown) -> None:
    counts = SheetCounts(rows=20, valid=19, invalid=1, errors=1, warnings=1)
    show_report(paper, make_report("validate", counts=counts, outcome=Outcome.PROBLEMS), common=Common())
    assert shown(paper).splitlines() == [
        "CELLS  SEVERITY  CODE                MESSAGE",
        "A17    error     email.invalid       not a valid address  [ana@@example]",
        "G3     warning   phone.trunk_prefix  leave the leading 0 out  [07712345678 → 7712345678]",
        "",
        "staff.xlsx: 20 rows, 1 of them bad; 1 error, 1 warning",
    ]


def test_a_good_sheet_takes_one_line(make_report: MakeReport, paper: Stream, shown: Shown) -> None:
    show_report(paper, make_report("validate", problems=(), counts=SheetCounts(rows=1, valid=1)), common=Common())
    assert shown(paper) == "staff.xlsx: 1 row; no problems\n"


def test_thousands_of_problems_of_one_cause_take_one_line(make_report: MakeReport, paper: Stream, shown: Shown) -> None:
    warning = Problem(code="column.unknown", severity=Severity.WARNING, message="ignored")
    show_report(paper, make_report("validate", problems=[warning, *problems(1999)]), common=Common())
    assert [line.split() for line in shown(paper).splitlines()[1:3]] == [
        ["C3:C2001", "1,999", "×", "error", "forename.required", "give", "a", "name"],
        ["sheet", "warning", "column.unknown", "ignored"],
    ]


def many_kinds() -> list[Problem]:
    codes = [f"acme.rule{number}" for number in range(70)]
    return [Problem(code=code, message=f"{code} is broken", row=row, column="B") for row in (3, 4) for code in codes]


def test_of_many_kinds_the_first_are_shown_and_all_are_counted(
    make_report: MakeReport, paper: Stream, shown: Shown
) -> None:
    show_report(paper, make_report("validate", problems=many_kinds()), common=Common())
    text = shown(paper)
    assert text.count("is broken") == 50
    assert "… and 40 more errors (2 acme.rule50, 2 acme.rule51, " in text
    assert ", …). --verbose shows all.\n" in text


def test_a_narrow_terminal_shows_what_it_has_room_for(
    make_report: MakeReport, terminal: Stream, shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")
    show_report(terminal, make_report("validate", problems=many_kinds()), common=Common())
    lines = shown(terminal).splitlines()
    assert len(lines) < 24
    assert max(map(len, lines)) <= 80
    assert lines[:2] == ["error  B3:B4  2 ×  acme.rule0", "  acme.rule0 is broken"]
    assert "Begin with B3:B4: 2 errors of one kind." in lines


def test_what_was_not_read_is_said_in_every_mode_first_and_last(
    make_report: MakeReport, make_job: MakeJob, paper: Stream, shown: Shown
) -> None:
    gap = Problem(code="row.after_blank", severity=Severity.WARNING, message="Row 4 is blank", row=4)
    counts = SheetCounts(rows=1, valid=1, warnings=1, not_read=1)
    for common in (Common(), Common(quiet=True)):
        start = len(shown(paper))
        job = make_job(JobState.COMPLETED, counts=JobCounts(rows=1, created=1))
        show_report(paper, make_report("run", problems=[*problems(1), gap], counts=counts, job=job), common=common)
        lines = shown(paper)[start:].splitlines()
        assert lines[0] == "not read: Row 4 is blank"
        assert lines[-1] == "1 of 2 filled rows imported, 1 not read."
    show_report(paper, make_report("validate", problems=[gap], counts=counts), common=Common(quiet=True))
    assert shown(paper).endswith("\n1 of 2 filled rows read, 1 not.\n")


def test_verbose_shows_all_and_quiet_errors_only(make_report: MakeReport, paper: Stream, shown: Shown) -> None:
    show_report(paper, make_report("validate", problems=problems(500)), common=Common(verbose=True))
    assert shown(paper).count("give a name") == 501  # each by itself, and their cause
    assert "C3:C502  500 ×" in " ".join(shown(paper).split(" "))
    before = len(shown(paper))
    show_report(paper, make_report("validate"), common=Common(quiet=True))
    assert "email.invalid" in shown(paper)[before:]
    assert "phone.trunk_prefix" not in shown(paper)[before:]


def test_a_plan_says_what_changes_for_whom(make_report: MakeReport, paper: Stream, shown: Shown) -> None:
    show_report(paper, make_report("plan", problems=()), common=Common())
    assert shown(paper).splitlines() == [
        "+  ana  create  row 3  email: ana@example.com  +Region|North  password set  invite by email",
        r"~  bo   update  row 4  phone: 77 → 78  surname: Ek → (empty)  -Sales\|Old",
        "",
        "2 groups to create:",
        "  + Region",
        "    + North",
        "",
        "Plan: 1 to create, 1 to update, 1 unchanged, 2 groups to create, 1 invite to send. Nothing was written.",
    ]


@pytest.mark.parametrize("found", [0, 1])
@pytest.mark.parametrize("action", [Action.UNCHANGED, Action.CREATE, None])
@pytest.mark.parametrize("groups", [(), (("Region",),)])
def test_parts_of_a_plan_are_apart_by_one_empty_line(
    make_report: MakeReport,
    paper: Stream,
    shown: Shown,
    found: int,
    action: Action | None,
    groups: tuple[tuple[str, ...], ...],
) -> None:
    invite = InviteDecision(send=False)
    changes = (
        [Change(row=3, username="ana", action=action, password=PasswordAction.KEEP, invite=invite)] if action else []
    )
    report = make_report("plan", problems=problems(found), changes=changes, groups_to_create=groups)
    show_report(paper, report, common=Common())
    lines = shown(paper).splitlines()
    assert lines[0]
    assert all(first or second for first, second in pairwise(lines))


def test_new_groups_hang_under_those_that_exist(make_report: MakeReport, paper: Stream, shown: Shown) -> None:
    groups = (("Region", "North"), ("Role A",), ("Region", "South"))
    show_report(paper, make_report("plan", problems=(), changes=(), groups_to_create=groups), common=Common())
    assert "  Region (exists)\n    + North\n    + South\n  + Role A\n" in shown(paper).replace("    Region", "  Region")


def test_long_plans_are_cut_and_the_total_counts_everybody(
    make_report: MakeReport, paper: Stream, shown: Shown
) -> None:
    many = [
        Change(
            row=i + 3,
            username=f"user{i}",
            action=Action.CREATE,
            password=PasswordAction.SET,
            invite=InviteDecision(send=False),
        )
        for i in range(1000)
    ]
    show_report(paper, make_report("plan", problems=(), changes=many), common=Common())
    assert shown(paper).count("password set") == 200
    assert "… and 800 more; --verbose shows all" in shown(paper)
    assert "Plan: 1,000 to create" in shown(paper)


def test_an_unchanged_user_that_is_invited_is_shown(make_report: MakeReport, paper: Stream, shown: Shown) -> None:
    change = Change(
        row=3,
        username="ana",
        action=Action.UNCHANGED,
        password=PasswordAction.KEEP,
        invite=InviteDecision(send=True, channel="email"),
    )
    show_report(paper, make_report("plan", problems=(), changes=[change], groups_to_create=()), common=Common())
    assert "ana  unchanged  row 3  invite by email" in shown(paper)


def test_a_run_says_what_happened_and_what_to_do_next(
    make_report: MakeReport, make_job: MakeJob, paper: Stream, shown: Shown
) -> None:
    counts = JobCounts(rows=5, created=1, failed=1, rejected=2, not_attempted=1)
    failure = Failure(3, "ana", "create user", "failed", "the portal says 500", "create user")
    job = make_job(JobState.FAILED, counts=counts, failures=lambda: iter([failure]))
    show_report(paper, make_report("run", problems=(), job=job), common=Common())
    assert shown(paper).splitlines() == [
        "ROW  USER  OPERATION    STATUS  WHY",
        "  3  ana   create user  failed  the portal says 500",
        "",
        "  created           1",
        "  updated           0",
        "  unchanged         0",
        "  rejected          2",
        "  failed            1",
        "  not attempted     1",
        "  groups to create  2",
        "  invites sent      1",
        "  invites skipped   2  not new: 2",
        "",
        "Job 20260301-1: failed, 1 created, 2 rejected, 1 failed, 1 not attempted.",
        "2 rows left out: correct the sheet and run it again; what is in the portal already stays as it is.",
        "To go on: musterroll jobs resume 20260301-1",
    ]


def test_an_aborted_run_says_that_nothing_was_written(
    make_report: MakeReport, make_job: MakeJob, paper: Stream, shown: Shown
) -> None:
    job = make_job(JobState.ABORTED, counts=JobCounts(rows=2, rejected=1, not_attempted=1))
    report = make_report("run", changes=None, job=job, outcome=Outcome.PROBLEMS)
    show_report(paper, report, common=Common(quiet=True))
    lines = shown(paper).splitlines()
    assert lines[-1] == "Nothing was written. Correct the sheet and run it again."
    assert not any("resume" in line for line in lines)


def test_jobs_are_a_table(make_job: MakeJob, paper: Stream, shown: Shown) -> None:
    show_jobs(paper, [make_job(), make_job(JobState.PAUSED, finished=None)])
    heading, first, second = shown(paper).splitlines()
    assert heading.split() == ["JOB", "STATE", "STARTED", "FINISHED", "SHEET", "ROWS"]
    assert "completed" in first
    assert second.endswith("staff.xlsx  1 created, 1 updated, 1 unchanged")


HOSTILE = "\x1b[2J\u202e[bold red]x[/] :smile: \x9b31m\nsecond line"


@pytest.mark.parametrize("kind", ["paper", "terminal"])
@pytest.mark.parametrize("command", ["validate", "plan", "run"])
def test_text_of_a_sheet_neither_commands_the_terminal_nor_is_markup(
    kind: str,
    command: str,
    make_report: MakeReport,
    make_job: MakeJob,
    shown: Shown,
    request: pytest.FixtureRequest,
) -> None:
    stream: Stream = request.getfixturevalue(kind)
    problem = Problem(
        code="email.invalid", message=HOSTILE, row=3, column="A", value=HOSTILE[:25], suggestion=HOSTILE[:25]
    )
    change = Change(
        row=3,
        username=HOSTILE,
        action=Action.UPDATE,
        password=PasswordAction.KEEP,
        fields={"surname": FieldChange(HOSTILE, HOSTILE)},
        add=(Target((HOSTILE,)),),
        invite=InviteDecision(send=False, reason=HOSTILE),
    )
    failure = Failure(3, HOSTILE, HOSTILE, "failed", HOSTILE, HOSTILE)
    job = make_job(failures=lambda: iter([failure])) if command == "run" else None
    report = make_report(command, problems=[problem], changes=[change], groups_to_create=((HOSTILE,),), job=job)
    show_report(stream, report, common=Common(verbose=True))
    text = shown(stream)
    # The styles of the table itself set colours only: ESC [ … m.
    assert "\x1b[2J" not in text
    assert not set("\u202e\x9b") & set(text)
    unwrapped = "".join(text.split())
    assert r"\x1b[2J" in unwrapped
    assert "x[/]" in unwrapped
    assert "☺" not in text
    assert "😄" not in text


def test_terminals_see_colours_unless_no_color_is_set(
    make_report: MakeReport, terminal: Stream, shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    show_report(terminal, make_report("validate"), common=Common())
    assert "\x1b[31merror" in shown(terminal)
    monkeypatch.setenv("NO_COLOR", "1")
    sober = Stream(type(terminal.file)())
    show_report(sober, make_report("validate"), common=Common())
    assert "\x1b" not in shown(sober)
    assert "error" in shown(sober)


def test_old_encodings_get_plainer_signs(make_report: MakeReport) -> None:
    raw = io.BytesIO()
    stream = Stream(io.TextIOWrapper(raw, encoding="cp1252", errors="backslashreplace"))
    show_report(stream, make_report("plan", problems=()), common=Common())
    stream.file.flush()
    assert "phone: 77 -> 78" in raw.getvalue().decode("cp1252")
