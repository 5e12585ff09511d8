"""Loads the pipeline of a job or a saved plan once more: the same file, profile and `--set` texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from musterroll import engine, gettext, gettext_noop
from musterroll.engine import Pipeline, PlannedPipeline
from musterroll.errors import UsageError
from musterroll_cli.session import Session


def pipeline_of_job(session: Session, job: str) -> Pipeline:
    """Loads the pipeline as it was when the job was started.

    Raises:
        UsageError: there is no such job, or the command line says something else.
    """
    common = session.common
    pipeline = session.load()
    profile, sets = engine.job_settings(pipeline.state, pipeline.name, job)
    if (common.profile, common.sets) == (profile, sets):
        return pipeline
    return _load(session, gettext_noop("the job was started {how}; leave {option} out to go on with it"), profile, sets)


def pipeline_of_plan(session: Session, planned: PlannedPipeline) -> Pipeline:
    """Loads the pipeline that a plan was made with.

    Raises:
        UsageError: the command line says something else.
    """
    given = session.common.pipeline
    if planned.file is None:
        if given is not None or Path.cwd().resolve() != Path(planned.folder).resolve():
            raise UsageError(
                gettext(
                    "the plan was made with the built-in pipeline in {folder}; apply it there, without -p",
                    folder=planned.folder,
                )
            )
    elif given is not None and given.resolve() != Path(planned.file).resolve():
        raise UsageError(
            gettext("the plan was made with the pipeline {file}; leave -p out to apply it", file=planned.file)
        )
    session.common = replace(session.common, pipeline=None if planned.file is None else Path(planned.file))
    return _load(
        session,
        gettext_noop("the plan was made {how}; leave {option} out to go on with it"),
        planned.profile,
        planned.sets,
    )


def _load(session: Session, begun: str, profile: str | None, sets: Sequence[str]) -> Pipeline:
    common = session.common
    if common.profile is not None and common.profile != profile:
        how = (
            gettext('with the profile "{profile}"', profile=profile)
            if profile is not None
            else gettext("without a profile")
        )
        raise UsageError(gettext(begun, how=how, option="--profile"))
    # A text that holds a secret is kept nowhere, so it has to be given once more.
    others = [text for text in common.sets if text not in sets]
    pipeline = session.load(profile=profile, sets=[*sets, *others])
    if pipeline.set_options != tuple(sets):
        how = (
            gettext("with {sets}", sets=" ".join(f"--set {text}" for text in sets))
            if sets
            else gettext("without --set")
        )
        raise UsageError(gettext(begun, how=how, option=gettext("other ones")))
    return pipeline
