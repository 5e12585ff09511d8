"""Writes what a sheet calls the columns into the pipeline file: `pipeline map`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from musterroll.commands.first_sheet import column_records, look_at_sheet
from musterroll.contract.fields import Field
from musterroll.contract.translation import gettext
from musterroll.errors import MusterrollError, UsageError
from musterroll.pipeline.pipeline import Pipeline
from musterroll.sheet.layout import FoundColumn
from musterroll.sheet.synonyms import Reason
from musterroll.written.new_file import NewFile, why_not


@dataclass(frozen=True, slots=True)
class Mapped:
    """What `pipeline map` did.

    Attributes:
        path: the pipeline file.
        aliases: the headings that were written, by field.
        columns: all that was found.
        missing: the headings of the fields that have no column.
    """

    path: Path
    aliases: Mapping[str, tuple[str, ...]]
    columns: tuple[FoundColumn, ...]
    missing: tuple[str, ...]

    def members(self) -> dict[str, Any]:
        """Its members of the JSON document."""
        aliases = {name: list(headings) for name, headings in self.aliases.items()}
        return {"aliases": aliases, "columns": column_records(self.columns), "missing": list(self.missing)}


def map_columns(pipeline: Pipeline, path: Path, *, chosen: Mapping[str, str] | None = None) -> Mapped:
    """Writes what a sheet calls the pipeline's columns into the pipeline file, as aliases. Its comments stay.

    Args:
        pipeline: the pipeline; only what its file says itself is changed.
        path: the sheet.
        chosen: the headings that a person has chosen, by field; None for those that are found.

    Raises:
        UsageError: there is no pipeline file.
        SourceError: the sheet cannot be read.
        MusterrollError: the file cannot be written.
    """
    if pipeline.file is None:
        raise UsageError(gettext("there is no pipeline file to write to; `musterroll init DIR --from SHEET` makes one"))
    layout = look_at_sheet(pipeline, path, heading_row=pipeline.settings.sheet.heading_row).layout
    if chosen is not None:
        aliases = {name: (heading,) for name, heading in chosen.items()}
    else:
        aliases = {
            one.field: (one.heading,)
            for one in layout.columns
            if one.field is not None and one.reason is not Reason.HEADING and not pipeline.fields[one.field].omitted
        }
    if aliases:
        _write_aliases(pipeline.file, pipeline.fields, aliases)
    found = {one.field for one in layout.columns} | aliases.keys()
    missing = [one.heading for one in pipeline.fields.values() if one.needs_column and one.name not in found]
    return Mapped(pipeline.file, aliases, layout.columns, tuple(missing))


def _write_aliases(file: Path, fields: Mapping[str, Field], aliases: Mapping[str, Sequence[str]]) -> None:
    # An array replaces an inherited one.
    whole = {name: [*fields[name].aliases, *headings] for name, headings in aliases.items()}
    text = file.read_text(encoding="utf-8")
    changed = _with_aliases(text, whole)
    wanted = tomllib.loads(text)
    wanted.setdefault("sheet", {}).setdefault("aliases", {}).update(whole)
    if tomllib.loads(changed) != wanted:
        raise MusterrollError(
            gettext("{file} is written in a way that cannot be changed here; add sheet.aliases by hand", file=file)
        )

    def write(target: BinaryIO) -> None:
        target.write(changed.encode())

    try:
        with NewFile(file.parent, private=True) as new:
            new.fill(write)
            new.becomes(file, replace=True)
    except OSError as error:
        raise MusterrollError(
            gettext("{file} cannot be written: {error}", file=file, error=why_not(error, file)),
            code="output.unwritable",
        ) from None


def _with_aliases(text: str, aliases: Mapping[str, Sequence[str]]) -> str:
    """The text of a pipeline file with further aliases, in the way in which it writes its settings of the sheet."""
    import tomlkit  # noqa: PLC0415 -- only this command needs it
    from tomlkit.items import InlineTable  # noqa: PLC0415 -- likewise

    document = tomlkit.parse(text)
    sheet = document.setdefault("sheet", tomlkit.table())
    # A header [sheet.aliases] there would take the lines that follow into its table.
    on_one_line = isinstance(sheet, InlineTable) or any(
        key is not None and key.key == "sheet" and key.is_dotted() for key, _ in document.body
    )
    table = sheet.setdefault("aliases", tomlkit.inline_table() if on_one_line else tomlkit.table())
    for name, headings in aliases.items():
        table[name] = list(headings)
    return tomlkit.dumps(document)
