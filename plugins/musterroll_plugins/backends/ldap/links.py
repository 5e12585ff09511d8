"""Memberships, where the directory does not keep them itself when a user gets another name or goes."""

from __future__ import annotations

from collections.abc import Generator, Mapping

import ldap

from musterroll_plugins.backends.ldap.dialect import Dialect
from musterroll_plugins.backends.ldap.entries import USERNAME
from musterroll_plugins.backends.ldap.group_index import GroupShape
from musterroll_plugins.backends.ldap.names import both, equals
from musterroll_plugins.backends.ldap.options import LdapOptions
from musterroll_plugins.backends.ldap.requests import Answer, Change, Modify, Request, Search


class Links:
    """Follows what is renamed, in the groups that it is a member of.

    Where the directory does so itself (OpenLDAP's refint, which takes its time), both do, and either finds it done.

    Args:
        options: of the backend.
        dialect: what kind of directory it is.
        shape: what its groups look like.
    """

    def __init__(self, options: LdapOptions, dialect: Dialect, shape: GroupShape) -> None:
        self._shape = shape
        self._needed = options.groups is not None and (shape.by_username or not dialect.links_follow)

    def value(self, dn: str, fields: Mapping[str, str | None]) -> str:
        """Returns what a user is called among the members of a group."""
        return str(fields.get(USERNAME)) if self._shape.by_username else dn

    def follow(self, before: str, after: str | None) -> Generator[Request, Answer, None]:
        """Puts another member in a former one's place; None takes it out."""
        if not self._needed or before == after:
            return
        shape = self._shape
        wanted = both(shape.filter, equals(shape.member, before))
        answer = yield Search(shape.base, wanted, [shape.member], ldap.SCOPE_SUBTREE)
        for dn, _ in answer.entries:
            if after is not None:
                yield from self._try(Modify(dn, [Change(shape.member, [after.encode()], ldap.MOD_ADD)]))
            yield from self._try(Modify(dn, [Change(shape.member, [before.encode()], ldap.MOD_DELETE)]))

    def _try(self, request: Modify) -> Generator[Request, Answer, None]:
        try:
            yield request
        except (ldap.TYPE_OR_VALUE_EXISTS, ldap.NO_SUCH_ATTRIBUTE, ldap.NO_SUCH_OBJECT):
            pass  # the directory was quicker
        except ldap.OBJECT_CLASS_VIOLATION:
            # It was the only member of a group that must have one.
            placeholder = Change(self._shape.member, [self._shape.placeholder(request.dn).encode()])
            yield Modify(request.dn, [placeholder])
