"""One request over the line: what can go wrong there, in words, and whether the request went out."""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from musterroll import Secret
from musterroll_plugins.notifiers._texts import printable
from musterroll_plugins.notifiers._tls import untrusted

_CONNECT_SECONDS = 10.0
# Shorter than any server keeps a silent connection: what is sent on one that has just been closed is doubtful.
_KEEP_ALIVE_SECONDS = 1.0
_MOST_READ, _MOST_WORDS = 16384, 200


class LineError(Exception):
    """There is no answer.

    Attributes:
        text: what happened, in one line.
        sent: whether the receiver may have had the request.
        hopeless: whether no request will ever get there.
    """

    def __init__(self, text: str, *, sent: bool = False, hopeless: bool = False) -> None:
        super().__init__(text)
        self.text, self.sent, self.hopeless = text, sent, hopeless


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        status: of HTTP.
        words: why it was refused, as the receiver says; empty where it does not.
        retry_after: the header, as it came.
    """

    status: int
    words: str
    retry_after: str | None


class Line:
    """Connections to one receiver. To be used in one event loop.

    Args:
        url: the receiver's address.
        tls: what its certificate is checked with.
        timeout: so many seconds a request may take.
        secrets: what an answer might repeat and nobody may see.
    """

    def __init__(self, url: str, tls: ssl.SSLContext, *, timeout: float, secrets: Sequence[Secret]) -> None:
        self._url, self._tls, self._timeout, self._secrets = URL(url), tls, timeout, secrets
        self.host = urlsplit(url).netloc
        self._proxy = _proxy(url)
        self._session: aiohttp.ClientSession | None = None

    async def send(self, method: str, body: bytes, headers: Mapping[str, str], hide: str) -> Answer:
        """Sends one request. Redirects are answers.

        Args:
            method: of HTTP.
            body: of the request.
            headers: all of them.
            hide: a text in the body that is nobody's business but the receiver's.

        Raises:
            LineError: there is no answer.
        """
        session = self._opened()
        try:
            async with session.request(
                method, self._url, data=body, headers=headers, allow_redirects=False, proxy=self._proxy
            ) as response:
                words = await self._words(response, hide) if response.status >= 400 else ""
                return Answer(response.status, words, response.headers.get("Retry-After"))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _explained(error, self.host) from None

    async def close(self) -> None:
        """Closes all connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ssl=self._tls, keepalive_timeout=_KEEP_ALIVE_SECONDS),
                timeout=aiohttp.ClientTimeout(total=self._timeout, sock_connect=min(_CONNECT_SECONDS, self._timeout)),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    async def _words(self, response: aiohttp.ClientResponse, hide: str) -> str:
        try:
            content = await response.content.read(_MOST_READ)
        except (aiohttp.ClientError, TimeoutError, OSError):
            return ""  # the status is answer enough
        text = _reason(content, response.content_type)
        for secret in (hide, *(one.reveal() for one in self._secrets)):
            if len(secret) > 3:  # one of a few letters would be found everywhere
                text = text.replace(secret, "***")
        text = printable(" ".join(text.split()))
        return text if len(text) <= _MOST_WORDS else text[: _MOST_WORDS - 1] + "…"


def _reason(content: bytes, content_type: str) -> str:
    text = content.decode("utf-8", "replace").strip()
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        return text if content_type == "text/plain" else ""
    for _ in range(2):  # {"error": {"message": "…"}}
        if isinstance(found, dict):
            found = next((found[name] for name in ("message", "detail", "error", "title") if found.get(name)), None)
    return found if isinstance(found, str) else ""


def _proxy(url: str) -> str | None:
    """The proxy of the environment. Not aiohttp's own look at it: that also takes passwords from ~/.netrc."""
    parts = urlsplit(url)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    return None if proxy is None or proxy_bypass(parts.netloc) else proxy


def _explained(error: Exception, host: str) -> LineError:
    """Never with the text of an exception that knows the request's headers."""
    match error:
        case aiohttp.ClientConnectorCertificateError():
            cause = error.certificate_error
            known = cause if isinstance(cause, ssl.SSLCertVerificationError) else ssl.SSLCertVerificationError()
            return LineError(untrusted(host, known), hopeless=True)
        case aiohttp.ClientSSLError():
            return LineError(f"no secure connection to {host} comes about; check https and port", hopeless=True)
        case aiohttp.ClientConnectorDNSError():
            return LineError(f"the host {host} cannot be found; check the url")
        case aiohttp.ClientProxyConnectionError():
            return LineError(f"the proxy for {host} cannot be reached; check the environment")
        case aiohttp.ClientHttpProxyError():
            text = f"the proxy does not let requests to {host} through ({error.status}); check it"
            return LineError(text, hopeless=True)
        case aiohttp.ClientConnectorError():
            number = error.os_error.errno
            why = os.strerror(number) if number is not None and number > 0 else "no connection"
            return LineError(f"{host} cannot be reached: {why}; check the url, and whether it is up")
        case aiohttp.ConnectionTimeoutError():
            return LineError(f"{host} cannot be reached: it does not answer; check the url, and whether it is up")
        case aiohttp.InvalidURL():
            return LineError("this is no address that can be asked; check the url", hopeless=True)
        case TimeoutError():
            return LineError(f"{host} took too long to answer", sent=True)
        case _:
            return LineError(f"the connection to {host} broke off", sent=True)
