"""A report for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from musterroll import counted, gettext
from musterroll_cli.output.console import Stream, Styled
from musterroll_cli.output.text.problems import first_step, show_problems
from musterroll_cli.output.text.words import amount

if TYPE_CHECKING:
    from musterroll.engine import JobSummary, Report
    from musterroll_cli.options import Common


def show_report(stream: Stream, report: Report, *, common: Common) -> None:
    """Prints a report: problems, what is or was done, and a last line that says it all."""
    verbose, quiet = common.verbose, common.quiet
    if report.command == "jobs show" and report.job is not None and not quiet:
        from musterroll_cli.output.text.jobs import show_job_heading  # noqa: PLC0415 -- `validate` has no job

        show_job_heading(stream, report, report.job)
    if report.fixed is not None and report.fixed.changes is not None and not quiet:
        from musterroll_cli.output.text.fixed import show_changed_cells  # noqa: PLC0415 -- for this alone

        show_changed_cells(stream, report.fixed)
    groups = report.problem_groups()
    show_problems(stream, report, groups, verbose=verbose, quiet=quiet)
    if report.usernames is not None and not quiet:
        from musterroll_cli.output.text.proposed_names import show_proposed_names  # noqa: PLC0415 -- for this alone

        show_proposed_names(stream, report.usernames, verbose=verbose)
    if report.command == "plan" and report.changes is not None:
        _show_plan(stream, report, common)
    if report.job is not None:
        _show_job(stream, report, report.job, common)
    elif report.invites is not None:
        _show_invites(stream, report, common)
    elif report.sheet is not None and (report.command != "plan" or report.counts.errors):
        if not quiet and (step := first_step(groups)):
            stream.line(step)
        show_sheet_total(stream, report)
    show_not_read(stream, report)
    if report.fixed is not None:
        from musterroll_cli.output.text.fixed import show_fixed  # noqa: PLC0415 -- for this alone

        show_fixed(stream, report.fixed)


def _show_job(stream: Stream, report: Report, job: JobSummary, common: Common) -> None:
    from musterroll_cli.output.text.changes import show_changes  # noqa: PLC0415 -- `validate` plans nothing
    from musterroll_cli.output.text.jobs import show_job_end, show_what_happened  # noqa: PLC0415

    if report.changes is not None and common.verbose:
        show_changes(stream, report.changes(), verbose=True, quiet=False)
        stream.gap()
    if not common.quiet:
        show_what_happened(stream, report, job, verbose=common.verbose)
    if report.nothing_left:
        stream.line(gettext("Nothing is left to do: this job was done already."))
    show_job_end(stream, job, common=common)


def _show_invites(stream: Stream, report: Report, common: Common) -> None:
    from musterroll_cli.output.text.invites import show_considered, show_released  # noqa: PLC0415 -- seldom

    if report.command == "invites send":
        show_considered(stream, report, verbose=common.verbose, quiet=common.quiet)
    else:
        show_released(stream, report, quiet=common.quiet)


def _show_plan(stream: Stream, report: Report, common: Common) -> None:
    from musterroll_cli.output.text.changes import (  # noqa: PLC0415 -- `validate` plans nothing
        show_changes,
        show_groups,
        show_plan_total,
        show_privileged,
    )

    groups = report.groups_to_create or ()
    assert report.changes is not None
    tally = show_changes(stream, report.changes(), verbose=common.verbose, quiet=common.quiet)
    if not common.quiet:
        show_groups(stream, groups, verbose=common.verbose)
        show_privileged(stream, report)
        stream.gap()
    show_plan_total(stream, tally, groups)


def show_sheet_total(stream: Stream, report: Report) -> None:
    """Prints how many rows are good and how many problems there are."""
    counts = report.counts
    style = "bold red" if counts.errors else "bold yellow" if counts.warnings else "bold green"
    found = ", ".join(
        amount(count, thing) for count, thing in ((counts.errors, "error"), (counts.warnings, "warning")) if count
    )
    invalid = gettext(", {count} of them bad", count=counted(counts.invalid)) if counts.invalid else ""
    path = report.sheet.path if report.sheet else gettext("sheet")
    stream.line(f"{path}: {amount(counts.rows, 'row')}{invalid}; ", Styled(found or gettext("no problems"), style))
    if report.command == "plan" and report.keeps_all_out:
        stream.line(gettext("With these errors `run` writes nothing at all. Correct the sheet first."))


def show_not_read(stream: Stream, report: Report) -> None:
    """Prints, in every mode and last, how many of the filled rows were imported, where some were not even read."""
    counts, job = report.counts, report.job
    if not counts.not_read:
        return
    filled = counts.rows + counts.not_read
    of_all = {"rows": amount(filled, "filled row"), "others": counted(counts.not_read)}
    if job is None:
        told = gettext("{count} of {rows} read, {others} not", count=counted(counts.rows), **of_all)
    else:
        imported = job.counts.created + job.counts.updated + job.counts.unchanged
        told = gettext("{count} of {rows} imported, {others} not read", count=counted(imported), **of_all)
    stream.line(Styled(f"{told}.", "bold yellow"))
