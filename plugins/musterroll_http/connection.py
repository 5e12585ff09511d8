"""One request over the line with aiohttp: what can go wrong there, in words, and whether the request went out.

No server can make us wait, or keep something, without end.
"""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from musterroll_http.answer import HttpAnswer
from musterroll_http.errors import HttpError
from musterroll_http.tls import refused_handshake, untrusted

if TYPE_CHECKING:
    import aiohttp

_CONNECT_SECONDS = 10.0
_MEBIBYTE = 1024 * 1024
_SSL_REASON = re.compile(r"\[SSL: (\w+)\]")


class HttpConnection:
    """Connections to servers. To be used in one event loop.

    Args:
        tls: what certificates are checked with; None for the system's authorities.
        timeout: so many seconds a request may take, its whole answer included.
        keep_alive: so many seconds a silent connection is kept: shorter than the server does, as a request on one that
            has just been closed has no answer.
        most: so many bytes of an answer are read.
        too_large: what to do where an answer has more.
        errors_only: what an answer says beyond its status is of interest for errors only, and not all of it.
    """

    def __init__(
        self,
        tls: ssl.SSLContext | None,
        *,
        timeout: float,
        keep_alive: float,
        most: int,
        too_large: str,
        errors_only: bool,
    ) -> None:
        self._tls, self._timeout, self._keep_alive, self._too_large = tls, timeout, keep_alive, too_large
        self._most, self._errors_only = most, errors_only
        self._session: aiohttp.ClientSession | None = None
        self._closed = False
        self._proxies: dict[str, str | None] = {}

    async def send(self, method: str, url: str, content: bytes | None, headers: Mapping[str, str]) -> HttpAnswer:
        """Sends one request and reads the answer. Redirects are answers.

        Args:
            method: of HTTP.
            url: already quoted.
            content: of the request.
            headers: all of them.

        Raises:
            HttpError: no answer, or half of one.
        """
        import aiohttp  # noqa: PLC0415 -- an extra, and quick start-up
        from yarl import URL  # noqa: PLC0415 -- comes with it

        session, proxy = self._opened(), self._proxy(url)
        try:
            async with session.request(
                method,
                URL(url, encoded=True),
                data=content,
                headers=headers,
                allow_redirects=False,
                proxy=proxy,
            ) as response:
                body = await self._read(response, urlsplit(url).netloc)
                return HttpAnswer.read(response.status, body, response.content_type, response.headers)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise explained(error, url) from None

    async def close(self) -> None:
        """Closes all connections, for good: what others have left running opens no new ones."""
        self._closed = True
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _read(self, response: aiohttp.ClientResponse, host: str) -> bytes:
        import aiohttp  # noqa: PLC0415 -- an extra, and quick start-up

        if self._errors_only and response.status < 400:
            return b""
        parts: list[bytes] = []
        size = 0
        try:
            async for part in response.content.iter_any():
                size += len(part)
                parts.append(part)
                if size > self._most:
                    break
        except (aiohttp.ClientError, TimeoutError, OSError):
            if not self._errors_only:
                raise
        if size > self._most:
            response.close()  # the rest of it is nobody's
            if not self._errors_only:
                size_read = f"{self._most / _MEBIBYTE:g} MiB"
                text = f"the answer of {host} is larger than {size_read}, and was not read to its end"
                raise HttpError(f"{text}; {self._too_large}", certain=False, again=False)
        return b"".join(parts)[: self._most]

    def _opened(self) -> aiohttp.ClientSession:
        import aiohttp  # noqa: PLC0415 -- an extra, and quick start-up

        if self._closed:
            raise HttpError("the connection has been closed", again=False)
        if self._session is None:
            self._session = aiohttp.ClientSession(
                # How many requests go at once is counted before they come here.
                connector=aiohttp.TCPConnector(limit=0, ssl=self._tls or True, keepalive_timeout=self._keep_alive),
                timeout=aiohttp.ClientTimeout(total=self._timeout, sock_connect=min(_CONNECT_SECONDS, self._timeout)),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "musterroll"},
            )
        return self._session

    def _proxy(self, url: str) -> str | None:
        """The proxy of the environment; aiohttp itself would take passwords from ~/.netrc too, and 0.7 ms a time."""
        host = urlsplit(url).netloc
        if host not in self._proxies:
            self._proxies[host] = _proxy_for(url)
        return self._proxies[host]


def _proxy_for(url: str) -> str | None:
    parts = urlsplit(url)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(parts.netloc):
        return None
    if "://" not in proxy:
        proxy = f"http://{proxy}"  # as others take it
    try:
        asked = urlsplit(proxy)
        usable = bool(asked.hostname) and asked.scheme in ("http", "https") and (asked.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or " " in proxy:  # not the proxy itself: there can be a password in it
        variable = f"{parts.scheme.upper()}_PROXY"
        remedy = f"write {variable} in the environment as http://proxy.example:3128, or take it out"
        raise HttpError(f"the proxy for {parts.netloc} is none that can be used: {remedy}", unusable=True)
    return proxy


def explained(error: Exception, url: str) -> HttpError:
    """Says what an exception means. Never with the text of one that knows the request's headers."""
    import aiohttp  # noqa: PLC0415 -- an extra, and quick start-up

    parts = urlsplit(url)
    host = parts.netloc
    unreachable = f"{host} cannot be reached"
    if (tls := _tls_alert(error)) is not None and not isinstance(error, aiohttp.ClientConnectorCertificateError):
        return HttpError(refused_handshake(host, tls), unusable=True)
    match error:
        case HttpError():
            return error
        case aiohttp.ClientConnectorCertificateError():
            return HttpError(untrusted(host, error.certificate_error), unusable=True)
        case aiohttp.ClientSSLError():
            return HttpError(refused_handshake(host, ""), unusable=True)
        case aiohttp.ClientConnectorDNSError():
            return HttpError(f"the host {host} cannot be found; check the url", no_host=True)
        case aiohttp.ClientProxyConnectionError():
            return HttpError(f"the proxy for {host} cannot be reached; check the environment")
        case aiohttp.ClientHttpProxyError():
            text = f"the proxy does not let requests to {host} through ({error.status}); check it"
            return HttpError(text, unusable=True)
        case aiohttp.ClientConnectorError():
            # The text of asyncio's own errors is about its functions.
            number = error.os_error.errno
            why = os.strerror(number) if number is not None and number > 0 else "no connection"
            return HttpError(f"{unreachable}: {why}; check the url, and whether it is up")
        case aiohttp.ConnectionTimeoutError():
            return HttpError(f"{unreachable}: it does not answer; check the url, and whether it is up")
        case aiohttp.ClientResponseError() | aiohttp.ClientPayloadError() if _is_no_http(error):
            also = "; perhaps it speaks https: check the url" if parts.scheme == "http" else "; check the url"
            text = f"{host} does not answer in HTTP, or its headers have no end{also}"
            return HttpError(text, certain=False, again=False)
        case aiohttp.InvalidURL() | ValueError():
            return HttpError(
                f"{host} cannot be asked; check the url, and HTTPS_PROXY and HTTP_PROXY in the environment",
                unusable=True,
            )
        case TimeoutError():
            return HttpError(f"{host} took too long to answer; raise timeout, or try again later", certain=False)
        case _:
            return HttpError(f"the connection to {host} broke off; try again later", certain=False)


def _is_no_http(error: aiohttp.ClientResponseError | aiohttp.ClientPayloadError) -> bool:
    """Whether what came cannot be read as HTTP: at its head, or behind it; not where the line was cut off."""
    from aiohttp import http_exceptions  # noqa: PLC0415 -- an extra, and quick start-up

    if isinstance(error.__cause__, http_exceptions.PayloadEncodingError):
        return False
    return getattr(error, "status", 0) == 400 or isinstance(error.__cause__, http_exceptions.BadHttpMessage)


def _tls_alert(error: BaseException | None) -> str | None:
    """The reason of the TLS error in or behind an exception; None where there is none."""
    for _ in range(5):
        if isinstance(error, OSError) and (found := _SSL_REASON.search(str(error.args))):
            return found[1]
        inner = getattr(error, "os_error", None)
        error = inner if isinstance(inner, BaseException) else (error and (error.__cause__ or error.__context__))
    return None
