"""Fields that name another user, where the directory has the name of that user's entry, as it has of a `manager`.

To everybody else such a field has the other user's username: usernames become names of entries when something is
written, and names of entries become usernames when something is read.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import suppress

import ldap

from musterroll import fold
from musterroll_plugins.backends.ldap.dialect import Dialect
from musterroll_plugins.backends.ldap.entries import USERNAME, Fields, UserEntries
from musterroll_plugins.backends.ldap.index import UserIndex
from musterroll_plugins.backends.ldap.names import both, comparable, equals
from musterroll_plugins.backends.ldap.options import LdapOptions
from musterroll_plugins.backends.ldap.requests import (
    ANY,
    Answer,
    Change,
    Entry,
    Found,
    Modify,
    Request,
    Search,
    find_one,
)

_NOTHING = ["1.1"]
_LOOKS = 5


class NobodyError(Exception):
    """A field names somebody whom the directory does not have."""


class References:
    """Whom users name.

    Args:
        options: of the backend.
        dialect: what kind of directory it is.
        entries: knows the fields.
        index: knows where users are.
    """

    def __init__(self, options: LdapOptions, dialect: Dialect, entries: UserEntries, index: UserIndex) -> None:
        self._options, self._dialect, self._entries, self._index = options, dialect, entries, index
        self._refs: dict[str, str] = {}  # by folded username

    def forget(self) -> None:
        """Forgets who was there: others may have written meanwhile."""
        self._refs.clear()

    def note(self, username: str | None, ref: str) -> None:
        """Notes who was created, or got another name."""
        if username:
            self._refs[fold(username)] = ref

    def with_usernames(self, fields: Fields) -> Fields:
        """Puts usernames in place of names of entries; what is no user of ours stays as it is."""
        named = {name: dn for name in self._entries.references if (dn := fields.get(name))}
        if not named:
            return fields
        return {**fields, **{name: self._username(dn) or dn for name, dn in named.items()}}

    def _username(self, dn: str) -> str | None:
        return self._index.username(self._index.holder(comparable(dn)) or "")

    def with_entries(self, fields: Fields) -> Generator[Request, Answer, tuple[Fields, dict[str, str]]]:
        """Puts names of entries in place of usernames; says why of those that name somebody who is not there."""
        found, lacking = dict(fields), dict[str, str]()
        for name in self._entries.references:
            if text := fields.get(name):
                try:
                    found[name] = yield from self._entry(name, text)
                except NobodyError as error:
                    del found[name]
                    lacking[name] = str(error)
        return found, lacking

    def _entry(self, field: str, text: str) -> Generator[Request, Answer, str]:
        folded = fold(text)
        if self._index.dn(self._refs.get(folded, "")) is None:  # not known, or gone again
            wanted = both(self._index.filter, equals(self._dialect.username, text))
            answer = yield Search(self._options.base, wanted, self._entries.asked, ldap.SCOPE_SUBTREE)
            users = list(self._users_of(answer.entries, folded))
            if not users and "=" in text and (yield from find_one(Search(text, ANY, _NOTHING))):
                return text  # an entry that is no user of ours, as it was read: an undo names it again
            if len(users) != 1:
                reason = "the directory has no user" if not users else "the directory has several users"
                raise NobodyError(f'{reason} "{text}", who is named as {field}; run the sheet again')
            ((self._refs[folded], dn),) = users
            self._index.note(self._refs[folded], dn, {USERNAME: text})
        return str(self._index.dn(self._refs[folded]))

    def _users_of(self, entries: Iterable[Found], folded: str) -> Iterable[tuple[str, str]]:
        for found in entries:
            ref = self._dialect.ref_of(found.entry)
            if ref is not None and fold(self._entries.values(found.entry)[USERNAME] or "") == folded:
                yield ref, found.dn

    def write_again(
        self, dn: str, wanted: Fields, written: Fields, before: Entry
    ) -> Generator[Request, Answer, dict[str, str]]:
        """Names those once more who got another place while they were being named.

        Whoever is gone meanwhile is not: what was written names nobody, as the next run will say.

        Args:
            dn: the entry that was written.
            wanted: its fields with usernames.
            written: the same, with the names of entries that were written.
            before: the entry as it was.

        Returns:
            The fields that the directory refused to write again, and why; they are as before.
        """
        now, _ = yield from self.with_entries(wanted)
        refused: dict[str, str] = {}
        for name in self._entries.references:
            if name in written and (entry := now.get(name)) and entry != written[name]:
                attribute = self._entries.attributes[name]
                try:
                    yield Modify(dn, [Change(attribute, [entry.encode()])])
                except ldap.LDAPError as error:
                    if (yield from find_one(Search(dn, equals(attribute, entry), _NOTHING))):
                        continue  # the directory itself, or somebody else, has seen to it
                    text = f"{wanted[name]}, who is named as {name}, was moved meanwhile; run the sheet again"
                    refused[name] = f"{text}: {self._dialect.explain(error)}"
                    with suppress(ldap.LDAPError):
                        yield Modify(dn, [Change(attribute, before.get(attribute.lower(), []))])
        return refused

    def follow(self, before: str, after: str) -> Generator[Request, Answer, None]:
        """Names an entry by its new name wherever it is named, unless the directory sees to that."""
        if self._dialect.links_follow or comparable(before) == comparable(after):
            return
        for attribute in sorted({self._entries.attributes[name] for name in self._entries.references}):
            changes = [
                Change(attribute, [before.encode()], ldap.MOD_DELETE),
                Change(attribute, [after.encode()], ldap.MOD_ADD),
            ]
            for _ in range(_LOOKS):  # those who name it may be about to get another place themselves
                named_in = self._index.where(equals(attribute, before))
                if not named_in:
                    break
                for dn in named_in:
                    with suppress(ldap.TYPE_OR_VALUE_EXISTS, ldap.NO_SUCH_ATTRIBUTE, ldap.NO_SUCH_OBJECT):
                        yield Modify(dn, changes)  # or the directory was quicker
