"""How long a server wants to be left alone."""

from __future__ import annotations

import datetime as dt
from email.utils import parsedate_to_datetime

_MOST = 1e9  # a moment that can still be added to the present one


def wait_seconds(retry_after: str | None, now: dt.datetime, said_at: str | None = None) -> float | None:
    """Reads a Retry-After header: seconds, or a date; None where it is absent or unreadable.

    Args:
        retry_after: the header.
        now: our time.
        said_at: the answer's own Date header: its clock is the one that a date in Retry-After is of, not ours.
    """
    if retry_after is None:
        return None
    text = retry_after.strip()
    if text.isascii() and text.replace(".", "", 1).isdigit():
        return min(float(text), _MOST)
    at = _moment(text)
    if at is None:
        return None
    return min(max(0.0, (at - (_moment(said_at or "") or now)).total_seconds()), _MOST)


def _moment(text: str) -> dt.datetime | None:
    try:
        at = parsedate_to_datetime(text.strip())
    except (TypeError, ValueError, OverflowError):
        return None
    return at.replace(tzinfo=dt.UTC) if at.tzinfo is None else at
