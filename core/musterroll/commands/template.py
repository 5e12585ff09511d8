"""`template`: the blank sheet of a pipeline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from musterroll.contract.cells import SheetRow
from musterroll.contract.drafts import Draft
from musterroll.contract.text import did_you_mean
from musterroll.contract.translation import gettext, gettext_noop
from musterroll.errors import UsageError
from musterroll.pipeline.pipeline import Pipeline
from musterroll.pipeline.settings import SheetSettings
from musterroll.written.column_guide import ColumnGuide, GuidedColumn
from musterroll.written.new_sheet import WritableFormat, format_of_name, writable_formats, write_draft

_WORKSHEET = gettext_noop("Users")
_USUAL = "xlsx"  # the format that nobody asked for by name, where it can be written


class WrittenSheet(NamedTuple):
    """A sheet that was written: where, and in which format."""

    path: Path
    format: str

    def members(self) -> dict[str, Any]:
        """Its members of the JSON document."""
        return {"template": {"path": str(self.path), "format": self.format}}


def template(
    pipeline: Pipeline,
    path: Path | None = None,
    *,
    form: str | None = None,
    users: Sequence[Mapping[str, str]] = (),
    replace: bool = False,
) -> WrittenSheet:
    """Writes the sheet of a pipeline to be filled in: a blank one, or one that begins with some users.

    Args:
        pipeline: the pipeline.
        path: the file; None for one in the current folder that is called as the pipeline.
        form: the format; None for the one that the file's name asks for.
        users: their values by the names of the fields.
        replace: whether to write over a file that is there.

    Raises:
        UsageError: the format cannot be written, or the file exists.
        MusterrollError: the file cannot be written.
        PluginError: a rule broke that was asked what it will ask of people.
    """
    found = _format(pipeline, path, form)
    path = Path(f"{pipeline.name}{found.suffix}") if path is None else path
    if path.exists() and not replace:
        raise UsageError(
            f"there is a file {path} already; --force writes over it, -o names another", code="output.exists"
        )
    return _write(pipeline, found, path, users, replace=replace)


def _write(
    pipeline: Pipeline, form: WritableFormat, path: Path, users: Sequence[Mapping[str, str]], *, replace: bool
) -> WrittenSheet:
    guide = ColumnGuide(pipeline)
    fields = [field for field in pipeline.fields.values() if field.needs_column]
    columns = list(map(guide.column, fields))
    settings = pipeline.settings.sheet
    draft = Draft(
        columns=tuple(one.column for one in columns),
        heading_row=settings.heading_row,
        first_row=settings.first_row,
        rows=tuple(_rows(settings, columns, users)),
        worksheet=settings.worksheet or gettext(_WORKSHEET),
    )
    written = write_draft(pipeline, form, draft, [path], private=False, replace=replace)
    return WrittenSheet(written, form.name)


def _rows(
    settings: SheetSettings, columns: Sequence[GuidedColumn], users: Sequence[Mapping[str, str]]
) -> Iterator[SheetRow]:
    yield SheetRow(settings.heading_row, tuple(one.column.heading for one in columns))
    if settings.first_row > settings.heading_row + 1 and any(one.guidance for one in columns):
        yield SheetRow(settings.heading_row + 1, tuple(one.guidance or None for one in columns))
    for number, user in enumerate(users, settings.first_row):
        yield SheetRow(number, tuple(user.get(one.field) for one in columns))


def _format(pipeline: Pipeline, path: Path | None, form: str | None) -> WritableFormat:
    formats = {one.name: one for one in writable_formats(pipeline)}
    if not formats:
        raise UsageError("none of this pipeline's readers can write a sheet", code="output.unsupported")
    if form is None and path is not None:
        return format_of_name(pipeline, path, "-o")
    if form is None:
        return formats.get(_USUAL) or next(iter(formats.values()))
    if form not in formats:
        known = ", ".join(formats)
        raise UsageError(
            f'"{form}" is no format that this pipeline can write{did_you_mean(form, formats)}; these are: {known}',
            code="output.unsupported",
        )
    if path is not None and not formats[form].suits(path) and any(one.suits(path) for one in formats.values()):
        raise UsageError(f"--as {form} does not fit the name {path}; leave one of them out", code="output.unsupported")
    return formats[form]
