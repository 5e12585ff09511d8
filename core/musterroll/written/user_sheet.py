"""The sheet of a pipeline, blank or with users in it: its headings, its guidance, its rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from musterroll.contract.cells import SheetRow
from musterroll.contract.drafts import Draft
from musterroll.contract.fields import PASSWORD, USERNAME
from musterroll.contract.translation import gettext, gettext_noop
from musterroll.pipeline.pipeline import Pipeline
from musterroll.pipeline.sheet_settings import SheetSettings
from musterroll.sheet.existing_users import MAY_STAY_EMPTY, STAY_INACTIVE, for_existing_users
from musterroll.written.column_guide import ColumnGuide, GuidedColumn

_WORKSHEET = gettext_noop("Users")


def user_sheet(
    pipeline: Pipeline, users: Iterable[Mapping[str, str]], *, existing: bool = False, keeps_inactive: bool = False
) -> Draft:
    """Makes the sheet of a pipeline.

    Args:
        pipeline: the pipeline.
        users: their values by the names of the fields. May stream.
        existing: whether the portal has these users: then the guidance says that their passwords may stay empty.
        keeps_inactive: whether it says as well that whoever is inactive stays so.

    Raises:
        PluginError: a rule broke that was asked what it will ask of people.
    """
    pipeline = for_existing_users(pipeline) if existing else pipeline
    guide = ColumnGuide(pipeline)
    # A username that was made is written where it says who somebody is.
    fields = [
        field
        for field in pipeline.fields.values()
        if field.has_column or (existing and field.make is not None and not field.omitted)
    ]
    says: dict[str, Sequence[str]] = {PASSWORD: [MAY_STAY_EMPTY]} if existing else {}
    if keeps_inactive:
        who = [field.name for field in fields if field.name != PASSWORD]
        says[USERNAME if USERNAME in who else who[0]] = [STAY_INACTIVE]
    columns = [guide.column(field, says.get(field.name, ())) for field in fields]
    settings = pipeline.settings.sheet
    return Draft(
        columns=tuple(one.column for one in columns),
        heading_row=settings.heading_row,
        first_row=settings.first_row,
        rows=_rows(settings, columns, users),
        worksheet=settings.worksheet or gettext(_WORKSHEET),
        outlives_programs=existing,
    )


def has_guidance(settings: SheetSettings) -> bool:
    """Whether there is a row between the headings and the first user."""
    return settings.first_row > settings.heading_row + 1


def _rows(
    settings: SheetSettings, columns: Sequence[GuidedColumn], users: Iterable[Mapping[str, str]]
) -> Iterator[SheetRow]:
    yield SheetRow(settings.heading_row, tuple(one.column.heading for one in columns))
    if has_guidance(settings) and any(one.guidance for one in columns):
        yield SheetRow(settings.heading_row + 1, tuple(one.guidance or None for one in columns))
    for number, user in enumerate(users, settings.first_row):
        yield SheetRow(number, tuple(user.get(one.field) for one in columns))
