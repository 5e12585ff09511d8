"""How long a server wants to be left alone."""

from __future__ import annotations

import datetime as dt
from email.utils import parsedate_to_datetime

_MOST = 1e9  # a moment that can still be added to the present one


def wait_seconds(retry_after: str | None, now: dt.datetime) -> float | None:
    """Reads a Retry-After header: seconds, or a date; None where it is absent or unreadable."""
    if retry_after is None:
        return None
    text = retry_after.strip()
    if text.isascii() and text.replace(".", "", 1).isdigit():
        return min(float(text), _MOST)
    try:
        at = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=dt.UTC)
    return min(max(0.0, (at - now).total_seconds()), _MOST)
