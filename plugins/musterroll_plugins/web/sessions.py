"""Who is signed in. Sessions live in memory: when the server ends, everybody is signed out."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from musterroll_plugins.web.people import Person

IDLE_SECONDS = 60 * 60
LONGEST_SECONDS = 10 * 60 * 60
_MOST = 1000  # sessions, and addresses that tried in vain
_TRIES, _TRIES_WITHIN = 10, 60.0


@dataclass(slots=True)
class Session:
    """One browser that was let in.

    Attributes:
        person: who.
        csrf: what every form must bring.
        began: by the monotonic clock.
        seen: likewise.
    """

    person: Person
    csrf: str
    began: float
    seen: float = field(compare=False)


class Sessions:
    """The sessions. A cookie's value is stored as its digest only.

    Args:
        clock: a monotonic clock, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._open: dict[bytes, Session] = {}

    def begin(self, person: Person) -> tuple[str, Session]:
        """Lets somebody in; returns the cookie's value, always a new one, and the session."""
        now = self._clock()
        self._open = {key: one for key, one in self._open.items() if self._is_alive(one, now)}
        while len(self._open) >= _MOST:
            self._open.pop(next(iter(self._open)))
        value = secrets.token_urlsafe(32)
        session = Session(person, secrets.token_urlsafe(32), now, now)
        self._open[_digest(value)] = session
        return value, session

    def find(self, value: str | None) -> Session | None:
        """The session of a cookie; None where it is unknown, or too old."""
        if not value:
            return None
        session, now = self._open.get(_digest(value)), self._clock()
        if session is None or not self._is_alive(session, now):
            return None
        session.seen = now
        return session

    def end(self, value: str | None) -> None:
        """Signs somebody out."""
        self._open.pop(_digest(value or ""), None)

    def _is_alive(self, session: Session, now: float) -> bool:
        return now - session.seen < IDLE_SECONDS and now - session.began < LONGEST_SECONDS


class OneTimeAddress:
    """The token of the address that lets one browser in, once.

    Args:
        renewed: told the next token, when one was used.
    """

    def __init__(self, renewed: Callable[[str], None]) -> None:
        self._renewed = renewed
        self.token = secrets.token_urlsafe(24)

    def use(self, token: str) -> bool:
        """Whether it is the token; then it is no longer."""
        if not secrets.compare_digest(token.encode(), self.token.encode()):
            return False
        self.token = secrets.token_urlsafe(24)
        self._renewed(self.token)
        return True


class Tries:
    """How often an address has tried in vain to come in.

    Args:
        clock: a monotonic clock, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failed: dict[str, deque[float]] = {}

    def are_too_many(self, address: str) -> bool:
        """Whether an address has to wait."""
        failed = self._failed.get(address, deque())
        while failed and self._clock() - failed[0] > _TRIES_WITHIN:
            failed.popleft()
        return len(failed) >= _TRIES

    def add(self, address: str) -> None:
        """Notes one."""
        while len(self._failed) >= _MOST:
            self._failed.pop(next(iter(self._failed)))
        self._failed.setdefault(address, deque(maxlen=_TRIES)).append(self._clock())


def _digest(value: str) -> bytes:
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).digest()
