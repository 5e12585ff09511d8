"""What is missing in a directory is said before the first write: entries, rights, and what the schema lacks.

OpenLDAP can be asked neither who may write where, nor to only try: its no-operation control leaves attributes in the
database of 2.5 that it can no longer read. There a right that is missing shows with the first write, which then is the
last one, too.
"""

from __future__ import annotations

from collections.abc import Sequence

from musterroll import BackendError
from musterroll_plugins.backends.ldap.connection import Connection
from musterroll_plugins.backends.ldap.dialect import Dialect
from musterroll_plugins.backends.ldap.entries import UserEntries
from musterroll_plugins.backends.ldap.group_index import GroupShape
from musterroll_plugins.backends.ldap.names import is_below
from musterroll_plugins.backends.ldap.options import LdapOptions

_NOTHING = ["1.1"]


class Survey:
    """Looks whether a directory has what the options name, without writing.

    Args:
        connection: to the directory.
        options: of the backend.
        dialect: what kind of directory it is.
        entries: makes entries of users.
        shape: what its groups look like.
    """

    def __init__(
        self, connection: Connection, options: LdapOptions, dialect: Dialect, entries: UserEntries, shape: GroupShape
    ) -> None:
        self._connection, self._options, self._dialect = connection, options, dialect
        self._entries, self._shape = entries, shape

    def look(self) -> None:
        """Looks.

        Raises:
            BackendError: something is missing.
            ldap.LDAPError: the server does not answer.
        """
        self._look_for_entries()
        self._look_into_schema()
        for place in dict.fromkeys((self._options.users, *self._options.containers.values())):
            self._look_at_rights(place, self._classes[-1])
        if self._options.groups is not None:
            self._look_at_rights(self._options.groups, self._shape.group_class)

    @property
    def _classes(self) -> Sequence[str]:
        return self._options.user_classes or self._dialect.user_classes

    def _look_for_entries(self) -> None:
        named = [("base", self._options.base), ("users", self._options.users)]
        named += [("containers", dn) for dn in self._options.containers.values()]
        named += [(name, dn) for name in ("inactive_container", "groups") if (dn := getattr(self._options, name))]
        for option, dn in named:
            if self._connection.read(dn, _NOTHING) is None:
                raise BackendError(
                    f"{dn} (option {option}) is not there, or the account that musterroll signs in as may not see it; "
                    "create it, or name another entry"
                )
            if option not in ("base", "groups") and not is_below(dn, self._options.base):
                raise BackendError(
                    f"{dn} (option {option}) is not below {self._options.base}, where users are looked for; "
                    "name an entry above both in the option base"
                )

    def _look_into_schema(self) -> None:
        schema = self._dialect.read_schema(self._connection)
        if schema is None:
            return  # it is not shown; then the first write shows what it lacks
        groups = [self._shape.group_class] * (self._options.groups is not None)
        attributes = [*self._entries.new_attributes()]
        for what, missing in (
            ("object class", schema.missing_classes([*self._classes, *groups])),
            ("attribute", schema.missing_attributes(attributes)),
        ):
            if missing:
                raise BackendError(
                    f"the directory's schema has no {what} {', '.join(missing)}; "
                    "have the schema installed, or name others in the backend's options"
                )
        if self._dialect.fills_in:
            return
        if wanted := schema.wanted(self._classes, attributes):
            raise BackendError(
                f"the object classes {', '.join(self._classes)} insist on the attribute {', '.join(wanted)}; "
                "say what it is made of in the option made"
            )

    def _look_at_rights(self, place: str, kind: str) -> None:
        children = self._dialect.may_be_below(self._connection, place)
        if children is not None and kind not in children:
            raise BackendError(
                f"the account {self._options.user} may not create a {kind} below {place}; have it given the right"
            )
