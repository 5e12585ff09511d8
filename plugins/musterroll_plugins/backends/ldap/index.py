"""Which user is where: read once, and kept up to date by what is written.

Directories fold names otherwise than we do (`straße` is not `strasse` to them), so that whoever is meant by a name is
only found by looking at all of them. What is kept of each is small; who is found is read again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

import ldap

from musterroll import UserKey, fold
from musterroll_plugins.backends.ldap.connection import Connection
from musterroll_plugins.backends.ldap.dialect import Dialect
from musterroll_plugins.backends.ldap.entries import USERNAME, UserEntries
from musterroll_plugins.backends.ldap.names import both, comparable
from musterroll_plugins.backends.ldap.options import LdapOptions
from musterroll_plugins.backends.ldap.requests import Found

_AT_ONCE = 1000


class UserIndex:
    """All users of a directory, by their ids, names and what they are looked up by.

    Args:
        connection: to the directory.
        options: of the backend.
        dialect: what kind of directory it is.
        entries: reads users.
        match: the fields that users are looked up by.
    """

    def __init__(
        self, connection: Connection, options: LdapOptions, dialect: Dialect, entries: UserEntries, match: Sequence[str]
    ) -> None:
        self._connection, self._options, self._dialect, self._entries = connection, options, dialect, entries
        self._fields = {USERNAME, *match}
        self._watched = [name for name in ("userPrincipalName",) if name in dialect.made]
        self._dns: dict[str, str] = {}
        self._usernames: dict[str, str] = {}
        self._refs: dict[tuple[str, str], dict[str, None]] = {}
        self._taken: dict[str, str] = {}  # names of entries, and watched values, and whose they are
        self._noted: list[tuple[str, str, Mapping[str, str | None]]] = []  # what is to be made comparable yet
        self._loaded = False

    @property
    def filter(self) -> str:
        """Which entries are users."""
        return self._options.user_filter or self._dialect.user_filter

    def count(self) -> int:
        """How many users there are."""
        self.load()
        return len(self._dns)

    def refs(self) -> list[str]:
        """The ids of all users."""
        self.load()
        return list(self._dns)

    def dn(self, ref: str) -> str | None:
        """Returns where a user was when last seen; None where that is not known yet."""
        return self._dns.get(ref)

    def username(self, ref: str) -> str | None:
        """Returns a user's name, as last seen."""
        return self._usernames.get(ref)

    def candidates(self, keys: Sequence[UserKey]) -> dict[UserKey, list[str]]:
        """Returns the ids of those who may be meant, for each key."""
        wanted = {key.field for key in keys}
        if not wanted <= self._fields:
            self._fields |= wanted
            self._loaded = False
        self.load()
        return {key: list(self._refs.get((key.field, key.folded), ())) for key in keys}

    def holder(self, what: str) -> str | None:
        """Returns the id of who has the entry of this name, or this watched value; an empty one for a stranger's."""
        self.load()
        return self._taken.get(what)

    def note(self, ref: str, dn: str, fields: Mapping[str, str | None]) -> None:
        """Notes a user who was seen, created or changed; `fields` may be some of them."""
        self._dns[ref] = dn
        if name := fields.get(USERNAME):
            self._usernames[ref] = name
        self._noted.append((ref, dn, fields))

    def drop(self, ref: str) -> None:
        """Notes that a user is gone."""
        if dn := self._dns.pop(ref, None):
            self._taken.pop(comparable(dn), None)
        self._usernames.pop(ref, None)

    def forget(self) -> None:
        """Notes that others may have written: the next look-up reads all users again."""
        self._loaded = False

    def load(self) -> None:
        """Reads all users, if that was not done before.

        Raises:
            ldap.LDAPError: the server refuses it.
        """
        if self._loaded:
            self._compare()
            return
        self._noted.clear()
        for kept in (self._dns, self._usernames, self._refs, self._taken):
            kept.clear()
        names = [self._entries.attributes.get(name) for name in sorted(self._fields)]
        phone = [self._entries.attributes.get("phone")] if "calling_code" in self._fields else []
        asked = [name for name in (*names, *phone, self._dialect.id_attribute, *self._watched) if name]
        for found in self._connection.search(self._options.base, self.filter, list(dict.fromkeys(asked))):
            self._see(found)
            if len(self._noted) >= _AT_ONCE:
                self._compare()
        self._compare()
        self._loaded = True

    def _compare(self) -> None:
        for ref, dn, fields in self._noted:
            self._taken[comparable(dn)] = ref
            for name in self._fields:
                if text := fields.get(name):
                    self._refs.setdefault((name, fold(text)), {})[ref] = None
        self._noted.clear()

    def _see(self, found: Found) -> None:
        ref = self._dialect.ref_of(found.entry)
        values = self._entries.values(found.entry)
        if ref is None or not values.get(USERNAME):
            self._taken.setdefault(comparable(found.dn), "")
            return
        self.note(ref, found.dn, values)
        for attribute in self._watched:
            for value in found.entry.get(attribute.lower(), ()):
                self._taken[watched(attribute, value.decode("utf-8", "replace"))] = ref

    def where(self, wanted: str) -> list[str]:
        """Returns where the users are that a filter finds, now.

        Raises:
            ldap.LDAPError: the server refuses it.
        """
        return [found.dn for found in self._connection.search(self._options.base, both(self.filter, wanted), ["1.1"])]

    def read(self, refs: Iterable[str]) -> dict[str, Found]:
        """Reads users as they are now, by id; those who are gone are left out.

        Raises:
            ldap.LDAPError: the server refuses it.
        """
        where = {dn: ref for ref in refs if (dn := self._dns.get(ref)) is not None}
        read = self._connection.read_all(list(where), self._entries.asked)
        found = {ref: one for one in read if (ref := self._dialect.ref_of(one.entry)) is not None}
        for ref in set(where.values()) - found.keys():  # moved since by others, or gone
            request = self._dialect.find(ref, self._options.base, self._entries.asked)
            with suppress(ldap.NO_SUCH_OBJECT):
                found.update((ref, one) for one in (self._connection.ask(request).entries if request else ()))
        return found


def watched(attribute: str, value: str) -> str:
    """Under what `holder` knows a value."""
    return f"{attribute.lower()}={value.lower()}"
