"""Sends one message: repeats what certainly was not done, and what may be repeated; stops where no other will do.

Everything here runs in the event loop of the notifier's pump.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import random
import time
from collections.abc import Mapping
from itertools import count
from typing import NamedTuple

from musterroll import Context, Message, Secret, Sent, SentStatus
from musterroll_http.line import LineError
from musterroll_http.retry import wait_seconds
from musterroll_plugins.notifiers.webhook.bodies import Bodies
from musterroll_plugins.notifiers.webhook.line import Answer, Line
from musterroll_plugins.notifiers.webhook.options import WebhookOptions
from musterroll_plugins.notifiers.webhook.signing import HEADER, signature

# Who wants to be left alone for longer is left alone, until somebody goes on.
_LONGEST_RETRY_AFTER = 300.0
_LONGEST_WAIT = 30.0
# A receiver that breaks at every message would make every one of them doubtful.
_MOST_DOUBTFUL = 3
# Before the receiver has ever answered, a wrong address is more likely than a bad moment.
_RETRIES_BEFORE_CONTACT = 1
_GLANCE_SECONDS = 0.2
# Worth another attempt: not in time, too early, too often, too busy.
_BUSY = (408, 425, 429, 503)
# Of these the receiver may have done it all the same: what it passed it on to, or what stands in between, says so.
_MAYBE_DONE = (408, 503)
_NEVER_DONE = (501, 505)


class _Missed(NamedTuple):
    """An attempt that did not succeed: whether it may have, whether another may, and when, if the receiver says."""

    text: str
    doubtful: bool
    again: bool
    wait: float | None = None


class Sender:
    """Sends the messages of one notifier.

    Args:
        options: of the notifier.
        context: of the notifier.
        line: to the receiver.
        headers: of every request.
        secret: what requests are signed with.
    """

    def __init__(
        self,
        options: WebhookOptions,
        context: Context,
        line: Line,
        headers: Mapping[str, str],
        secret: Secret | None,
    ) -> None:
        self._options, self._context, self._line = options, context, line
        self._headers, self._secret = headers, secret
        self._bodies = Bodies(options)
        self._contact = False
        self._doubtful = 0
        self._quiet_until = 0.0
        self.stopped: str | None = None

    async def send(self, message: Message) -> Sent:
        """Sends one message and says what became of it."""
        text, doubt = "it was not sent", False
        for attempt in count(1):
            if not await self._is_its_turn():
                break
            missed = await self._attempt(message)
            if missed is None:
                self._doubtful = 0
                return Sent(message.id, SentStatus.SENT)
            text, doubt = missed.text, doubt or missed.doubtful
            if not missed.again or (doubt and not self._options.repeatable):
                break
            retries = self._options.retries
            if attempt > (retries if self._contact else min(retries, _RETRIES_BEFORE_CONTACT)):
                if not doubt:  # not this message's fault
                    self.stopped = self.stopped or text
                break
            if not await self._pause(self._backoff(attempt) if missed.wait is None else missed.wait):
                break
        return self._given_up(message, text, doubt=doubt)

    async def close(self) -> None:
        """Lets go of all connections."""
        await self._line.close()

    async def _attempt(self, message: Message) -> _Missed | None:
        """Sends a message once; returns None where it arrived."""
        body = self._bodies.write(message)
        headers = {**self._headers, "Idempotency-Key": message.id}
        if self._secret is not None:
            headers[HEADER] = signature(self._secret, body, self._context.clock())
        try:
            answer = await self._line.send(self._options.method, body, headers)
        except LineError as error:
            self._contact |= error.sent
            if error.hopeless:
                self.stopped = error.text
            return _Missed(error.text, doubtful=error.sent, again=error.again and not error.hopeless)
        self._context.logger.debug("%s: %s", message.id, answer.status)
        self._contact = True
        if 200 <= answer.status < 300:
            return None
        certain = _is_certain(answer)
        again = answer.status in _BUSY or not certain
        wait = self._patience(answer) if again else None
        return _Missed(self._explained(answer), doubtful=not certain, again=again, wait=wait)

    def _explained(self, answer: Answer) -> str:
        """Says what an answer means; stops where it means the same for every other message."""
        host, status = self._line.host, answer.status
        says = f" ({status}: {answer.words})" if answer.words else f" ({status})"
        if 300 <= status < 400:
            self.stopped = f"{host} answers with a redirect ({status}); set url to the address that it leads to"
            return self.stopped
        if status == 401:
            self.stopped = f"{host} does not accept the token or password{says}; check it"
            return self.stopped
        if status in _BUSY:
            return f"{host} is too busy{says}; try again later"
        return f"{host} {'refused' if status < 500 else 'broke over'} it{says}"

    def _patience(self, answer: Answer) -> float | None:
        """How long to wait, where the receiver says so; nobody else asks it in the meantime."""
        seconds = wait_seconds(answer.retry_after, self._context.clock(), answer.date)
        if seconds is None:
            return None
        if seconds > _LONGEST_RETRY_AFTER:
            until = (self._context.clock() + dt.timedelta(seconds=seconds)).strftime("%Y-%m-%d %H:%M UTC")
            self.stopped = f"{self._line.host} wants to be left alone until {until}; go on then"
            return None
        self._quiet_until = max(self._quiet_until, time.monotonic() + seconds)
        return seconds + random.uniform(0, 0.1 + seconds / 10)  # noqa: S311 -- no secret; not all at the same moment

    def _backoff(self, attempt: int) -> float:
        longest = min(_LONGEST_WAIT, self._options.retry_wait * 2.0 ** (attempt - 1))
        return random.uniform(longest / 2, longest)  # noqa: S311 -- no secret

    async def _is_its_turn(self) -> bool:
        """Waits until the receiver wants to be asked again."""
        while (left := self._quiet_until - time.monotonic()) > 0:
            if not await self._pause(left):
                return False
        return True

    async def _pause(self, seconds: float) -> bool:
        """Waits; returns whether it is worth going on."""
        end = time.monotonic() + seconds
        while self.stopped is None and not self._context.cancelled.is_set():
            left = end - time.monotonic()
            if left <= 0:
                return True
            await asyncio.sleep(min(left, _GLANCE_SECONDS))
        return False

    def _given_up(self, message: Message, text: str, *, doubt: bool) -> Sent:
        if not doubt:
            return Sent(message.id, SentStatus.FAILED, text)
        self._doubtful += 1
        if self._doubtful >= _MOST_DOUBTFUL:
            self.stopped = self.stopped or f"{text}, {self._doubtful} times without a success; see whether it is well"
        return Sent(message.id, SentStatus.UNKNOWN, f"{text}: it may or may not have gone out")


def _is_certain(answer: Answer) -> bool:
    """Whether an answer that is no success says that nothing was done."""
    return answer.status not in _MAYBE_DONE and (answer.status < 500 or answer.status in _NEVER_DONE)
