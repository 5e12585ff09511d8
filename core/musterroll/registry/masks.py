"""Takes passwords out of what plugins and portals say, in whatever form they repeat them."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from urllib.parse import quote, quote_plus

from musterroll.contract.late_patterns import late_pattern
from musterroll.contract.secret import MASK
from musterroll.contract.translation import own_words

# A shorter one is in many a text by accident: it is masked where it stands in quotes, or alone in what is said of it.
_SHORT = 4
# Up to here one is masked as a whole word only: "test" is not in "the latest".
_WORD = 6
# From here on its beginning is masked as well: texts are cut off.
_CUT, _CUT_AT_MOST = 9, 60
_QUOTES = "\"'`‘’‚“”„‹›«»"
_OPEN = rf"(?:(?<=[{_QUOTES}:=])|(?<=[:=]\s))"
_CLOSE = rf"(?=[{_QUOTES}]|$|\s|[.,;)])"
_PLAIN = late_pattern("[A-Za-z0-9]+")
# Words that a text about passwords has anyway; masking them would say more than it hides.
_USUAL = frozenset({"password", "passwords", "passwort", "kennwort", "secret", "username", "character", "characters"})


def masked(text: str, secrets: Iterable[str], *, of_secret: bool = False) -> str:
    """Takes secrets out of a text, also trimmed, escaped, quoted, in other case or another Unicode form.

    The words of a message of ours stay as they are, since they were there before any secret: to mask the word "least"
    in them would tell everybody that it is the password.

    Args:
        text: what was said.
        secrets: what it must not tell.
        of_secret: whether the text is about the secret, as a problem of the password's cell is.
    """
    folded = text.casefold()
    # Making the pattern takes long, and nearly no text holds a secret.
    patterns = [_pattern(secret, of_secret=of_secret) for secret in secrets if _may_hold(folded, secret)]
    if not any(pattern.search(text) for pattern in patterns):
        return text
    own, found = own_words(text), list[tuple[int, int]]()
    for pattern in patterns:
        _find_filled_in(pattern, text, own, found)
    shown, at = "", 0
    for start, end in sorted(found):
        if start >= at:
            shown += text[at:start] + MASK
        at = max(at, end)
    return shown + text[at:]


def _find_filled_in(
    pattern: re.Pattern[str], text: str, own: Iterable[tuple[int, int]], places: list[tuple[int, int]]
) -> None:
    """Finds the places of a secret in a text that are not a part of a message's own words."""
    at = 0
    while found := pattern.search(text, at):
        start, end = found.span()
        at = max(end, start + 1)
        for begin, stop in own:
            if begin <= start and end <= stop and end - start < stop - begin:
                at = start + 1  # another one may begin inside
                break
        else:
            places.append((start, end))


def may_tell(text: str, secrets: Iterable[str]) -> bool:
    """Whether `masked` could find something in a text, or in a part of it; much quicker."""
    folded = text.casefold()
    for secret in secrets:  # noqa: SIM110 -- every problem of every row comes by here
        if _may_hold(folded, secret):
            return True
    return False


def _may_hold(folded: str, secret: str) -> bool:
    text = secret.strip()
    if text.isascii():
        # In all forms of a secret, also where the end is cut off, its letters and digits stay.
        for run in _PLAIN.findall(text, 0, min(len(text), _CUT_AT_MOST) * 2 // 3):
            if run.lower() not in folded:
                return False
    return bool(text) and any(sign in folded for sign in _signs(secret))


@lru_cache(maxsize=32)  # several problems of one row, and several texts of each
def _signs(secret: str) -> frozenset[str]:
    """Without one of these, folded, in a text, it does not hold the secret."""
    text = secret.strip()
    start = [] if len(text) < _CUT else [_start(text)]
    return frozenset(form.casefold() for form in (*_forms(secret), *start))


@lru_cache(maxsize=32)
def _pattern(secret: str, *, of_secret: bool) -> re.Pattern[str]:
    # The longest first: it may hold another one.
    forms = sorted(set(_forms(secret)), key=len, reverse=True)
    found = [_found(form, of_secret=of_secret) for form in forms]
    return re.compile("|".join([*found, *_cut_off(secret.strip())]), re.IGNORECASE)


def _forms(secret: str) -> Iterator[str]:
    for text in {secret, secret.strip(), " ".join(secret.split())}:
        if text.isascii() and text.isalnum():
            yield text
            continue
        others = () if text.isascii() else (unicodedata.normalize(form, text) for form in ("NFC", "NFD", "NFKC"))
        for form in {text, text.casefold(), *others}:
            yield form
            yield from _quoted(form)


def _quoted(text: str) -> Iterator[str]:
    """The text as programs write it out."""
    from html import escape  # noqa: PLC0415 -- its table of names is large

    yield ascii(text)[1:-1]
    yield repr(text)[1:-1]
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    yield escape(text)
    yield escape(text, quote=False)
    yield text.replace('"', '""')
    as_bytes = text.encode(errors="surrogatepass")
    yield repr(as_bytes)[2:-1]
    yield quote(as_bytes)
    yield quote(as_bytes, safe="")
    yield quote_plus(as_bytes)


def _found(form: str, *, of_secret: bool) -> str:
    """The pattern of one form, by how likely it is in a text by accident."""
    text = re.escape(form)
    if form.casefold() in _USUAL:
        return rf"(?:{_OPEN}|(?<=password )){text}{_CLOSE}"
    if len(form) < _SHORT:
        alone = rf"|(?<!\S){text}{_CLOSE}" if of_secret else ""
        return rf"{_OPEN}{text}{_CLOSE}{alone}"
    if len(form) < _WORD:
        return rf"(?<!\w){text}(?!\w)"
    return text


def _cut_off(secret: str) -> Iterator[str]:
    """The pattern of a long secret whose end is missing, by up to a third."""
    if len(secret) < _CUT:
        return
    start, rest = _start(secret), ""
    for letter in reversed(secret[len(start) : _CUT_AT_MOST]):
        rest = f"(?:{re.escape(letter)}{rest})?"
    yield re.escape(start) + rest


def _start(secret: str) -> str:
    shown = secret[:_CUT_AT_MOST]
    usual = (len(word) + 1 for word in _USUAL if shown.casefold().startswith(word))
    return shown[: max([len(shown) * 2 // 3, *usual])]


class SecretsSeen:
    """Remembers the secrets that a rule has looked at, as hashes of this process, and finds them in texts.

    For rules that see the whole sheet: when they speak at its end, the rows are gone. What is kept cannot be read
    back, and takes some bytes a secret.
    """

    def __init__(self) -> None:
        self._by_length: dict[int, set[int]] = {}

    def __bool__(self) -> bool:
        return bool(self._by_length)

    def add(self, secret: str) -> None:
        """Remembers a secret."""
        for form in {secret, secret.strip(), json.dumps(secret)[1:-1]}:
            if form:
                self._by_length.setdefault(len(form), set()).add(hash(_folded(form)))

    def of(self, text: str) -> set[str]:
        """Whatever stands in a text that was remembered, as it stands there."""
        found, folded = set[str](), _folded(text)
        for length, known in self._by_length.items():
            ends = range(length, len(text) + 1)
            found.update(text[end - length : end] for end in ends if hash(folded[end - length : end]) in known)
        return found


def _folded(text: str) -> str:
    """Folds case and keeps the length, so that places stay where they are."""
    folded = text.lower()
    return folded if len(folded) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
