"""Attributes with so many values that a server tells them in parts: `member;range=0-1499`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from musterroll_plugins.backends.ldap.connection import Connection
from musterroll_plugins.backends.ldap.requests import Entry, Found

_RANGE = re.compile(r"([^;]+);range=(\d+)-(\d+|\*)", re.IGNORECASE)


def all_values(connection: Connection, found: Found, attribute: str) -> Iterator[bytes]:
    """Yields all values of an attribute; what the server has kept back is asked for.

    Args:
        connection: to the directory.
        found: the entry, with the first values.
        attribute: the attribute.

    Raises:
        ldap.LDAPError: the server refuses it.
    """
    entry: Entry | None = found.entry
    yield from found.entry.get(attribute.lower(), ())
    while entry is not None:
        values, last = _part(entry, attribute)
        yield from values
        if last is None:
            return
        rest = connection.read(found.dn, [f"{attribute};range={last + 1}-*"])
        entry = None if rest is None else rest.entry


def _part(entry: Entry, attribute: str) -> tuple[list[bytes], int | None]:
    """Returns the values of a part, and the number of the last one; None where nothing comes behind it."""
    for name, values in entry.items():
        match = _RANGE.fullmatch(name)
        if match is not None and match[1].lower() == attribute.lower():
            return values, None if match[3] == "*" else int(match[3])
    return [], None
