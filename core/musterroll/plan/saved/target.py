"""`plan -o`: keeps a plan in a file, to be applied later."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import BinaryIO

from musterroll.contract.translation import gettext
from musterroll.errors import PlanFileError, UsageError
from musterroll.journal.job import Job, JobRecord
from musterroll.pipeline.pipeline import Pipeline
from musterroll.plan.saved.header import PlanHeader, PlannedBackend, PlannedPipeline
from musterroll.plan.saved.reader import is_saved_plan
from musterroll.plan.saved.writer import write_plan
from musterroll.reports.report import SavedTo
from musterroll.sheet.problem_log import ProblemLog
from musterroll.written.new_file import NewFile, why_not


@dataclass(frozen=True, slots=True)
class PlanTarget:
    """Where a plan is to be kept. With `replace` an older plan there is written over, but nothing else ever is."""

    path: Path
    replace: bool = False

    def check(self) -> None:
        """Looks before any work is done whether the plan can go there.

        Raises:
            UsageError: something is in the way.
            PlanFileError: there is no such folder.
        """
        if not self.path.parent.is_dir():
            raise PlanFileError(
                gettext(
                    "{path} cannot be written: there is no folder {folder}", path=self.path, folder=self.path.parent
                ),
                code="output.unwritable",
            )
        if self.path.is_dir():
            raise UsageError(gettext("{path} is a folder; name a file in it", path=self.path), code="output.exists")
        if not self.path.exists() and not self.path.is_symlink():
            return
        if not self.replace:
            raise self.taken()
        if not is_saved_plan(self.path):
            raise UsageError(
                gettext("{path} is no saved plan, so it is not overwritten; name another file", path=self.path),
                code="output.exists",
            )

    def taken(self) -> UsageError:
        """The error that there is such a file."""
        return UsageError(
            gettext("{path} exists already; --force overwrites an older plan, or name another file", path=self.path),
            code="output.exists",
        )


def save_plan(target: PlanTarget, pipeline: Pipeline, job: Job, problems: ProblemLog) -> SavedTo:
    """Keeps a plan in a file for the owner only, whole or not at all.

    Args:
        target: where.
        pipeline: what it was made with.
        job: the job that it is of; its id becomes the plan's.
        problems: the sheet's problems.

    Raises:
        UsageError: there is such a file.
        PlanFileError: it cannot be written.
    """

    def write(file: BinaryIO) -> None:
        write_plan(
            file,
            _header(pipeline, job.record),
            problems=problems,
            groups_to_create=job.plan.groups_to_create(),
            groups=job.plan.existing_groups(),
            changes=job.plan.changes(),
        )

    try:
        with NewFile(target.path.parent, private=True) as file:
            file.fill(write)
            if not file.becomes(target.path, replace=target.replace):
                raise target.taken()
    except OSError as error:
        raise PlanFileError(
            gettext("{path} cannot be written: {error}", path=target.path, error=why_not(error, target.path)),
            code="output.unwritable",
        ) from None
    return SavedTo(id=job.id, path=str(target.path))


def _header(pipeline: Pipeline, job: JobRecord) -> PlanHeader:
    return PlanHeader(
        id=job.id,
        made=job.started,
        musterroll=metadata.version("musterroll"),
        pipeline=PlannedPipeline(
            name=pipeline.name,
            file=None if pipeline.file is None else str(pipeline.file),
            folder=str(pipeline.folder),
            profile=pipeline.profile,
            sets=pipeline.set_options,
            sha256=pipeline.settings_sha256,
        ),
        plugins=pipeline.plugins,
        backend=PlannedBackend(use=pipeline.backend.component.name, identity=job.identity),
        sheet=job.sheet,
        counts=job.counts,
    )
