"""The answers of a portal, and what they mean for the person."""

from __future__ import annotations

import re
from urllib.parse import unquote

from musterroll import BackendError
from musterroll_http import HttpAnswer
from musterroll_plugins.backends.scim.paths import get_key

_LONGEST_ID = 1024
_HALF, _CONTROL = re.compile("[\ud800-\udfff]"), re.compile(r"[\x00-\x1f\x7f-\x9f]")


def id_of(answer: HttpAnswer) -> str | None:
    """The id of the resource that an answer shows; where it shows none, of that which it points to.

    Raises:
        BackendError: it is none that can be kept.
    """
    shown = get_key(answer.body, "id")
    if shown is None or shown == "":
        location = answer.headers.get("Location", "")
        shown = unquote(location.rstrip("/").rpartition("/")[2].partition("?")[0])
    return usable_id(shown, "something new") if isinstance(shown, str | int) and shown != "" else None


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


def explained(answer: HttpAnswer, doing: str, url: str) -> BackendError:
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
    elif answer.unread:
        text = (
            f"{url} answers with {answer.unread} instead of SCIM ({status}); "
            "check the url, or whether a sign-in page or a proxy stands in between"
        )
    else:
        text = f"the portal cannot {doing}: {answer.reason}"
    return BackendError(text)
