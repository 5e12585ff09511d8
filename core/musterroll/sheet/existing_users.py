"""Sheets of users whom the portal has already: their passwords are not known, and need not be."""

from __future__ import annotations

from dataclasses import replace

from musterroll.contract.fields import PASSWORD, FieldSet
from musterroll.contract.rows import Row
from musterroll.contract.translation import gettext_noop, in_every_language
from musterroll.pipeline.pipeline import Pipeline

MAY_STAY_EMPTY = gettext_noop("May stay empty for users who exist already.")
"""Stands in the guidance below the password's heading, translated. It is read again, in whatever language."""


def is_for_existing_users(guidance: Row) -> bool:
    """Whether a row of guidance says so, whatever else stands in the cell and however it is broken into lines."""
    cell = guidance.secret(PASSWORD)
    return cell is not None and says_may_stay_empty(cell.reveal())


def says_may_stay_empty(text: str) -> bool:
    """Whether a text of guidance says so."""
    words = " ".join(text.split())
    return any(said in words for said in in_every_language(MAY_STAY_EMPTY))


def for_existing_users(pipeline: Pipeline) -> Pipeline:
    """The pipeline as such a sheet wants it: who is new needs a password, if anybody does."""
    settings = pipeline.settings
    if settings.password.required != "always":
        return pipeline
    password = settings.password.model_copy(update={"required": "new"})
    fields = (replace(one, required=one.required and one.name != PASSWORD) for one in pipeline.fields.values())
    return replace(pipeline, settings=settings.model_copy(update={"password": password}), fields=FieldSet(fields))
