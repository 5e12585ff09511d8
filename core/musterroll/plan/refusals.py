"""Refuses to carry out a plan that would come out differently now."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from musterroll.errors import StalePlanError
from musterroll.journal.job import Job, JobState
from musterroll.journal.jobs import last_applied
from musterroll.pipeline.made_from import MadeFrom
from musterroll.pipeline.pipeline import Pipeline
from musterroll.plan.differences import AppliedBy, Stale
from musterroll.plan.saved.reader import SavedPlan
from musterroll.plan.stale import compare, compare_made_from

_PLAN = "plan the sheet again and apply that plan"
_JOB = "run the sheet again"


def refuse_other_program(then: MadeFrom, pipeline: Pipeline, sheet_sha256: str, *, instead: str) -> None:
    """Refuses where settings or plugins have changed: nothing that they say is worth asking the portal for.

    Args:
        then: what the plan rests on.
        pipeline: the pipeline as it is now.
        sheet_sha256: the sheet as it is now.
        instead: what to do instead.
    """
    now = MadeFrom(
        sheet=sheet_sha256, pipeline=pipeline.settings_sha256, plugins=pipeline.plugins, identity=then.identity
    )
    stale = compare_made_from(then, now)
    if stale.pipeline or stale.plugins:
        raise StalePlanError(_message(stale, then, now, instead), stale)


def refuse_stale_plan(saved: SavedPlan, job: Job) -> None:
    """Refuses a saved plan that differs from a job's, which was just made of the same sheet."""
    then, today = saved.header.made_from, job.record.made_from
    stale = compare(saved, job.plan, then, today)
    if stale is None:
        return
    applied = last_applied(job.journal, saved.header.id)
    if applied is None:
        raise StalePlanError(_message(stale, then, today, _PLAN), stale)
    stale = replace(stale, applied_by=AppliedBy(applied.id, applied.started, applied.state))
    when = dt.datetime.fromisoformat(applied.started).strftime("%Y-%m-%d %H:%M")
    unfinished = applied.state not in (JobState.COMPLETED, JobState.UNDONE, JobState.PARTIALLY_UNDONE)
    goes_on = (
        f"`musterroll jobs resume {applied.id}` goes on with that job" if unfinished else f"{_PLAN} for what is new"
    )
    raise StalePlanError(
        f"this plan was applied already, by the job {applied.id} on {when} UTC "
        f"({applied.state.replace('_', ' ')}), so nothing was written; {goes_on}",
        stale,
    )


def refuse_stale_job(planned: Job, now: Job) -> None:
    """Refuses the plan of a stored job that differs from the one that was just made of the same sheet."""
    then, today = planned.record.made_from, now.record.made_from
    stale = compare(planned.plan, now.plan, then, today)
    if stale is not None:
        raise StalePlanError(_message(stale, then, today, _JOB), stale)


def _message(stale: Stale, then: MadeFrom, now: MadeFrom, instead: str) -> str:
    *first, last = stale.causes
    causes = f"{', '.join(first)} and {last} have" if first else f"{last} has"
    details = [f"{one.name} was {_version(one.planned)}, is {_version(one.now)}" for one in stale.plugins]
    if then.identity != now.identity:
        details.append(f"the portal was {then.identity}, is {now.identity}")
    said = f" ({'; '.join(details)})" if details else ""
    return f"{causes} changed since the plan was made{said}, so nothing was written; {instead}"


def _version(text: str | None) -> str:
    if text is None:
        return "not used"
    return text if len(text) < 64 else "another file"
