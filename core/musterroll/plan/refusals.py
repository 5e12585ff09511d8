"""Refuses to carry out a plan that would come out differently now."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from musterroll.contract.terms import term
from musterroll.contract.translation import gettext, gettext_noop, ngettext
from musterroll.errors import StalePlanError
from musterroll.journal.job import Job, JobState
from musterroll.journal.jobs import last_applied
from musterroll.pipeline.made_from import MadeFrom
from musterroll.pipeline.pipeline import Pipeline
from musterroll.plan.differences import AppliedBy, Stale
from musterroll.plan.saved.reader import SavedPlan
from musterroll.plan.stale import compare, compare_made_from

_PLAN = gettext_noop("plan the sheet again and apply that plan")
_JOB = gettext_noop("run the sheet again")


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
        raise StalePlanError(_message(stale, then, today, gettext(_PLAN)), stale)
    stale = replace(stale, applied_by=AppliedBy(applied.id, applied.started, applied.state))
    when = dt.datetime.fromisoformat(applied.started).strftime("%Y-%m-%d %H:%M")
    unfinished = applied.state not in (JobState.COMPLETED, JobState.UNDONE, JobState.PARTIALLY_UNDONE)
    goes_on = (
        gettext("`musterroll jobs resume {job}` goes on with that job", job=applied.id)
        if unfinished
        else gettext("plan the sheet again and apply that plan for what is new")
    )
    raise StalePlanError(
        gettext(
            "this plan was applied already, by the job {job} on {when} UTC ({state}), so nothing was written; "
            "{instead}",
            job=applied.id,
            when=when,
            state=term(applied.state),
            instead=goes_on,
        ),
        stale,
    )


def refuse_stale_job(planned: Job, now: Job) -> None:
    """Refuses the plan of a stored job that differs from the one that was just made of the same sheet."""
    then, today = planned.record.made_from, now.record.made_from
    stale = compare(planned.plan, now.plan, then, today)
    if stale is not None:
        raise StalePlanError(_message(stale, then, today, gettext(_JOB)), stale)


def _message(stale: Stale, then: MadeFrom, now: MadeFrom, instead: str) -> str:
    *first, last = stale.causes
    details = [
        gettext("{plugin} was {former}, is {now}", plugin=one.name, former=_version(one.planned), now=_version(one.now))
        for one in stale.plugins
    ]
    if then.identity != now.identity:
        details.append(gettext("the portal was {former}, is {now}", former=then.identity, now=now.identity))
    return ngettext(
        "{causes} has changed since the plan was made{details}, so nothing was written; {instead}",
        "{causes} have changed since the plan was made{details}, so nothing was written; {instead}",
        len(stale.causes),
        causes=gettext(" and ").join([", ".join(first), last] if first else [last]),
        details=f" ({'; '.join(details)})" if details else "",
        instead=instead,
    )


def _version(text: str | None) -> str:
    if text is None:
        return gettext("not used")
    return text if len(text) < 64 else gettext("another file")
