"""The answers of a portal, and what they mean for the person."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from urllib.parse import quote, quote_plus

from musterroll import BackendError, Secret
from musterroll_plugins.backends.scim.paths import Json, get_key

_DETAIL_LENGTH = 300
_WORDS = ("detail", "message", "error")
_MASK = str(Secret(""))
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\s]+")


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer.

    Attributes:
        status: the HTTP status.
        body: the JSON object, or None where there is none.
        html: whether it is a web page, or something else that is not JSON.
        etag: the version of what it shows.
        location: where what was created is.
        retry_after: the header, as it came.
    """

    status: int
    body: Json = None
    html: bool = False
    etag: str | None = None
    location: str | None = None
    retry_after: str | None = None

    @property
    def ok(self) -> bool:
        """Whether it is a success that can be read."""
        return 200 <= self.status < 300 and not self.html

    @property
    def id(self) -> str | None:
        """The id of the resource that it shows; where it shows none, of that which it points to."""
        shown = get_key(self.body, "id") if isinstance(self.body, dict) else None
        if shown is not None and shown != "":
            return str(shown)
        if self.location:
            return self.location.rstrip("/").rpartition("/")[2].partition("?")[0] or None
        return None

    @property
    def detail(self) -> str:
        """What the portal says for a reason, in one line; empty where it says nothing."""
        text = _UNPRINTABLE.sub(" ", self._words).strip()
        return text if len(text) <= _DETAIL_LENGTH else text[: _DETAIL_LENGTH - 1] + "…"

    @property
    def _words(self) -> str:
        """The same as it came."""
        said = (get_key(self.body, name) for name in _WORDS) if isinstance(self.body, dict) else ()
        return next((text for text in said if isinstance(text, str)), "")

    def without(self, secrets: Iterable[str]) -> Answer:
        """Takes secrets out of the words of an error: some portals repeat what they refuse, as it was sent."""
        words = self._words if self.status >= 400 else ""
        spellings = {spelling for secret in secrets for spelling in _spellings(secret) if spelling in words}
        for spelling in sorted(spellings, key=len, reverse=True):
            words = words.replace(spelling, _MASK)
        return replace(self, body={"detail": words}) if spellings else self

    @property
    def reason(self) -> str:
        """Why it failed: the portal's words with the status."""
        if self.html:
            return f"it answered with a web page instead of SCIM ({self.status})"
        return f"{self.detail} ({self.status})" if self.detail else f"status {self.status}"

    @classmethod
    def read(cls, status: int, content: bytes, content_type: str, header: Callable[[str], str | None]) -> Answer:
        """Makes an answer of what came over the line."""
        body: Json = None
        html = False
        text = content.strip()
        if text:
            try:
                body = json.loads(text)
            except (ValueError, RecursionError):
                # An error without a readable body is an error all the same; a success is one only with it.
                html = "html" in content_type or text.startswith(b"<") or 200 <= status < 300
        return cls(status, body, html, header("ETag"), header("Location"), header("Retry-After"))


def _spellings(secret: str) -> Iterator[str]:
    """A secret as it stands in requests, and so in what repeats them."""
    if secret:
        yield from (secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
        yield from (quote(secret), quote(secret, safe=""), quote_plus(secret))


def explained(answer: Answer, doing: str, url: str) -> BackendError:
    """Returns the error for an answer that stops the work: what is wrong, and what to do.

    Args:
        answer: what came.
        doing: what was being done, e.g. `read its users`.
        url: the address in the options.
    """
    status, says = answer.status, f": {answer.detail}" if answer.detail else ""
    if status == 401:
        text = f"the portal does not accept the token or password (401){says}; check it, it may have expired"
    elif status == 403:
        text = f"the portal does not let this token {doing} (403){says}; ask for the right to read and write users"
    elif 300 <= status < 400:
        text = f"the portal answers with a redirect ({status}); set url to the address that it leads to"
    elif status in (404, 405):
        text = f"there is no SCIM service at {url} ({status}); check the url, it often ends in /scim/v2"
    elif status == 407:
        text = "the proxy wants to be signed in to (407); check the proxy in the environment"
    elif status in (413, 414):
        text = f"the portal refuses requests of this size ({status}); lower max_url, page_size or bulk_size"
    elif answer.html:
        text = (
            f"{url} answers with a web page instead of SCIM ({status}); "
            "check the url, or whether a sign-in page or a proxy stands in between"
        )
    else:
        text = f"the portal cannot {doing}: {answer.reason}"
    return BackendError(text)
