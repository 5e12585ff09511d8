"""The answers of a portal, and what they mean for the person."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from urllib.parse import unquote

from musterroll import BackendError
from musterroll_http.secrets import masked
from musterroll_plugins.backends.scim.paths import Json, get_key

_DETAIL_LENGTH = 300
_WORDS = ("detail", "message", "error")
_LONGEST_ID = 1024
_HALF, _CONTROL = re.compile("[\ud800-\udfff]"), re.compile(r"[\x00-\x1f\x7f-\x9f]")
_PAGE, _NO_JSON = "a web page", "something that is no JSON"
# What web servers show in front of a portal, and what it means.
_PAGES = {
    b"required SSL certificate": "a page that wants a client certificate, which musterroll does not bring,",
    b"plain HTTP request was sent to HTTPS": "a page that wants https in the url",
}
_PAGE_BEGINS = 4096
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\s]+")


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer.

    Attributes:
        status: the HTTP status.
        body: the JSON object, or None where there is none.
        unread: what it is instead of JSON, e.g. a web page; empty where it is that, or nothing.
        etag: the version of what it shows.
        location: where what was created is.
        retry_after: the header, as it came.
        date: likewise.
    """

    status: int
    body: Json = None
    unread: str = ""
    etag: str | None = None
    location: str | None = None
    retry_after: str | None = None
    date: str | None = None

    @property
    def html(self) -> bool:
        """Whether it is a web page, or something else that is not JSON."""
        return bool(self.unread)

    @property
    def ok(self) -> bool:
        """Whether it is a success that can be read."""
        return 200 <= self.status < 300 and not self.html

    @property
    def id(self) -> str | None:
        """The id of the resource that it shows; where it shows none, of that which it points to.

        Raises:
            BackendError: it is none that can be kept.
        """
        shown = get_key(self.body, "id") if isinstance(self.body, dict) else None
        if shown is None or shown == "":
            shown = unquote((self.location or "").rstrip("/").rpartition("/")[2].partition("?")[0])
        return usable_id(shown, "something new") if isinstance(shown, str | int) and shown != "" else None

    @property
    def detail(self) -> str:
        """What the portal says for a reason, in one line; empty where it says nothing."""
        text = whole(_UNPRINTABLE.sub(" ", self._words).strip())
        return text if len(text) <= _DETAIL_LENGTH else text[: _DETAIL_LENGTH - 1] + "…"

    @property
    def _words(self) -> str:
        """The same as it came."""
        said = (get_key(self.body, name) for name in _WORDS) if isinstance(self.body, dict) else ()
        return next((text for text in said if isinstance(text, str)), "")

    def without(self, secrets: Iterable[str]) -> Answer:
        """Takes secrets out of the words of an error: some portals repeat what they refuse, as it was sent."""
        words = self._words if self.status >= 400 else ""
        discreet = masked(words, secrets)
        return self if discreet == words else replace(self, body={"detail": discreet})

    @property
    def reason(self) -> str:
        """Why it failed: the portal's words with the status."""
        if self.html:
            return f"it answered with {self.unread} instead of SCIM ({self.status})"
        return f"{self.detail} ({self.status})" if self.detail else f"status {self.status}"

    @classmethod
    def read(cls, status: int, content: bytes, content_type: str, header: Callable[[str], str | None]) -> Answer:
        """Makes an answer of what came over the line."""
        body: Json = None
        unread = ""
        text = content.strip()
        if text:
            try:
                body = _read_json(text)
            except (ValueError, RecursionError):
                if "html" in content_type or text.startswith(b"<"):
                    known = (_PAGES[words] for words in _PAGES if words in text[:_PAGE_BEGINS])
                    unread = next(known, _PAGE)
                elif 200 <= status < 300:  # an error without a readable body is an error all the same
                    unread = _NO_JSON
        said = header("ETag"), header("Location"), header("Retry-After"), header("Date")
        return cls(status, body, unread, *said)


def usable_id(value: str | int, whose: str) -> str:
    """Returns the id of a user or group, where it is one that can be kept and asked for.

    Args:
        value: as the portal gives it.
        whose: e.g. `the new user`.

    Raises:
        BackendError: it is none.
    """
    text = str(value)
    if len(text) > _LONGEST_ID:
        why = f"it has {len(text)} characters"
    elif _HALF.search(text):
        why = "it has half a character in it"
    elif _CONTROL.search(text):
        why = "it has control characters in it"
    else:
        return text
    raise BackendError(f"the portal gives {whose} an id that cannot be kept: {why}; ask those who run it")


def whole(text: str) -> str:
    """Returns a text without half characters, which nothing can store or show."""
    return text if text.isascii() else _HALF.sub("\ufffd", text)


def _read_json(content: bytes) -> Json:
    """Reads JSON as the RFC has it.

    Raises:
        ValueError: it is none, is ambiguous, or has numbers of thousands of digits.
        RecursionError: it is nested a thousand times.
    """
    return json.loads(content, object_pairs_hook=_unambiguous, parse_constant=_no_number)


def _unambiguous(pairs: list[tuple[str, Json]]) -> Json:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key is there twice")
    return made


def _no_number(text: str) -> Json:
    raise ValueError(f"{text} is no number")


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
            f"{url} answers with {answer.unread} instead of SCIM ({status}); "
            "check the url, or whether a sign-in page or a proxy stands in between"
        )
    else:
        text = f"the portal cannot {doing}: {answer.reason}"
    return BackendError(text)
