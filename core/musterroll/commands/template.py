"""`template`: the blank sheet of a pipeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from musterroll.contract.text import these_are
from musterroll.contract.translation import gettext
from musterroll.errors import UsageError
from musterroll.pipeline.pipeline import Pipeline
from musterroll.written.column_guide import ColumnGuide
from musterroll.written.new_sheet import WritableFormat, format_of_name, refuse_existing, writable_formats, write_draft
from musterroll.written.user_sheet import user_sheet

_USUAL = "xlsx"  # the format that nobody asked for by name, where it can be written


class WrittenSheet(NamedTuple):
    """A sheet that was written: where, and in which format."""

    path: Path
    format: str

    def members(self) -> dict[str, Any]:
        """Its members of the JSON document."""
        return {"template": {"path": str(self.path), "format": self.format}}


def column_guidance(pipeline: Pipeline) -> dict[str, str]:
    """Says what goes into each column of a sheet, in the words of a blank one: by the name of its field.

    Raises:
        PluginError: a rule broke while it was built, or was asked.
    """
    guide = ColumnGuide(pipeline)
    return {one.name: guide.column(one).guidance for one in pipeline.fields.values() if one.has_column}


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
    refuse_existing(path, replace=replace)
    draft = user_sheet(pipeline, users)
    return WrittenSheet(write_draft(pipeline, found, draft, [path], private=False, replace=replace), found.name)


def _format(pipeline: Pipeline, path: Path | None, form: str | None) -> WritableFormat:
    formats = {one.name: one for one in writable_formats(pipeline)}
    if not formats:
        raise UsageError(gettext("none of this pipeline's readers can write a sheet"), code="output.unsupported")
    if form is None and path is not None:
        return format_of_name(pipeline, path, "-o")
    if form is None:
        return formats.get(_USUAL) or next(iter(formats.values()))
    if form not in formats:
        raise UsageError(
            gettext(
                '"{form}" is no format that this pipeline can write{names}', form=form, names=these_are(form, formats)
            ),
            code="output.unsupported",
        )
    if path is not None and not formats[form].suits(path) and any(one.suits(path) for one in formats.values()):
        raise UsageError(
            gettext("--as {form} does not fit the name {path}; leave one of them out", form=form, path=path),
            code="output.unsupported",
        )
    return formats[form]
