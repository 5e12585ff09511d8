"""The requests that are sent to a directory, and what comes back."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeAlias

import ldap
import ldap.modlist
from ldap.controls import RequestControl

from musterroll import Result, Secret

Entry: TypeAlias = Mapping[str, list[bytes]]
"""What an entry holds, by the names of its attributes in lower case."""

Line: TypeAlias = Any
"""A connection of python-ldap, which has no types."""

ANY = "(objectClass=*)"


class Found(NamedTuple):
    """An entry that was found: its name, and what was asked for of it."""

    dn: str
    entry: Entry


class Answer(NamedTuple):
    """What the server answers: the entries of a search, and the controls that came along."""

    entries: Sequence[Found] = ()
    controls: Sequence[Any] = ()


class Request(Protocol):
    """One request."""

    def send(self, line: Line) -> int:
        """Sends it and returns the number by which its answer is known."""
        ...


Work: TypeAlias = Generator[Request, Answer, Result]
"""An operation at work: it hands out a request, and goes on with the answer or with what the server refused."""


@dataclass(frozen=True, slots=True)
class Add:
    """Adds an entry."""

    dn: str
    attributes: Mapping[str, Sequence[bytes]] = field(repr=False)
    controls: Sequence[RequestControl] = ()

    def send(self, line: Line) -> int:
        """See `Request`."""
        number: int = line.add_ext(self.dn, list(self.attributes.items()), serverctrls=self.controls)
        return number


@dataclass(frozen=True, slots=True)
class Change:
    """How one attribute changes: all its values are replaced, or some added, or some taken away."""

    attribute: str
    values: Sequence[bytes] = field(repr=False)
    how: int = ldap.MOD_REPLACE


@dataclass(frozen=True, slots=True)
class Modify:
    """Changes attributes of an entry, all or none of them."""

    dn: str
    changes: Sequence[Change]

    def send(self, line: Line) -> int:
        """See `Request`."""
        changes = [(change.how, change.attribute, list(change.values) or None) for change in self.changes]
        return int(line.modify_ext(self.dn, changes))


@dataclass(frozen=True, slots=True)
class Move:
    """Gives an entry another name, and another place where one is named."""

    dn: str
    rdn: str
    parent: str | None = None

    def send(self, line: Line) -> int:
        """See `Request`."""
        return int(line.rename(self.dn, self.rdn, self.parent, delold=1))


@dataclass(frozen=True, slots=True)
class Delete:
    """Deletes an entry."""

    dn: str

    def send(self, line: Line) -> int:
        """See `Request`."""
        return int(line.delete_ext(self.dn))


@dataclass(frozen=True, slots=True)
class SetPassword:
    """Sets a password by the extended operation (RFC 3062): the server checks and hashes it by its own rules."""

    dn: str
    password: Secret

    def send(self, line: Line) -> int:
        """See `Request`."""
        return int(line.passwd(self.dn, None, self.password.reveal()))


@dataclass(frozen=True, slots=True)
class Search:
    """Looks for entries; without paging, so for a few of them."""

    base: str
    filter: str = ANY
    attributes: Sequence[str] = ()
    scope: int = ldap.SCOPE_BASE

    def send(self, line: Line) -> int:
        """See `Request`."""
        return int(line.search_ext(self.base, self.scope, self.filter, list(self.attributes)))


def find_one(request: Search) -> Generator[Request, Answer, Found | None]:
    """Looks for one entry; None where it is not there."""
    try:
        answer = yield request
    except (ldap.NO_SUCH_OBJECT, ldap.INVALID_DN_SYNTAX):
        return None
    return answer.entries[0] if answer.entries else None


class _Constant(RequestControl):  # type: ignore[misc]  # python-ldap has no types
    """A control whose value is always the same, so that it is encoded once."""

    def __init__(self, oid: str, value: bytes | None) -> None:
        super().__init__(oid, True, None)
        self._value = value

    def encodeControlValue(self) -> bytes | None:  # noqa: N802 -- python-ldap's name
        return self._value


def _attribute_list(name: str) -> bytes:
    """The value of the control (RFC 4527): a sequence of names, in BER."""
    text = name.encode()
    inner = b"\x04" + bytes([len(text)]) + text
    return b"\x30" + bytes([len(inner)]) + inner


POST_READ = "1.3.6.1.1.13.2"


def told_afterwards(attribute: str) -> RequestControl:
    """Makes the control by which the answer to an addition tells an attribute of the new entry."""
    return _Constant(POST_READ, _attribute_list(attribute))


class ToldAfterwards:
    """The answer to `told_afterwards`, as python-ldap makes it.

    Its own class for this takes the value apart with pyasn1, which costs more than the whole request.
    """

    controlType = POST_READ  # noqa: N815 -- python-ldap's name

    def __init__(self) -> None:
        self.value = b""

    def decodeControlValue(self, encoded: bytes) -> None:  # noqa: N802 -- python-ldap's name
        """Takes the value of the one attribute that was asked for: what stands last."""
        self.value = encoded


def last_text(encoded: bytes) -> bytes:
    """Returns the value of an entry in BER that holds one attribute with one value: its last octet string.

    Returns:
        Empty where there is none.
    """
    at, end, value = 0, len(encoded), b""
    while at + 2 <= end:
        tag, length, at = encoded[at], encoded[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            length, at = int.from_bytes(encoded[at : at + size], "big"), at + size
        if tag & 0x20:  # made of others: look inside
            continue
        value = encoded[at : at + length] if tag == 0x04 else value
        at += length
    return value
