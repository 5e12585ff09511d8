"""The file of rejected rows: where it goes, and that it is there before anything is written to the portal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import chain, count
from pathlib import Path
from typing import cast

from musterroll.drafting import WritableFormat, format_of_name, writable_formats, write_draft
from musterroll.errors import MusterrollError, UsageError
from musterroll.intake import Intake
from musterroll.journal.jobs import JobRecord
from musterroll.journal.journal import Journal
from musterroll.journal.rejected_rows import rejected_rows
from musterroll.label import Label
from musterroll.model.cells import SheetRow
from musterroll.model.drafts import Draft
from musterroll.pipeline.pipeline import Instance, Pipeline
from musterroll.plugin.components import ReaderType
from musterroll.plugin.options import Options
from musterroll.sheet.rejected import RejectedSheet

_OPTION = "--rejected"
_SIMPLE = "csv"  # what the rows are written as where nothing writes the sheet's own format
_EARLIER = re.compile(r"(.+)\.rejected(-\d+)?")


def check_place(pipeline: Pipeline, wanted: Path | None) -> None:
    """Checks before any work is done whether the rejected rows can go where a person wants them.

    Raises:
        UsageError: they cannot.
    """
    if wanted is None:
        return
    if pipeline.settings.on_error == "abort":
        raise UsageError(
            f'{_OPTION} is for on_error = "skip", e.g. --set on_error=skip; as it is, one bad row keeps everything out'
        )
    format_of_name(pipeline, wanted, _OPTION)
    if wanted.exists():
        raise UsageError(f"{_OPTION} {wanted}: there is such a file already; name another", code="output.exists")


@contextmanager
def rejected_file(
    pipeline: Pipeline, journal: Journal, job: JobRecord, sheet: Path, wanted: Path | None
) -> Iterator[Path]:
    """Writes the rejected rows of a planned job to a file; takes it away again if what is done inside fails.

    Args:
        pipeline: the pipeline.
        journal: where the plan is, with its problems.
        job: the job.
        sheet: where the sheet is now.
        wanted: where the rows go; None for a new file beside the sheet.

    Yields:
        The absolute path of the file.

    Raises:
        MusterrollError: it cannot be written.
        RefusedError: the sheet has changed since it was planned.
    """
    intake = Intake(pipeline, sheet)
    form = _format(pipeline, intake) if wanted is None else format_of_name(pipeline, wanted, _OPTION)
    paths = _names(intake.source.path, form) if wanted is None else (wanted,)
    with _draft(pipeline, journal, job, intake) as draft:
        try:
            path = write_draft(pipeline, form, draft, paths, private=True, replace=False).absolute()
        except MusterrollError as error:
            raise MusterrollError(
                f"the rejected rows cannot be kept, so nothing was written: {error.message} "
                f"(name another file with {_OPTION})",
                code=error.code,
            ) from error.__cause__
    try:
        yield path
    except BaseException:
        remove_rejected_file(str(path))
        raise


def remove_rejected_file(path: str | None) -> None:
    """Takes the file of a job away that did not happen after all."""
    if path is not None:
        with suppress(OSError):
            Path(path).unlink()


def _format(pipeline: Pipeline, intake: Intake) -> WritableFormat:
    formats = {one.name: one for one in writable_formats(pipeline)}
    found = formats.get(intake.summary.reader) or formats.get(_SIMPLE)
    if found is None:  # a pipeline whose one reader has no writer
        component = cast("ReaderType[Options]", pipeline.registry.find("reader", _SIMPLE))
        label = Label(f"readers.{_SIMPLE}", pipeline.registry.plugin_of(component).short)
        found = WritableFormat.of(Instance(label, component, component.options()))
        assert found is not None
    return found


def _names(sheet: Path, form: WritableFormat) -> Iterator[Path]:
    """Yields `staff.rejected.xlsx`, `staff.rejected-2.xlsx`, … beside the sheet, also where it is such a file."""
    earlier = _EARLIER.fullmatch(sheet.stem)
    name = f"{earlier[1] if earlier else sheet.stem}.rejected"
    suffix = sheet.suffix if form.suits(sheet) else form.suffix
    yield sheet.with_name(f"{name}{suffix}")
    for number in count(2):
        yield sheet.with_name(f"{name}-{number}{suffix}")


@contextmanager
def _draft(pipeline: Pipeline, journal: Journal, job: JobRecord, intake: Intake) -> Iterator[Draft]:
    settings = pipeline.settings.sheet
    with intake.as_it_is(job.sheet.sha256) as (info, rows):
        top: list[SheetRow] = []
        for row in rows:
            top.append(row)
            if row.number >= settings.heading_row:
                break
        headings = next((row.cells for row in top if row.number == settings.heading_row), ())
        sheet = RejectedSheet(headings, settings, pipeline.fields, intake.source.name)
        yield Draft(
            columns=sheet.columns,
            heading_row=settings.heading_row,
            first_row=settings.first_row,
            rows=sheet.rows(chain(top, rows), rejected_rows(journal, job.id)),
            worksheet=info.worksheet,
            like=intake.source,
        )
