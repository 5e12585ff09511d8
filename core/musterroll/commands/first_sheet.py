"""What a sheet of a new customer looks like, and the settings that take it: for `init --from`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

from musterroll.contract.fields import CALLING_CODE, PASSWORD, PHONE, USERNAME, FieldType
from musterroll.contract.roles import AmbiguousWorksheetError
from musterroll.contract.source import Source
from musterroll.contract.translation import gettext, gettext_noop
from musterroll.errors import SourceError
from musterroll.pipeline.pipeline import Pipeline
from musterroll.sheet.blocks import filled_blocks, rows_of
from musterroll.sheet.layout import FoundColumn, SheetLayout, find_layout
from musterroll.sheet.readers import choose_reader, open_sheet
from musterroll.sheet.synonyms import Reason

_EMAIL = "email"
_LONGEST_NAME = 60  # characters
_BECAUSE = {
    Reason.HEADING: gettext_noop("and another column could be it as well"),
    Reason.SYNONYM: gettext_noop("and another column could be it as well, or it holds whole names"),
    Reason.NEAR: gettext_noop("as the heading is nearly that"),
    Reason.CONTENT: gettext_noop("by what it holds"),
}


@dataclass(frozen=True, slots=True)
class FoundSheet:
    """A sheet, and what was found out about it.

    Attributes:
        path: the file.
        format: `csv`, `xlsx`, …
        worksheet: the one that the users are in; None for formats without.
        worksheets: those that can be seen and hold headings, where the workbook has several; of one alone none.
        encoding: that of a text file.
        is_guess: whether the encoding is a guess.
        layout: headings and columns.
    """

    path: Path
    format: str
    worksheet: str | None
    worksheets: tuple[str, ...]
    encoding: str | None
    is_guess: bool
    layout: SheetLayout


@dataclass(frozen=True, slots=True)
class FirstSheet:
    """What to write into a new pipeline file, so that it takes a customer's sheet.

    Attributes:
        found: the sheet.
        settings: the tables of the pipeline file.
        doubts: what a person should look at, a sentence each.
    """

    found: FoundSheet
    settings: Mapping[str, Any]
    doubts: tuple[str, ...]

    def members(self) -> dict[str, Any]:
        """Its members of the JSON document."""
        return {"columns": column_records(self.found.layout.columns), "doubts": list(self.doubts)}


def first_sheet(pipeline: Pipeline, path: Path) -> FirstSheet:
    """Finds out how to take a sheet that nobody has described yet.

    Args:
        pipeline: what to begin with: its fields are looked for.
        path: the sheet.

    Raises:
        SourceError: the file cannot be read, or holds no headings.
        PluginError: a reader broke.
    """
    found = look_at_sheet(pipeline, path, heading_row=None)
    return FirstSheet(found, _settings(found, pipeline), tuple(_doubts(found, pipeline)))


def look_at_sheet(pipeline: Pipeline, path: Path, heading_row: int | None) -> FoundSheet:
    """Finds out how a sheet is laid out; of several worksheets, the one in which most columns are known.

    Args:
        pipeline: its fields are looked for.
        path: the sheet.
        heading_row: the row of the headings, where it is known.

    Raises:
        SourceError: the file cannot be read, or holds no headings.
        PluginError: a reader broke.
    """
    source = Source(path)
    name, reader = choose_reader(source, pipeline.build_readers())
    fields = list(pipeline.fields.values())

    def look(worksheet: str | None) -> FoundSheet:
        with open_sheet(source, name, reader, worksheet) as sheet:
            info = sheet.info
            if fault := next((one for one in info.problems if one.is_error), None):
                raise SourceError(f"{path}: {fault.message}", code=fault.code)
            try:
                layout = find_layout(rows_of(filled_blocks(sheet, name)), fields, heading_row=heading_row)
            except ValueError as error:
                raise SourceError(
                    gettext("{path} holds no headings: {error}", path=path, error=error), code="source.no_headings"
                ) from None
        guess = info.guess is not None
        return FoundSheet(path, info.format, info.worksheet, (), info.encoding, guess, layout)

    try:
        return look(pipeline.settings.sheet.worksheet)
    except AmbiguousWorksheetError as error:
        return _best(error.names, look)


def _best(worksheets: Sequence[str], look: Callable[[str], FoundSheet]) -> FoundSheet:
    """Of several worksheets the one in which most columns are known."""
    found: list[FoundSheet] = []
    for worksheet in worksheets:
        with suppress(SourceError):
            found.append(look(worksheet))
    if not found:
        raise SourceError(gettext("no worksheet of the workbook holds headings"), code="source.no_headings")
    best = max(found, key=lambda one: len(_fields(one.layout)))
    return replace(best, worksheets=tuple(one.worksheet for one in found if one.worksheet is not None))


def _fields(layout: SheetLayout) -> set[str]:
    return {one.field for one in layout.columns if one.field is not None}


def _settings(found: FoundSheet, pipeline: Pipeline) -> dict[str, Any]:
    """The tables of a pipeline file that takes the sheet."""
    layout, own = found.layout, pipeline.settings.sheet
    sheet: dict[str, Any] = {}
    if found.worksheets:
        sheet["worksheet"] = found.worksheet
    if layout.heading_row != own.heading_row:
        sheet["heading_row"] = layout.heading_row
    if layout.first_row != own.first_row:
        sheet["first_row"] = layout.first_row
    composed = _is_composed(layout)
    omitted = [name for name in _absent(layout, pipeline) if not (name == USERNAME and composed)]
    if omitted:
        sheet["omit"] = omitted
    aliases = {
        one.field: [one.heading] for one in layout.columns if one.field is not None and one.reason is not Reason.HEADING
    }
    if aliases:
        sheet["aliases"] = aliases
    if composed:
        sheet["compose"] = {USERNAME: f"{{{_EMAIL}}}"}
    if fields := list(_own_fields(layout, pipeline)):
        sheet["fields"] = fields
    settings: dict[str, Any] = {"sheet": sheet} if sheet else {}
    if PASSWORD in omitted:
        settings["password"] = {"required": "never"}
    if found.is_guess:
        settings["readers"] = {found.format: {"encoding": found.encoding}}
    return settings


def _absent(layout: SheetLayout, pipeline: Pipeline) -> list[str]:
    """The fields of the pipeline that have no column and need one."""
    found = _fields(layout)
    return [one.name for one in pipeline.fields.values() if one.needs_column and one.name not in found]


def _is_composed(layout: SheetLayout) -> bool:
    """Whether users sign in with their addresses, as there is nothing else."""
    found = _fields(layout)
    return USERNAME not in found and _EMAIL in found


def _own_fields(layout: SheetLayout, pipeline: Pipeline) -> Iterator[dict[str, Any]]:
    """A field for each column that means nothing yet, and holds something."""
    names = set(pipeline.fields)
    for one in layout.columns:
        if one.field is not None or not one.filled:
            continue
        name = _field_name(one.heading, names)
        names.add(name)
        field: dict[str, Any] = {"name": name, "heading": one.heading}
        if one.found.type is not FieldType.TEXT:
            field["type"] = one.found.type.value
            if one.found.formats:
                field["formats"] = list(one.found.formats)
        elif one.choices:
            field["choices"] = list(one.choices)
        yield field


def _field_name(heading: str, taken: Collection[str]) -> str:
    """A name that a pipeline file takes: `cost_centre` of `Cost centre`."""
    ascii_only = unicodedata.normalize("NFKD", heading).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "_", ascii_only).strip("_")[:_LONGEST_NAME]
    if not name[:1].isalpha():
        name = f"column_{name}".rstrip("_")
    numbered = (f"{name}_{number}" for number in count(2))
    return name if name not in taken else next(one for one in numbered if one not in taken)


def _doubts(found: FoundSheet, pipeline: Pipeline) -> Iterator[str]:
    layout = found.layout
    if found.worksheets:
        yield gettext(
            'the workbook has several worksheets; "{worksheet}" looks most like a list of users',
            worksheet=found.worksheet,
        )
    if found.is_guess:
        yield gettext("the encoding {encoding} is a guess; look at names with accents", encoding=found.encoding)
    for one in layout.columns:
        if one.field is not None and not one.is_certain:
            yield gettext(
                'column {letter}, "{heading}", is taken for the {field}, {reason}',
                letter=one.letter,
                heading=one.heading,
                field=pipeline.fields[one.field].heading,
                reason=gettext(_BECAUSE[one.reason or Reason.CONTENT]),
            )
        elif one.field is None and not one.filled:
            yield gettext(
                'column {letter}, "{heading}", is empty and is left out', letter=one.letter, heading=one.heading
            )
        elif one.found.has_short_years:
            yield gettext(
                'column {letter}, "{heading}", holds dates whose years have two digits ({example}), and which century '
                'they mean is not certain: write type = "date", formats = [...] with {forms}, and first_year, e.g. '
                "first_year = 1930 where 30 to 99 are 1930 to 1999, and 00 to 29 are 2000 to 2029",
                letter=one.letter,
                heading=one.heading,
                example=one.found.example,
                forms=gettext(" or ").join(f'"{form}"' for form in one.found.others),
            )
        elif one.found.others:
            yield gettext(
                'column {letter}, "{heading}", holds dates of the form {forms}, and which one is not certain: write '
                'type = "date" and formats = [...] with the one that it is',
                letter=one.letter,
                heading=one.heading,
                forms=gettext(" or ").join(one.found.others),
            )
    absent = _absent(layout, pipeline)
    if _is_composed(layout):
        yield gettext("there is no username; the e-mail address is taken for it (sheet.compose)")
    elif USERNAME in absent:
        yield gettext("there is no username, and nothing to make one of: name the column under [sheet.aliases]")
    if PASSWORD in absent:
        yield gettext('there is no password; users are created without one (password.required = "never")')
    for name in absent:
        if pipeline.fields[name].required and name not in (USERNAME, PASSWORD):
            yield gettext(
                "there is no {field}, which is needed otherwise (sheet.omit)", field=pipeline.fields[name].heading
            )
    if PHONE not in absent and CALLING_CODE in absent and not layout.whole_phones:
        yield gettext(
            "the telephone numbers have neither a column for the calling code nor one in front; where all are of one "
            'country: take calling_code out of sheet.omit and write [sheet.defaults] calling_code = "44"'
        )


def column_records(columns: Sequence[FoundColumn]) -> list[dict[str, Any]]:
    """What was found of each column, for JSON."""
    return [
        {
            "column": one.letter,
            "heading": one.heading,
            "field": one.field,
            "reason": one.reason,
            "is_certain": one.is_certain,
        }
        for one in columns
    ]
