"""By what an invited user is known again whom the portal has lost, as one that was restored from a backup has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import blake2b

from musterroll.contract.fields import USERNAME
from musterroll.contract.text import fold

_SIZE = 16  # bytes
_EMAIL, _PHONE = "email", ("calling_code", "phone")


class Recogniser:
    """Makes the digests that a user is known again by: of each field that recognises users, together with the address.

    The address belongs to it: whoever gets a name anew, and another address, is somebody else, and several people may
    share an address.

    Args:
        match: the fields that recognise a user.
        salt: so that digests say nothing to whoever has not got this journal.
    """

    def __init__(self, match: Sequence[str], salt: bytes) -> None:
        self._names = tuple(dict.fromkeys((*match, USERNAME)))
        self._empty = blake2b(digest_size=_SIZE, key=salt)
        self.fields = frozenset((*self._names, _EMAIL, *_PHONE))

    def of(self, text: Callable[[str], str | None]) -> tuple[str, ...]:
        """Returns the digests of a user, of whom `text` tells the value of a field; none without an address."""
        address = fold(text(_EMAIL) or "") or "".join(text(name) or "" for name in _PHONE)
        if not address:
            return ()
        return tuple(self._digest(name, fold(value), address) for name in self._names if (value := text(name)))

    def _digest(self, *parts: str) -> str:
        digest = self._empty.copy()
        digest.update("\0".join(parts).encode("utf-8", "surrogatepass"))
        return digest.hexdigest()
