"""The jobs of a pipeline, as they are listed and shown."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from musterroll.journal import jobs
from musterroll.journal.journal import Journal
from musterroll.pipeline.pipeline import Pipeline
from musterroll.reports.of_a_job import report_of, summary_of
from musterroll.reports.report import JobSummary, Outcome, Report


def list_jobs(pipeline: Pipeline) -> Sequence[JobSummary]:
    """The jobs of this pipeline, newest first."""
    journal = Journal.look(pipeline.state, pipeline.name)
    if journal is None:
        return []
    try:
        return [summary_of(job) for job in jobs.list_jobs(journal)]
    finally:
        journal.close()


def show_job(pipeline: Pipeline, job: str) -> Report:
    """One job, with its problems, changes and failures."""
    found = jobs.open_job(pipeline.state, pipeline.name, job, look=True)
    try:
        report = report_of(found, "jobs show")
    except BaseException:
        found.journal.close()
        raise
    report.outcome = Outcome.OK
    return report


def job_settings(state: Path, name: str, job: str) -> tuple[str | None, tuple[str, ...]]:
    """Returns the profile and the `--set` texts that a job was started with, to load its pipeline again.

    Args:
        state: the state folder.
        name: the pipeline's name.
        job: the job's id, or an unambiguous part of it.
    """
    found = jobs.open_job(state, name, job, look=True)
    with closing(found.journal):
        record = found.record
    return record.profile, record.set_options
