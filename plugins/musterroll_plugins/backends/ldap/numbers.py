"""Numbers that every user or group has one of its own of, as `uidNumber`."""

from __future__ import annotations

from musterroll_plugins.backends.ldap.connection import Connection


class Numbers:
    """Gives the next free numbers. Whoever else gives numbers meanwhile may give the same.

    Args:
        connection: to the directory.
        base: below which they are free.
    """

    def __init__(self, connection: Connection, base: str) -> None:
        self._connection, self._base = connection, base
        self._next: dict[str, int] = {}

    def take(self, attribute: str, first: int) -> bytes:
        """Returns a number that nobody has.

        Args:
            attribute: of which attribute.
            first: the lowest that may be given.

        Raises:
            ldap.LDAPError: the server does not show those that are given.
        """
        if attribute not in self._next:
            found = self._connection.search(self._base, f"({attribute}=*)", [attribute])
            given = [int(value) for _, entry in found for value in entry.get(attribute.lower(), ()) if value.isdigit()]
            self._next[attribute] = max([first - 1, *given]) + 1
        number = self._next[attribute]
        self._next[attribute] += 1
        return str(number).encode()
