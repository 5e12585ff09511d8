"""What people write behind options: rows, and times."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from musterroll import engine, gettext
from musterroll.errors import UsageError

if TYPE_CHECKING:
    from musterroll.engine import Pipeline

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}


def chosen_rows(users: Sequence[str] | None, rows: str | None, pipeline: Pipeline) -> engine.ChosenRows | None:
    """Makes what `--only` and `--rows` say; None for the whole sheet.

    Raises:
        UsageError: they cannot be understood.
    """
    if users and rows is not None:
        raise UsageError(gettext("--only and --rows both choose rows; leave one of them out"))
    if users:
        return engine.ChosenRows(users=tuple(users))
    if rows is None:
        return None
    found = re.fullmatch(r"\s*([0-9]{1,8})\s*(?:-\s*([0-9]{1,8})\s*)?", rows)
    if found is None:
        raise UsageError(
            gettext(
                "--rows {rows}: give the first and the last row as the sheet numbers them, e.g. 3-10, or one: 3",
                rows=rows,
            )
        )
    first, last = int(found[1]), int(found[2] or found[1])
    if last < first:
        raise UsageError(gettext("--rows {rows}: give the smaller number first", rows=rows))
    if last < pipeline.settings.sheet.first_row:
        raise UsageError(
            gettext(
                "--rows {rows}: the users of a sheet begin in row {first}",
                rows=rows,
                first=pipeline.settings.sheet.first_row,
            )
        )
    return engine.ChosenRows(first=first, last=last)


def seconds(text: str | None) -> float:
    """Reads `30s`, `10m`, `2h` or a number of seconds.

    Raises:
        UsageError: it is none of these.
    """
    if text is None:
        return 0.0
    found = re.fullmatch(r"([0-9]{1,6})([smh]?)", text.strip())
    if found is None:
        raise UsageError(gettext('--wait {text}: give a time, e.g. "30s", "10m" or "2h"', text=text))
    return float(int(found[1]) * _UNITS[found[2]])
