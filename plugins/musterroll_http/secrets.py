"""Takes what nobody may see out of what servers say: some repeat what they refuse, as it was sent."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus, unquote, urlsplit

from musterroll import Secret

_MASK = str(Secret(""))
# A text of a few letters would be found everywhere.
_SHORTEST = 4
_SHORTEST_PART = 8


def masked(text: str, secrets: Iterable[str]) -> str:
    """Returns a text without secrets, however they are written in it."""
    if not text:
        return text
    found = {spelling for secret in secrets for spelling in _spellings(secret) if spelling in text}
    for spelling in sorted(found, key=len, reverse=True):
        text = text.replace(spelling, _MASK)
    return text


def parts_of_address(url: str) -> Iterator[str]:
    """What of a secret address is secret: where it leads on its host, as a whole and in its parts."""
    parts = urlsplit(url)
    yield from (url, parts.path.strip("/"), parts.query)
    for part in (*parts.path.split("/"), *parts.query.replace("=", "&").split("&")):
        if len(part) >= _SHORTEST_PART:
            yield part
            yield unquote(part)


def _spellings(secret: str) -> Iterator[str]:
    """A secret as it stands in requests, and so in what repeats them."""
    if len(secret) < _SHORTEST:
        return
    yield from (secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    raw = secret.encode("utf-8", "surrogatepass")
    yield from (quote(raw), quote(raw, safe=""), quote_plus(raw))
    yield base64.b64encode(raw).decode()
