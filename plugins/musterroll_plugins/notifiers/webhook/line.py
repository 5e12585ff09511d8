"""Requests to one receiver, and what it answers in words."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from yarl import URL

from musterroll import Secret
from musterroll_http import line as _http
from musterroll_http.line import Received
from musterroll_http.secrets import masked
from musterroll_plugins.notifiers._texts import printable

# Shorter than any server keeps a silent connection: what is sent on one that has just been closed is doubtful.
_KEEP_ALIVE_SECONDS = 1.0
_MOST_READ, _MOST_WORDS = 16384, 200


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        status: of HTTP.
        words: why it was refused, as the receiver says; empty where it does not.
        retry_after: the header, as it came.
        date: likewise.
    """

    status: int
    words: str
    retry_after: str | None
    date: str | None


class Line:
    """Connections to one receiver. To be used in one event loop.

    Args:
        url: the receiver's address.
        tls: what its certificate is checked with.
        timeout: so many seconds a request may take.
        secrets: what an answer might repeat and nobody may see.
    """

    def __init__(self, url: str, tls: ssl.SSLContext, *, timeout: float, secrets: Sequence[Secret]) -> None:
        self._url, self._secrets = str(URL(url)), secrets
        self.host = urlsplit(url).netloc
        self._line = _http.Line(tls, timeout=timeout, keep_alive=_KEEP_ALIVE_SECONDS, most=_MOST_READ, words_only=True)

    async def send(self, method: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Sends one request. Redirects are answers.

        Args:
            method: of HTTP.
            body: of the request.
            headers: all of them.

        Raises:
            LineError: there is no answer.
        """
        received = await self._line.send(method, self._url, body, headers)
        header = received.headers.get
        return Answer(received.status, self._words(received), header("Retry-After"), header("Date"))

    async def close(self) -> None:
        """Closes all connections."""
        await self._line.close()

    def _words(self, received: Received) -> str:
        text = masked(_reason(received.content, received.content_type), [secret.reveal() for secret in self._secrets])
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
