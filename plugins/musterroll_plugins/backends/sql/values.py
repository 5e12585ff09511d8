"""What a column makes of the text of a field, and the other way round."""

from __future__ import annotations

import datetime as dt
import re
import sys
import uuid
from typing import Any

from sqlalchemy import CHAR, Boolean, Column, Date, DateTime, Enum, Integer, String, Uuid

from musterroll import gettext
from musterroll_plugins.backends.typed_texts import INTEGER, TRUTHS

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class ValueMismatchError(ValueError):
    """A column does not take a text; the message is for the person."""


def nothing_given() -> str:
    """Says that a value is missing."""
    return gettext("The portal wants a value here; fill it in")


def takes_fields(column: Column[Any], *, truths: bool) -> bool:
    """Whether the texts of fields can be kept in a column.

    Args:
        column: the column.
        truths: whether they are truth values.
    """
    is_truth = isinstance(column.type, Boolean)  # which is an integer as well to the library
    return truths if is_truth else isinstance(column.type, String | Integer | Date | Uuid)


def plain_length(column: Column[Any]) -> int:
    """Returns how long a text may be that is written as it is where all of it can be printed; 0 where none is.

    For a fast way in front of `stored`: a sheet has such texts in most of its cells.
    """
    kind = column.type
    if not isinstance(kind, String) or isinstance(kind, Enum):
        return 0
    return sys.maxsize if kind.length is None else kind.length


def stored(column: Column[Any], text: str | None) -> Any:
    """Returns what is written for a text; for none, NULL, or what is empty where there must be something.

    Raises:
        ValueMismatchError: the column does not take it.
    """
    kind = column.type
    if not text:
        if column.nullable:
            return None
        if isinstance(kind, String) and not isinstance(kind, Enum):
            return ""
        raise ValueMismatchError(nothing_given())
    if _UNSTORABLE.search(text):
        raise ValueMismatchError(gettext("It has characters that cannot be stored; type it anew"))
    if isinstance(kind, Enum):
        if text not in kind.enums:
            message = "The portal takes only these: {choices}"
            raise ValueMismatchError(gettext(message, choices=", ".join(kind.enums)))
    elif isinstance(kind, String):
        if kind.length is not None and len(text) > kind.length:
            message = "The portal takes {length} characters at the most; shorten it"
            raise ValueMismatchError(gettext(message, length=kind.length))
    elif isinstance(kind, Boolean):
        if text not in TRUTHS:
            raise ValueMismatchError(gettext("The portal takes true or false here"))
        return TRUTHS[text]
    elif isinstance(kind, Integer):
        if text in TRUTHS:  # many a table keeps them as 1 and 0
            return int(TRUTHS[text])
        if not INTEGER.fullmatch(text):
            raise ValueMismatchError(gettext("The portal takes a whole number here"))
        return int(text)
    elif isinstance(kind, Date):
        try:
            return dt.date.fromisoformat(text)
        except ValueError:
            raise ValueMismatchError(gettext("The portal takes a date here, as 2026-12-31")) from None
    else:
        try:
            return uuid.UUID(text)
        except ValueError:
            raise ValueMismatchError(gettext("The portal takes a UUID here")) from None
    return text


def shown(column: Column[Any], value: Any) -> str | None:
    """Returns the text of what is stored; None for what is empty."""
    if value is None:
        return None
    if isinstance(column.type, Boolean):
        return "true" if value else "false"
    text = value.isoformat() if isinstance(value, dt.date) else str(value)
    return (text.rstrip(" ") if isinstance(column.type, CHAR) else text) or None


def key_of(column: Column[Any], ref: str) -> Any:
    """Returns the key that a ref means; None where there can be no such row."""
    try:
        return stored(column, ref)
    except ValueMismatchError:
        return None


def ref_of(key: Any) -> str:
    """Returns the ref of a key."""
    return str(key)


def moment(column: Column[Any], now: dt.datetime) -> Any:
    """Returns a time, in UTC, as a column keeps times."""
    kind = column.type
    if isinstance(kind, DateTime):
        return now if kind.timezone else now.replace(tzinfo=None)
    if isinstance(kind, Date):
        return now.date()
    return int(now.timestamp()) if isinstance(kind, Integer) else now.isoformat(timespec="seconds")
