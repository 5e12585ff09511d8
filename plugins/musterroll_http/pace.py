"""When the next request may go: after a pause, when its turn comes, and as long as nothing has stopped everything."""

from __future__ import annotations

import asyncio
import datetime as dt
import random
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from musterroll import Context, MusterrollError
from musterroll_http.answer import HttpAnswer
from musterroll_http.errors import HttpError

_LONGEST_WAIT = 30.0
_GLANCE_SECONDS = 0.2
_MOST = 1e8  # a moment that can still be added to the present one
# What some servers say instead of Retry-After, where there were too many requests.
_RESETS = ("X-Rate-Limit-Reset", "X-RateLimit-Reset", "RateLimit-Reset")
_IN_MILLISECONDS = ("Retry-After-Ms", "X-Ms-Retry-After-Ms")
_A_MOMENT = 1e9  # in seconds since 1970: in 2001; nobody is asked to wait for so long
_NUMBER = re.compile(r"[0-9]{1,15}")


class Pace:
    """The pace of all requests to one server.

    Args:
        context: of the plugin.
        name: of the server.
        per_second: not more requests than these; None for as many as can be.
        first_wait: so many seconds are waited before the first repetition.
        all_wait: where the server wants to be left alone by one request, the others wait as well.
    """

    def __init__(
        self, context: Context, name: str, per_second: float | None, first_wait: float, *, all_wait: bool
    ) -> None:
        self._all_wait = all_wait
        self._context, self._name, self._per_second, self._first_wait = context, name, per_second, first_wait
        self._next_turn = self._quiet_until = 0.0
        self.stopped: MusterrollError | None = None

    async def turn(self, *, certain: bool) -> None:
        """Waits until the server wants to be asked again, and for the next of so many requests in a second.

        Args:
            certain: whether the request has certainly done nothing so far.

        Raises:
            HttpError: there is no use in waiting.
        """
        self._go_on(certain=certain)
        while (left := self._quiet_until - time.monotonic()) > 0:
            await self.pause(left, certain=certain)
        if self._per_second is None:
            return
        now = time.monotonic()
        mine = self._next_turn = max(now, self._next_turn)
        self._next_turn += 1 / self._per_second
        if mine > now:
            await asyncio.sleep(mine - now)

    async def pause(self, seconds: float, *, certain: bool) -> None:
        """Waits; see `turn`."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if self._context.cancelled.is_set():
                raise HttpError(f"interrupted while {self._name} was busy", certain=certain)
            self._go_on(certain=certain)
            await asyncio.sleep(min(left, _GLANCE_SECONDS))

    def _go_on(self, *, certain: bool) -> None:
        if self.stopped is not None:
            raise HttpError(self.stopped.message, certain=certain)

    def asked_for(self, answer: HttpAnswer) -> float | None:
        """How many seconds the server wants to be left alone; None where it does not say."""
        headers, now = answer.headers, self._context.clock()
        seconds = wait_seconds(headers.get("Retry-After"), now, headers.get("Date"))
        if seconds is None:
            seconds = _milliseconds(headers)
        if seconds is None and answer.asks_to_wait:
            seconds = _until_reset(headers, now)
        return seconds

    def leave_alone(self, seconds: float) -> float:
        """Returns a little more than the server asks for: not all come back at the same moment."""
        if self._all_wait:
            self._quiet_until = max(self._quiet_until, time.monotonic() + seconds)
        return seconds + random.uniform(0, 0.1 + seconds / 10)  # noqa: S311 -- no secret

    def back_off(self, attempt: int) -> float:
        """How long to wait before an attempt, where the server does not say: twice as long each time, not quite."""
        longest = min(_LONGEST_WAIT, self._first_wait * 2.0 ** (attempt - 1))
        return random.uniform(longest / 2, longest)  # noqa: S311 -- no secret


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


def _milliseconds(headers: Mapping[str, str]) -> float | None:
    found = next((text for name in _IN_MILLISECONDS if (text := headers.get(name)) is not None), "")
    return min(int(found) / 1000, _MOST) if _NUMBER.fullmatch(found) else None


def _until_reset(headers: Mapping[str, str], now: dt.datetime) -> float | None:
    """Reads when a limit ends: seconds from now, or, where it is a large number, since 1970."""
    found = next((text for name in _RESETS if (text := headers.get(name)) is not None), "")
    if not _NUMBER.fullmatch(found):
        return None
    number = float(found)
    if number > _A_MOMENT:
        number /= 1000 if number > _A_MOMENT * 1000 else 1
        number -= (_moment(headers.get("Date", "")) or now).timestamp()
    return min(max(0.0, number), _MOST)


def _moment(text: str) -> dt.datetime | None:
    try:
        at = parsedate_to_datetime(text.strip())
    except (TypeError, ValueError, OverflowError):
        return None
    return at.replace(tzinfo=dt.UTC) if at.tzinfo is None else at
