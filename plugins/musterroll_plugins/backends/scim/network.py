"""One request over the line with aiohttp: what can go wrong there, in words, and whether the request went out."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from musterroll import BackendError
from musterroll_plugins.backends.scim.answers import Answer

if TYPE_CHECKING:
    import aiohttp

_CONNECT_SECONDS = 10.0
# Shorter than servers keep a silent connection: a request on one that they have just closed has no answer.
_KEEP_ALIVE_SECONDS = 4.0
_UNSENT = "cannot be reached"


class LineError(Exception):
    """The line failed.

    Attributes:
        text: what happened, in one line.
        sent: whether the portal may have had the request.
        hopeless: whether trying again at once is of no use.
    """

    def __init__(self, text: str, *, sent: bool, hopeless: bool = False) -> None:
        super().__init__(text)
        self.text = text
        self.sent = sent
        self.hopeless = hopeless


def tls_context(ca: Path) -> ssl.SSLContext:
    """Returns what certificates are checked with: the system's authorities, and those of a file.

    Raises:
        BackendError: the file cannot be read.
    """
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(cafile=ca)
    except (OSError, ssl.SSLError) as error:
        reason = "it holds no certificates in PEM" if isinstance(error, ssl.SSLError) else error.strerror
        raise BackendError(f"the certificate file {ca} cannot be used: {reason}") from None
    return context


class Line:
    """Connections to the portal, and to the service that gives tokens. To be used in one event loop.

    Args:
        tls: what certificates are checked with; None for the system's authorities.
        timeout: so many seconds a request may take.
    """

    def __init__(self, tls: ssl.SSLContext | None, *, timeout: float) -> None:
        self._tls, self._timeout = tls, timeout
        self._session: aiohttp.ClientSession | None = None
        self._proxies: dict[str, str | None] = {}

    async def send(self, method: str, url: str, content: bytes | None, headers: Mapping[str, str]) -> Answer:
        """Sends one request and reads the answer. Redirects are answers.

        Args:
            method: of HTTP.
            url: already quoted.
            content: of the request.
            headers: all of them.

        Raises:
            LineError: no answer, or half of one.
            BackendError: no request can be sent there, now or later.
        """
        import aiohttp  # noqa: PLC0415 -- an extra, and quick start-up
        from yarl import URL  # noqa: PLC0415 -- comes with it

        session = self._opened()
        try:
            async with session.request(
                method,
                URL(url, encoded=True),
                data=content,
                headers=headers,
                allow_redirects=False,
                proxy=self._proxy(url),
            ) as response:
                content_type, header = response.content_type, response.headers.get
                return Answer.read(response.status, await response.read(), content_type, header)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _explained(error, url) from None

    async def close(self) -> None:
        """Closes all connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _opened(self) -> aiohttp.ClientSession:
        import aiohttp  # noqa: PLC0415 -- an extra, and quick start-up

        if self._session is None:
            self._session = aiohttp.ClientSession(
                # How many requests go at once is counted before they come here.
                connector=aiohttp.TCPConnector(limit=0, ssl=self._tls or True, keepalive_timeout=_KEEP_ALIVE_SECONDS),
                timeout=aiohttp.ClientTimeout(total=self._timeout, sock_connect=min(_CONNECT_SECONDS, self._timeout)),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "musterroll"},
            )
        return self._session

    def _proxy(self, url: str) -> str | None:
        """The proxy of the environment. aiohttp looks it up anew in a thread for each request: 0.7 ms."""
        parts = urlsplit(url)
        if parts.netloc not in self._proxies:
            proxies = getproxies()
            proxy = proxies.get(parts.scheme) or proxies.get("all")
            self._proxies[parts.netloc] = None if proxy is None or proxy_bypass(parts.netloc) else proxy
        return self._proxies[parts.netloc]


def _explained(error: Exception, url: str) -> LineError | BackendError:
    """Never with the text of an exception that knows the request's headers."""
    import aiohttp  # noqa: PLC0415 -- an extra, and quick start-up

    host = url.split("/")[2]
    unreachable = f"the portal at {host} {_UNSENT}"
    match error:
        case aiohttp.ClientConnectorCertificateError():
            why = getattr(error.certificate_error, "verify_message", "") or "it is not for this host"
            return BackendError(
                f"the certificate of {host} is not trusted: {why}; "
                "if it is of your own certificate authority, name that one's file in the option ca"
            )
        case aiohttp.ClientSSLError():
            return BackendError(f"no secure connection to {host} comes about; check the url, https and port")
        case aiohttp.ClientConnectorDNSError():
            return LineError(f"the host {host} cannot be found; check the url", sent=False, hopeless=True)
        case aiohttp.ClientProxyConnectionError():
            return LineError(f"the proxy for {host} cannot be reached; check the environment", sent=False)
        case aiohttp.ClientHttpProxyError():
            return BackendError(f"the proxy does not let requests to {host} through ({error.status}); check it")
        case aiohttp.ClientConnectorError():
            # The text of asyncio's own errors is about its functions.
            why = os.strerror(error.os_error.errno) if error.os_error.errno else "no connection"
            return LineError(f"{unreachable}: {why}; check the url, and whether it is up", sent=False)
        case aiohttp.ConnectionTimeoutError():
            return LineError(f"{unreachable}: it does not answer; check the url, and whether it is up", sent=False)
        case aiohttp.InvalidURL():
            return BackendError("this is no address that can be asked; check the url")
        case TimeoutError():
            return LineError(f"{host} took too long to answer; raise timeout, or try again later", sent=True)
        case _:
            return LineError(f"the connection to {host} broke off; try again later", sent=True)
