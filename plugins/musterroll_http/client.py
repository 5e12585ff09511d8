"""HTTP with one server: signing in, limits, retries, and when to stop trying.

Everything here runs in one event loop, that of the plugin's `Pump`.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from importlib.util import find_spec
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from musterroll import BackendError, BackendUnavailableError, Context, MusterrollError, Secret, SecretRef
from musterroll_http.answer import HttpAnswer, Meaning, meaning
from musterroll_http.connection import HttpConnection
from musterroll_http.errors import HttpError
from musterroll_http.options import HttpOptions, check_header, check_url
from musterroll_http.pace import Pace
from musterroll_http.secrets import parts_of_address
from musterroll_http.sign_in import SignIn, sign_in
from musterroll_http.tls import tls_context

# A server that wants to be left alone for longer is left alone until somebody goes on.
_LONGEST_RETRY_AFTER = 300.0
# Before the server has ever answered, a wrong address is more likely than a bad moment.
_RETRIES_BEFORE_CONTACT = 1
_MOST_READ = 33_554_432
_BUSY = (408, 425, 429, 503)
_GATEWAY = (502, 504)
_encode = json.JSONEncoder(separators=(",", ":")).encode  # json.dumps would make one each time

T = TypeVar("T")


class HttpClient:
    """Sends requests to one server.

    It waits as long as the server asks for, repeats what may be repeated, and stops altogether where the server keeps
    failing or cannot be used: then `stopped` says why, and every further request fails with the same words.

    Args:
        options: of the plugin.
        context: of the plugin.
        failure: what `stopped` is, and what is raised here; for `BackendError` a server that may come back is a
            `BackendUnavailableError`.
        name: what messages call the server; its host and port by default.
        way: to sign in; by default the one of the options.
        requests_per_second: not more than these.
        retry_wait: so many seconds are waited before a repetition where the server does not say, and twice as long each
            further time.
        all_wait: where the server wants to be left alone by one request, the others wait as well.
        keep_alive: so many seconds a silent connection is kept: shorter than the server does, as what is sent on one
            that has just been closed is doubtful.
        max_answer: so many bytes of an answer are read, decompressed.
        too_large: what to do where an answer is larger.
        errors_only: nothing but the status is wanted of a success, and the first words of an error.

    Raises:
        PipelineError: a secret cannot be read.
        MusterrollError: of the type `failure`: aiohttp is missing, or a file, an address, a token or a header cannot be
            used.

    Attributes:
        own_headers: those of the options, which come with every request.
    """

    def __init__(
        self,
        options: HttpOptions,
        context: Context,
        failure: type[MusterrollError],
        *,
        name: str = "",
        way: SignIn | None = None,
        requests_per_second: float | None = None,
        retry_wait: float = 0.5,
        all_wait: bool = True,
        keep_alive: float = 4.0,
        max_answer: int = _MOST_READ,
        too_large: str = "ask for less at once",
        errors_only: bool = False,
    ) -> None:
        if find_spec("aiohttp") is None:
            text = f'{context.instance} needs aiohttp: pip install "musterroll[webhook]"'
            raise failure(text, code="extra.missing")
        self._retries, self._failure = options.retries, failure
        self._log, self._clock = context.logger, context.clock
        self._sign_in = way or sign_in(options, context, failure)
        self._hidden = list(self._sign_in.secrets)
        self.own_headers = self._resolved(options.headers, context)
        self._url = self._address(options.url, context)
        parts = urlsplit(self._url)
        self.host, self.place = parts.netloc, f"{parts.scheme}://{parts.netloc}"
        self.name = name or self.host
        self._connection = HttpConnection(
            None if options.ca is None else tls_context(options.ca, failure),
            timeout=options.timeout,
            keep_alive=keep_alive,
            most=max_answer,
            too_large=too_large,
            errors_only=errors_only,
        )
        self._pace = Pace(context, self.name, requests_per_second, retry_wait, all_wait=all_wait)
        self._slots = asyncio.Semaphore(options.concurrency)
        self._authorization: str | None = None
        self._met = False
        self._answers = self._changes = 0

    def hide(self, *secrets: Secret) -> None:
        """Names further secrets that no answer may repeat."""
        self._hidden += secrets

    # -- asking ---------------------------------------------------------------------------------------------

    async def request(
        self,
        method: str,
        path: str = "",
        *,
        params: Mapping[str, str | int] | None = None,
        body: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        hide: Iterable[Secret] = (),
        repeatable: bool | None = None,
        means: Callable[[int, int], Meaning] = meaning,
    ) -> HttpAnswer:
        """Sends a request, and again where the server was busy or it is not known what became of it.

        Args:
            method: of HTTP.
            path: after the address in the options, quoted, with a leading slash; or a whole address of the same server,
                as a link to the next page is.
            params: the query.
            body: sent as JSON.
            content: sent as it is, instead.
            headers: besides the usual ones and those of the options, or instead of them.
            hide: secrets in it, which no answer may show.
            repeatable: whether it may be sent again when it may have been done already; by default all but POST and
                PATCH may.
            means: says what a status means, by that and by how often the request was repeated.

        Returns:
            Any answer that repeating would not change; its `doubtful` says that an attempt before it may have been
            carried out.

        Raises:
            HttpError: there was none; its `certain` says that the request did nothing.
        """
        if repeatable is None:
            repeatable = method not in ("POST", "PATCH")
        if body is not None:
            content = _encode(body).encode()
        url = self._target(path) + (f"?{urlencode(params, quote_via=quote)}" if params else "")
        every = {"Accept": "application/json", **({} if body is None else {"Content-Type": "application/json"})}
        before, attempt, doubt, renewed = self._answers, 0, False, False
        while True:
            await self._pace.turn(certain=not doubt)
            used = self._authorization = await self._authorized(certain=not doubt)
            wait: float | None = None
            try:
                async with self._slots:
                    answer = await self._connection.send(method, url, content, self._joined(every, used, headers))
            except HttpError as error:
                doubt |= not error.certain
                # What may have changed something is worth all attempts that settle it.
                self._met |= not error.certain and method != "GET"
                error.certain = not doubt
                if error.unusable:
                    self.stop(self.failed(error))
                if error.unusable or not error.again or (doubt and not repeatable):
                    raise
                limit = self._retries if self._met else min(self._retries, _RETRIES_BEFORE_CONTACT)
                if attempt >= limit or (error.no_host and not self._met):
                    raise self._last(error, alone=self._answers == before) from None
            else:
                self._log.debug("%s %s: %s", method, path or self.name, answer.status)
                self._met = True
                if answer.said:
                    answer = self.discreet(answer, (*hide, Secret((used or "").partition(" ")[2])))
                if answer.status == 401 and not renewed and await self._sign_in.renew(used):
                    renewed = True
                    continue
                found = means(429 if answer.asks_to_wait else answer.status, attempt)
                if found is Meaning.FINAL:
                    self._answers += 1
                    self._changes += method != "GET"
                    return replace(answer, doubtful=True) if doubt else answer
                doubt |= found is Meaning.DOUBTFUL
                wait = self._wait(answer)
                failed = HttpError(self._words(answer), certain=not doubt, answer=answer, wait=wait)
                if doubt and not repeatable:
                    raise failed
                if attempt >= self._retries:
                    raise self._last(failed, alone=self._answers == before)
            attempt += 1
            await self._pace.pause(self._pace.back_off(attempt) if wait is None else wait, certain=not doubt)

    async def once(self, send: Callable[[], Awaitable[T]], look: Callable[[], Awaitable[T | None]]) -> T:
        """Does what must not be done twice: after an answer that proves nothing it looks before it repeats.

        Args:
            send: sends the request, which is not repeatable.
            look: finds out what became of it; None where it was certainly not done.

        Returns:
            What `send` returned, or what `look` found.

        Raises:
            HttpError: there was no answer that settles it.
        """
        before, attempt = self._changes, 0
        while True:
            try:
                return await send()
            except HttpError as error:
                if not error.again or error.answer is None or not is_busy(error.answer):
                    raise
                attempt += 1
                if attempt > self._retries:
                    raise self._last(error, alone=self._changes == before) from None
                wait = self._pace.back_off(attempt) if error.wait is None else error.wait
                await self._pace.pause(wait, certain=False)
            try:
                found = await look()
            except HttpError as error:
                error.certain = False
                raise
            if found is not None:
                return found

    def discreet(self, answer: HttpAnswer, hide: Iterable[Secret] = ()) -> HttpAnswer:
        """Takes secrets, and what we sign in with, out of what the server says of an error."""
        credentials = (self._authorization or "").partition(" ")[2]
        return answer.without([credentials, *(secret.reveal() for secret in (*self._hidden, *hide))])

    # -- stopping -------------------------------------------------------------------------------------------

    @property
    def stopped(self) -> MusterrollError | None:
        """Why no further request goes out; None where they do."""
        return self._pace.stopped

    def stop(self, error: MusterrollError) -> None:
        """Lets no further request out, and ends all waiting; the first reason stays."""
        self._pace.stopped = self._pace.stopped or error

    def begin(self) -> None:
        """Gives the server another chance."""
        self._pace.stopped = None

    def failed(self, error: HttpError) -> MusterrollError:
        """Returns what a plugin raises for an error: why everything stopped, or else what happened."""
        if self.stopped is not None:
            return self.stopped
        comes_back = issubclass(self._failure, BackendError) and not error.unusable
        return BackendUnavailableError(error.text) if comes_back else self._failure(error.text)

    def gave_up(self, error: HttpError, *, alone: bool) -> None:
        """Called when a request was repeated as often as the options say; stops where it is the server's fault.

        Args:
            error: what happened.
            alone: meanwhile no other request was answered either.
        """
        if alone:
            self.stop(self.failed(error))

    def _last(self, error: HttpError, *, alone: bool) -> HttpError:
        error.again = False
        self.gave_up(error, alone=alone)
        return error

    async def close(self) -> None:
        """Closes all connections, for good."""
        await self._connection.close()

    def _wait(self, answer: HttpAnswer) -> float | None:
        """How long to leave the server alone, where it says so; too long is a reason to stop."""
        seconds = self._pace.asked_for(answer)
        if seconds is None:
            return None
        if seconds > _LONGEST_RETRY_AFTER:
            until = (self._clock() + dt.timedelta(seconds=seconds)).strftime("%Y-%m-%d %H:%M UTC")
            self.stop(self.failed(HttpError(f"{self.name} wants to be left alone until {until}; go on then")))
            return None
        return self._pace.leave_alone(seconds)

    def _words(self, answer: HttpAnswer) -> str:
        if is_busy(answer):
            return f"{self.name} is too busy: {answer.reason}; try again later"
        if answer.status in _GATEWAY:  # somebody else's answer
            return f"{self.name} cannot be reached: {answer.reason}"
        return f"{self.name} broke over it: {answer.reason}"

    # -- signing in -----------------------------------------------------------------------------------------

    async def _authorized(self, *, certain: bool) -> str | None:
        try:
            return await self._sign_in.header(self._post_form)
        except HttpError as error:
            error.certain = certain
            self.stop(self.failed(error))
            raise

    async def _post_form(self, url: str, content: bytes, headers: Mapping[str, str]) -> HttpAnswer:
        answer = await self._connection.send("POST", url, content, {"Accept": "application/json", **headers})
        self._authorization = headers.get("Authorization")
        return self.discreet(answer)

    def _joined(
        self, usual: Mapping[str, str], authorization: str | None, own: Mapping[str, str] | None
    ) -> Mapping[str, str]:
        headers = dict(usual)
        if authorization is not None:
            headers["Authorization"] = authorization
        for name, value in (*self.own_headers.items(), *(own or {}).items()):
            for same in [known for known in headers if known.lower() == name.lower()]:
                del headers[same]
            headers[name] = value
        return headers

    def _resolved(self, headers: Mapping[str, str | SecretRef], context: Context) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, value in headers.items():
            if isinstance(value, str):
                found[name] = value
                if name.lower() == "authorization":
                    self.hide(Secret(value.rpartition(" ")[2]))
                continue
            secret = context.secret(value)
            self.hide(secret)
            found[name] = secret.reveal().strip()
            try:
                check_header(found[name])
            except ValueError as error:
                raise self._failure(f"headers.{name}: {error}") from None
        return found

    def _target(self, path: str) -> str:
        """The address of a path, or one that the server itself gave; what we sign in with goes to no other server.

        Raises:
            HttpError: it is of another one.
        """
        if not path.startswith(("https://", "http://")):
            return self._url + path
        parts = urlsplit(path)
        if f"{parts.scheme}://{parts.netloc}" != self.place:
            raise HttpError(f"{self.name} points to another server, {parts.netloc}", unusable=True)
        return path

    def _address(self, url: str | SecretRef, context: Context) -> str:
        from yarl import URL  # noqa: PLC0415 -- an extra, and quick start-up

        if isinstance(url, SecretRef):
            text = context.secret(url).reveal().strip()
            try:
                check_url(text)
            except ValueError as error:
                raise self._failure(f"url: {error}") from None
            self._hidden += map(Secret, parts_of_address(text))
            url = text
        return str(URL(url))


def is_busy(answer: HttpAnswer) -> bool:
    """Whether a server says that it has too much to do."""
    return answer.status in _BUSY or answer.asks_to_wait
