"""The jobs of a pipeline, as they are listed and shown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from musterroll.journal import job as jobs
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
        return [summary_of(journal, job) for job in list(jobs.list_jobs(journal))]
    finally:
        journal.close()


def show_job(pipeline: Pipeline, job: str) -> Report:
    """One job, with its problems, changes and failures."""
    journal, record = jobs.open_with_job(pipeline.state, pipeline.name, job, look=True)
    try:
        report = report_of(journal, record, "jobs show")
    except BaseException:
        journal.close()
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
    journal, record = jobs.open_with_job(state, name, job, look=True)
    journal.close()
    return record.profile, record.sets
