"""What a server answered: strict JSON, or what it is instead, and the reason that it gives in words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from musterroll_http.secrets import masked

_LONGEST_DETAIL = 300
_LONGEST_SAID = 65536
_NAMES = ("detail", "message", "errormessage", "errorsummary", "error_description", "error", "errors", "title")
# Some say with a 403 that there were too many requests: in a header, or by one of these words of their own.
_TOO_MANY = frozenset({"userRateLimitExceeded", "rateLimitExceeded", "quotaExceeded", "RESOURCE_EXHAUSTED"})
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\\s\ud800-\udfff]+")
# What web servers show in front of a server of ours, and what it means.
_PAGES = {
    b"required SSL certificate": "a page that wants a client certificate, which musterroll does not bring,",
    b"plain HTTP request was sent to HTTPS": "a page that wants https in the url",
}
_PAGE_BEGINS = 4096


class Meaning(Enum):
    """What an answer says of the request.

    Attributes:
        FINAL: another attempt would change nothing.
        NOT_DONE: it was certainly not done; another attempt may help.
        DOUBTFUL: it may have been done; another attempt may help.
    """

    FINAL = "final"
    NOT_DONE = "not done"
    DOUBTFUL = "doubtful"


def meaning(status: int, attempt: int) -> Meaning:
    """Says what a status means, where nothing more is known of the server.

    Args:
        status: of HTTP. With 408 and 503 what stands in between may speak of what it has passed on already.
        attempt: so many were made before.
    """
    if status in (425, 429):
        return Meaning.NOT_DONE
    broken = status == 408 or (status >= 500 and status not in (501, 505))
    return Meaning.DOUBTFUL if broken else Meaning.FINAL


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer.

    Attributes:
        status: of HTTP.
        body: the JSON document; None where there is none.
        unread: what it is instead of JSON, e.g. `a web page`; empty where it is JSON, or nothing.
        said: the reason that it gives, as it came.
        headers: all of them.
        doubtful: an attempt before this one may have been carried out, whatever this answer says.
    """

    status: int
    body: Any = None
    unread: str = ""
    said: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    doubtful: bool = False

    @classmethod
    def read(cls, status: int, content: bytes, content_type: str, headers: Mapping[str, str]) -> HttpAnswer:
        """Makes an answer of what came over the line.

        Args:
            status: of HTTP.
            content: the body, decompressed.
            content_type: what it says to be, in lower case.
            headers: all of them.
        """
        body: Any = None
        unread = said = ""
        text = content.strip()
        if text:
            try:
                body = strict_json(text)
            except (ValueError, RecursionError):
                if "html" in content_type or text.startswith(b"<"):
                    known = (_PAGES[words] for words in _PAGES if words in text[:_PAGE_BEGINS])
                    unread = next(known, "a web page")
                elif 200 <= status < 300:  # an error without a readable body is an error all the same
                    unread = "something that is no JSON"
                elif content_type == "text/plain":
                    said = text[:_LONGEST_SAID].decode("utf-8", "replace")
        return cls(status, body, unread, said or _reason(status, body), headers)

    @classmethod
    def of(cls, status: int, body: Any, headers: Mapping[str, str]) -> HttpAnswer:
        """Makes an answer of one that came in another, as those to a bulk request do."""
        return cls(status, body, said=_reason(status, body), headers=headers)

    @property
    def ok(self) -> bool:
        """Whether it is a success that can be read."""
        return 200 <= self.status < 300 and not self.unread

    @property
    def detail(self) -> str:
        """What the server says for a reason, in one line; empty where it says nothing."""
        text = _UNPRINTABLE.sub(" ", self.said).strip()
        return text if len(text) <= _LONGEST_DETAIL else text[: _LONGEST_DETAIL - 1] + "…"

    @property
    def reason(self) -> str:
        """Why it failed: the server's words with the status."""
        if self.unread:
            return f"it answered with {self.unread} ({self.status})"
        return f"{self.detail} ({self.status})" if self.detail else f"status {self.status}"

    @property
    def asks_to_wait(self) -> bool:
        """Whether it means that there were too many requests, whatever its status is."""
        if self.status != 403:
            return self.status == 429
        return "Retry-After" in self.headers or self.is_used_up or not _TOO_MANY.isdisjoint(_codes(self.body))

    @property
    def is_used_up(self) -> bool:
        """Whether it says that no further request is allowed for the time being."""
        return any(self.headers.get(name) == "0" for name in ("X-RateLimit-Remaining", "X-Rate-Limit-Remaining"))

    def without(self, secrets: Iterable[str]) -> HttpAnswer:
        """Takes secrets out of the words of an error: some servers repeat what they refuse, as it was sent."""
        discreet = masked(self.said, secrets)
        return self if discreet == self.said else replace(self, said=discreet, body={"detail": discreet})


def strict_json(content: bytes) -> Any:
    """Reads JSON as the RFC has it.

    Raises:
        ValueError: it is none, is ambiguous, or has numbers of thousands of digits.
        RecursionError: it is nested a thousand times.
    """
    return json.loads(content, object_pairs_hook=_unambiguous, parse_constant=_no_number)


def _unambiguous(pairs: list[tuple[str, Any]]) -> Any:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key is there twice")
    return made


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number")


def _reason(status: int, body: Any) -> str:
    """The words of an error in JSON, as in {"error": {"message": "…"}}."""
    if status < 300:
        return ""
    for _ in range(3):
        if isinstance(body, list):
            body = body[0] if body else None
        elif isinstance(body, dict):
            by_name = {name.lower(): value for name, value in body.items()}
            body = next((by_name[name] for name in _NAMES if isinstance(by_name.get(name), str | dict | list)), None)
    return body if isinstance(body, str) else ""


def _codes(body: Any) -> Iterator[str]:
    """The words by which programs shall know an error, as in {"error": {"errors": [{"reason": "…"}]}}."""
    error = body.get("error") if isinstance(body, dict) else None
    details = error.get("errors") if isinstance(error, dict) else None
    for one in (error, *(details if isinstance(details, list) else ())):
        if isinstance(one, dict):
            yield from (word for name in ("reason", "status") if isinstance(word := one.get(name), str))
