"""Sheets of users whom the portal has already, which say so themselves, in the guidance below their headings.

Their passwords are not known, and need not be; and who is inactive there is in the sheet to be looked at, not to come
back. These sentences are read again, in whatever language.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from musterroll.contract.fields import PASSWORD, FieldSet
from musterroll.contract.rows import Row
from musterroll.contract.translation import gettext_noop, in_every_language
from musterroll.pipeline.pipeline import Pipeline

MAY_STAY_EMPTY = gettext_noop("May stay empty for users who exist already.")
"""Stands in the guidance below the password's heading."""

STAY_INACTIVE = gettext_noop("Whoever is deactivated in the portal stays so.")
"""Stands in the guidance below any heading."""


def said_in(text: str) -> Sequence[str]:
    """Returns which of these sentences a text of guidance says, however it is broken into lines."""
    words = " ".join(text.split())
    return [one for one in (MAY_STAY_EMPTY, STAY_INACTIVE) if any(said in words for said in in_every_language(one))]


def is_for_existing_users(guidance: Row) -> bool:
    """Whether a row of guidance says that passwords may stay empty, whatever else stands in the cell."""
    cell = guidance.secret(PASSWORD)
    return cell is not None and MAY_STAY_EMPTY in said_in(cell.reveal())


def keeps_inactive(guidance: Row, fields: FieldSet) -> bool:
    """Whether a row of guidance says that whoever is inactive stays so."""
    return any(STAY_INACTIVE in said_in(guidance[name]) for name, field in fields.items() if not field.secret)


def for_existing_users(pipeline: Pipeline) -> Pipeline:
    """The pipeline as a sheet wants it whose passwords may stay empty: who is new needs one, if anybody does."""
    settings = pipeline.settings
    if settings.password.required != "always":
        return pipeline
    password = settings.password.model_copy(update={"required": "new"})
    fields = (replace(one, required=one.required and one.name != PASSWORD) for one in pipeline.fields.values())
    return replace(pipeline, settings=settings.model_copy(update={"password": password}), fields=FieldSet(fields))


def for_inactive_users(pipeline: Pipeline) -> Pipeline:
    """The pipeline as a sheet wants it in which whoever is inactive stays so."""
    return replace(pipeline, settings=pipeline.settings.model_copy(update={"on_inactive": "update"}))
