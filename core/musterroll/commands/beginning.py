"""How a job begins: the backend that is only asked, the record, and what becomes of a job that came to nothing."""

from __future__ import annotations

from dataclasses import replace

from musterroll.commands.carry_out import settle_former_jobs
from musterroll.journal import job as jobs
from musterroll.journal.job import JobKind, JobRecord, JobState
from musterroll.journal.journal import Journal
from musterroll.journal.operations import OperationStore
from musterroll.pipeline.pipeline import Pipeline
from musterroll.portal.portal import Portal
from musterroll.sheet.open_sheet import Intake
from musterroll.sheet.problem_log import ProblemLog
from musterroll.sheet.summary import SheetCounts, SheetSummary
from musterroll.written.rejected import remove_rejected_file


def new_job(pipeline: Pipeline, intake: Intake, backend: Portal, *, plan: str | None = None) -> JobRecord:
    """Makes the record of a job that imports a sheet and begins now; `plan` is the saved plan that it applies."""
    # The path is kept absolute, so that the job can go on from any folder.
    sheet = replace(intake.summary, path=str(intake.source.path.absolute()))
    kind = JobKind.RUN if plan is None else JobKind.APPLY
    return replace(job_record(pipeline, backend, sheet, intake.counts, kind=kind), plan=plan)


def job_record(
    pipeline: Pipeline,
    backend: Portal,
    sheet: SheetSummary,
    counts: SheetCounts,
    *,
    kind: JobKind = JobKind.RUN,
    about: str | None = None,
) -> JobRecord:
    """Makes the record of a job that begins now."""
    now = pipeline.clock()
    return JobRecord(
        id=jobs.new_job_id(now),
        kind=kind,
        about=about,
        state=JobState.RUNNING,
        planned=False,
        started=now.isoformat(timespec="microseconds"),
        finished=None,
        pipeline=pipeline.name,
        profile=pipeline.profile,
        sets=pipeline.sets,
        fingerprint=pipeline.fingerprint,
        plugins=pipeline.plugins,
        identity=backend.identity(),
        sheet=sheet,
        counts=counts,
        error=None,
    )


def enter_job(
    pipeline: Pipeline, journal: Journal, job: JobRecord, backend: Portal, again: JobRecord | None = None
) -> JobRecord:
    """Enters a new job into the journal; one that is planned `again` keeps its id.

    Former jobs that were cut off are settled first, so that users whom they created after all count as theirs.
    """
    settle_former_jobs(pipeline, journal, job, backend)
    with journal.transaction():
        if again is not None:
            job = replace(job, id=again.id)
            jobs.discard_job(journal, again.id)
        jobs.insert_job(journal, job)
    return job


def discard_unwritten(journal: Journal, job: JobRecord) -> None:
    """Forgets a job that has handed nothing to the backend; any other stays and can be resumed."""
    if not OperationStore(journal, job.id).anything_handed_over():
        remove_rejected_file(journal, job.id)
        with journal.transaction():
            jobs.discard_job(journal, job.id)


def keeps_all_out(pipeline: Pipeline, log: ProblemLog) -> bool:
    """Whether the errors keep good rows out as well: those of the headings always do."""
    return log.file_errors > 0 or (log.errors > 0 and pipeline.settings.on_error == "abort")
