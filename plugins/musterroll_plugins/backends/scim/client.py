"""HTTP with the portal: signing in, limits, retries, and when to stop trying.

Everything here runs in the event loop of the backend's pump.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import TypeVar
from urllib.parse import quote, urlencode

from musterroll import BackendError, BackendUnavailableError, Context, Secret
from musterroll_http.line import Line, LineError
from musterroll_http.retry import wait_seconds
from musterroll_http.tls import tls_context
from musterroll_plugins.backends.scim.answers import Answer, explained
from musterroll_plugins.backends.scim.gate import Gate
from musterroll_plugins.backends.scim.options import ScimOptions
from musterroll_plugins.backends.scim.paths import Json
from musterroll_plugins.backends.scim.signing_in import sign_in

_JSON = "application/scim+json"
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 30.0
# A portal that wants to be left alone for longer pauses the job.
_LONGEST_RETRY_AFTER = 300.0
# A portal that breaks over one request does so again; one that is about to come up says 502, 503 or 504.
_RETRIES_OF_500 = 2
# Before the portal has ever answered, a wrong address is more likely than a bad moment.
_RETRIES_BEFORE_CONTACT = 1
_GLANCE_SECONDS = 0.2
_KEEP_ALIVE_SECONDS = 4.0
_encode = json.JSONEncoder(separators=(",", ":")).encode  # json.dumps would make one each time
_BUSY = (429, 503)
_GATEWAY = (502, 504)

T = TypeVar("T")


class NoAnswerError(Exception):
    """A request got no answer that settles it.

    Attributes:
        certain: whether it certainly did nothing in the portal.
    """

    def __init__(self, text: str, *, certain: bool) -> None:
        super().__init__(text)
        self.text = text
        self.certain = certain


class BusyError(NoAnswerError):
    """The portal said to a POST that it is busy, which is no proof that it did nothing.

    Attributes:
        wait: so many seconds it wants to be left alone; None where it does not say.
    """

    def __init__(self, text: str, wait: float | None = None) -> None:
        super().__init__(text, certain=False)
        self.wait = wait


class Client:
    """Sends requests to one portal.

    Args:
        options: of the backend.
        context: of the backend.

    Raises:
        PipelineError: a secret cannot be read.
        BackendError: the certificate file cannot be read.
    """

    def __init__(self, options: ScimOptions, context: Context) -> None:
        self._options = options
        self._log = context.logger
        self._cancelled = context.cancelled
        self._clock = context.clock
        self._sign_in, self._secrets = sign_in(options, context, self._post_form)
        self._authorization: str | None = None
        tls = None if options.ca is None else tls_context(options.ca, BackendError)
        self._line = Line(tls, timeout=options.timeout, keep_alive=_KEEP_ALIVE_SECONDS, most=options.max_answer)
        self._slots = asyncio.Semaphore(options.concurrency)
        self._next_turn = 0.0
        self._answers = self._changes = 0
        self.gate = Gate()
        self.stopped: BackendError | None = None

    # -- asking ---------------------------------------------------------------------------------------------

    async def get(self, path: str, params: Mapping[str, str | int] | None = None) -> Answer:
        """Reads; see `request`."""
        return await self.request("GET", path, params=params)

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: Json = None,
        headers: Mapping[str, str] | None = None,
        hide: Sequence[Secret] = (),
        patient: bool = True,
    ) -> Answer:
        """Sends a request, and again where the portal was busy or it is not known what became of it.

        All but a POST, that is: one that may have arrived is not sent again here, see `once`.

        Args:
            method: POST is what must not be done twice.
            path: after the address of the service, with a leading slash.
            params: the query.
            body: sent as JSON.
            headers: besides the usual ones.
            hide: the passwords in it, which no answer may show.
            patient: whether it is repeated when the portal breaks over it.

        Returns:
            Any answer that repeating would not change.

        Raises:
            NoAnswerError: there was none; `BusyError` for a POST that `once` may repeat.
            BackendError: the portal cannot be used at all, and the same goes for every other request.
        """
        content = None if body is None else _encode(body).encode()
        url = self._options.url + path + (f"?{urlencode(params, quote_via=quote)}" if params else "")
        most = self._options.retries
        before, attempt, doubt, renewed = self._answers, 0, False, False
        while True:
            if self.stopped is not None:
                raise NoAnswerError(self.stopped.message, certain=not doubt)
            wait: float | None = None
            refused = self._authorization = await self._sign_in.header()
            try:
                answer = self.discreet(await self._once(method, url, content, refused, headers), hide)
            except LineError as error:
                doubt |= error.sent
                limit = most if self._answers else min(most, _RETRIES_BEFORE_CONTACT)
                once_only = method == "POST" and doubt
                if once_only or not error.again or attempt >= limit or (error.unknown and not self._answers):
                    exhausted = not once_only and error.again and self._answers == before
                    raise self._given_up(error.text, certain=not doubt, exhausted=exhausted) from None
            else:
                if answer.status == 401 and not renewed and await self._sign_in.renew(refused):
                    renewed = True
                    continue
                if not self._worth_repeating(method, answer.status, attempt, patient=patient):
                    return self._answered(answer, method)
                wait = self._patience(answer)
                if method == "POST":
                    raise BusyError(f"the portal is too busy: {answer.reason}", wait)
                doubt |= answer.status not in _BUSY
                if attempt >= most:
                    if answer.status == 500:
                        return self._answered(answer, method)
                    text = f"the portal is too busy: {answer.reason}"
                    raise self._given_up(text, certain=not doubt, exhausted=self._answers == before)
            attempt += 1
            await self._pause(_backoff(attempt) if wait is None else wait, certain=not doubt)

    async def once(self, send: Callable[[], Awaitable[T]], look: Callable[[], Awaitable[T | None]]) -> T:
        """Does what must not be done twice: after an answer that proves nothing it looks before it repeats.

        Args:
            send: sends the request.
            look: finds out what became of it; None where it was certainly not done.

        Returns:
            What `send` returned, or what `look` found.

        Raises:
            NoAnswerError: there was no answer that settles it.
            BackendError: the portal cannot be used at all.
        """
        before, attempt = self._changes, 0
        while True:
            try:
                return await send()
            except BusyError as error:
                attempt += 1
                if attempt > self._options.retries:
                    raise self._given_up(error.text, certain=False, exhausted=self._changes == before) from None
                await self._pause(_backoff(attempt) if error.wait is None else error.wait, certain=False)
            try:
                found = await look()
            except NoAnswerError as error:
                raise NoAnswerError(error.text, certain=False) from None
            if found is not None:
                return found

    def discreet(self, answer: Answer, hide: Sequence[Secret]) -> Answer:
        """Takes passwords, and what we sign in with, out of what the portal says of an error."""
        if answer.status < 400:
            return answer
        credentials = (self._authorization or "").partition(" ")[2]
        return answer.without([credentials, *(secret.reveal() for secret in (*self._secrets, *hide))])

    def _worth_repeating(self, method: str, status: int, attempt: int, *, patient: bool) -> bool:
        if status in _BUSY:
            return True
        if method == "POST":
            return False
        if status == 500:
            return patient and attempt < _RETRIES_OF_500 and status not in self._options.duplicate_status
        return status in _GATEWAY

    def _answered(self, answer: Answer, method: str) -> Answer:
        if answer.status in _GATEWAY:  # somebody else's answer
            raise self._given_up(f"the portal cannot be reached: {answer.reason}", certain=False, exhausted=False)
        self._answers += 1
        self._changes += method != "GET"
        if answer.status == 401:
            self.stop(explained(answer, "", self._options.url))
        return answer

    def _given_up(self, text: str, *, certain: bool, exhausted: bool) -> NoAnswerError:
        """Makes the error, and stops everything where it is the portal, not the request.

        Args:
            text: what happened.
            certain: whether the request certainly did nothing.
            exhausted: it was repeated as often as the options say, and meanwhile no other was answered either.
        """
        if exhausted:
            self.stop(BackendUnavailableError(text))
        return NoAnswerError(text, certain=certain)

    def _patience(self, answer: Answer) -> float | None:
        seconds = wait_seconds(answer.retry_after, self._clock(), answer.date)
        if seconds is not None and seconds > _LONGEST_RETRY_AFTER:
            until = (self._clock() + dt.timedelta(seconds=min(seconds, 1e8))).strftime("%Y-%m-%d %H:%M UTC")
            self.stop(BackendUnavailableError(f"the portal wants to be left alone until {until}; go on then"))
            return 0.0
        # A little later than asked, and not all at the same moment.
        return None if seconds is None else seconds + random.uniform(0, 0.1 + seconds / 10)  # noqa: S311 -- no secret

    # -- stopping -------------------------------------------------------------------------------------------

    def stop(self, error: BackendError) -> None:
        """Lets no further request out, and ends all waiting; the first reason stays."""
        if self.stopped is None:
            self.stopped = error

    def begin(self) -> None:
        """Gives the portal another chance."""
        self.stopped = None

    async def close(self) -> None:
        """Lets go of all connections."""
        await self._line.close()

    async def _pause(self, seconds: float, *, certain: bool) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if self._cancelled.is_set():
                raise NoAnswerError("interrupted while the portal was busy", certain=certain)
            if self.stopped is not None:
                raise NoAnswerError(self.stopped.message, certain=certain)
            await asyncio.sleep(min(left, _GLANCE_SECONDS))

    # -- the line -------------------------------------------------------------------------------------------

    async def _once(
        self, method: str, url: str, content: bytes | None, authorization: str | None, headers: Mapping[str, str] | None
    ) -> Answer:
        await self._turn()
        every = {"Accept": f"{_JSON}, application/json;q=0.9", **(headers or {})}
        if content is not None:
            every["Content-Type"] = _JSON
        if authorization is not None:
            every["Authorization"] = authorization
        async with nullcontext() if method == "GET" else self.gate.change(), self._slots:
            answer = await self._send(method, url, content, every)
        path = url.removeprefix(self._options.url).partition("?")[0]
        self._log.debug("%s %s: %s", method, path, answer.status)
        return answer

    async def _post_form(self, url: str, content: bytes, headers: dict[str, str]) -> Answer:
        try:
            answer = await self._send("POST", url, content, {"Accept": "application/json", **headers})
        except LineError as error:
            raise BackendUnavailableError(f"the token service cannot be used: {error.text}") from None
        self._authorization = headers.get("Authorization")
        return self.discreet(answer, ())

    async def _send(self, method: str, url: str, content: bytes | None, headers: Mapping[str, str]) -> Answer:
        try:
            received = await self._line.send(method, url, content, headers)
        except LineError as error:
            if not error.hopeless:
                raise
            failure = BackendError(error.text)
            self.stop(failure)
            raise failure from None
        return Answer.read(received.status, received.content, received.content_type, received.headers.get)

    async def _turn(self) -> None:
        if self._options.requests_per_second is None:
            return
        now = time.monotonic()
        mine = self._next_turn = max(now, self._next_turn)
        self._next_turn += 1 / self._options.requests_per_second
        if mine > now:
            await asyncio.sleep(mine - now)


def _backoff(attempt: int) -> float:
    longest = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** (attempt - 1))
    return random.uniform(longest / 2, longest)  # noqa: S311 -- no secret
