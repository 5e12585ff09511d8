"""What differs between kinds of directories. Here is OpenLDAP and its like; Active Directory differs from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import ldap
from ldap.controls import RequestControl

from musterroll import Desired, Objection, Secret, gettext
from musterroll_plugins.backends.ldap.connection import Connection
from musterroll_plugins.backends.ldap.errors import described
from musterroll_plugins.backends.ldap.names import equals
from musterroll_plugins.backends.ldap.options import LdapOptions
from musterroll_plugins.backends.ldap.requests import (
    POST_READ,
    Answer,
    Change,
    Entry,
    Request,
    Search,
    SetPassword,
    ToldAfterwards,
    last_text,
    told_afterwards,
)
from musterroll_plugins.backends.ldap.schema import Schema

PASSWORD_MODIFY = "1.3.6.1.4.1.4203.1.11.1"  # noqa: S105 -- the name of an operation


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What a server says of itself (its root DSE), by the names of the attributes in lower case."""

    entry: Entry

    @classmethod
    def ask(cls, connection: Connection) -> ServerFacts:
        """Asks the server.

        Raises:
            ldap.LDAPError: it does not say.
        """
        found = connection.read("", ["*", "+"])
        return cls({} if found is None else found.entry)

    def texts(self, attribute: str) -> list[str]:
        """Returns what stands in an attribute."""
        return [value.decode("utf-8", "replace") for value in self.entry.get(attribute.lower(), ())]

    def has(self, attribute: str, value: str) -> bool:
        """Whether something stands in an attribute."""
        return value in self.texts(attribute)


class Dialect:
    """OpenLDAP and its like.

    Args:
        options: of the backend.
        facts: what the server says of itself.

    Attributes:
        id_attribute: what an entry is known by for good.
        username: the attribute that is the username.
        usual: which attribute a field becomes, where the options say nothing else.
        made: attributes that are made of fields, likewise.
        rdn: how the entry of a user is named, likewise.
        user_classes: the object classes of a user, likewise.
        group_class: that of a group, likewise.
        shows_groups: whether the entry of a user tells its groups (`memberOf`), so that the groups' need not be read.
        links_follow: whether memberships stay when an entry gets another name, and go when it is deleted.
        names_are_unique: whether the server itself takes a username once.
        fills_in: whether the server itself gives what its object classes insist on.
        group_number: the attribute of a group by whose value a user names the primary group.
        finds_at_once: whether an entry is found by its id as quickly as by its name.
        schema: what it has, as far as it shows that.
        told: what is asked for along with the addition of an entry.
    """

    id_attribute = "entryUUID"
    username = "uid"
    usual: Mapping[str, str] = {
        "email": "mail",
        "forename": "givenName",
        "surname": "sn",
        "phone": "telephoneNumber",
    }
    rdn = "uid={username}"
    user_classes: Sequence[str] = ("inetOrgPerson",)
    group_class = "groupOfNames"
    shows_groups = False
    links_follow = False
    names_are_unique = False
    fills_in = False
    group_number: str | None = None
    finds_at_once = False

    def __init__(self, options: LdapOptions, facts: ServerFacts) -> None:
        self.options, self.facts = options, facts
        self.schema: Schema | None = None
        tells = facts.has("supportedControl", POST_READ)
        self.told: Sequence[RequestControl] = (told_afterwards(self.id_attribute),) if tells else ()

    @property
    def product(self) -> str:
        """What the directory is, as far as the server says it."""
        return "OpenLDAP" if "OpenLDAProotDSE" in self.facts.texts("objectClass") else self.vendor or "a directory"

    @property
    def vendor(self) -> str:
        """Who makes the server, and which version it is; empty where it does not say."""
        return " ".join(self.facts.texts("vendorName") + self.facts.texts("vendorVersion"))

    @property
    def made(self) -> Mapping[str, str]:
        """See the class."""
        return {"cn": "{forename} {surname}", "sn": "{username}"}

    @property
    def user_filter(self) -> str:
        """Which entries are users, where the options do not say."""
        return equals("objectClass", (self.options.user_classes or self.user_classes)[-1])

    @property
    def sets_passwords(self) -> bool:
        """Whether passwords can be set."""
        return self.facts.has("supportedExtension", PASSWORD_MODIFY)

    @property
    def deactivates(self) -> bool:
        """Whether there is a way to make a user inactive."""
        return bool(self.options.inactive_attribute or self.options.inactive_container)

    @property
    def asked(self) -> Sequence[str]:
        """What is asked for of a user besides what fields become."""
        return [name for name in (self.options.inactive_attribute,) if name]

    def names_entries(self, attribute: str) -> bool:
        """Whether the values of an attribute are names of entries; where the schema is not shown, of the usual ones."""
        if self.schema is None:
            return attribute.lower() in ("manager", "secretary", "assistant")
        return self.schema.names_entries(attribute)

    def read_schema(self, connection: Connection) -> Schema | None:
        """Reads the schema, once; None where it is not shown.

        Raises:
            ldap.LDAPError: the server does not answer.
        """
        where = self.facts.texts("subschemaSubentry")
        if self.schema is None and where:
            self.schema = Schema.read(connection, where[0])
        return self.schema

    # -- who is who -----------------------------------------------------------------------------------------

    def ref_of(self, entry: Entry) -> str | None:
        """Returns the id of an entry; None where it is not shown."""
        values = entry.get(self.id_attribute.lower())
        return values[0].decode("ascii", "replace").lower() if values else None

    def ref_in(self, answer: Answer) -> str | None:
        """Returns the id of an entry that was added, where the answer tells it."""
        for control in answer.controls:
            if isinstance(control, ToldAfterwards):
                return last_text(control.value).decode("ascii", "replace").lower() or None
        return None

    def find(self, ref: str, base: str, attributes: Sequence[str]) -> Search | None:
        """Makes the request that finds an entry by its id; None where that is none."""
        return Search(base, equals(self.id_attribute, ref), attributes, ldap.SCOPE_SUBTREE)

    # -- passwords, and being active ------------------------------------------------------------------------

    def for_new_user(self, password: Secret | None) -> Mapping[str, Sequence[bytes]]:
        """Returns what a new user's entry holds besides, its password where that belongs there."""
        return {}

    def set_password(self, dn: str, password: Secret) -> Request:
        """Makes the request that sets a password."""
        return SetPassword(dn, password)

    @property
    def password_is_apart(self) -> bool:
        """Whether the password of a new user is set by a request of its own."""
        return True

    def is_marked_inactive(self, entry: Entry) -> bool:
        """Whether an entry says that the user is inactive."""
        wanted = self.options.inactive_value.encode()
        return bool(wanted) and wanted in entry.get(self.options.inactive_attribute.lower(), ())

    def mark(self, entry: Entry, *, active: bool) -> list[Change]:
        """Makes the changes that make a user active or inactive."""
        if not self.options.inactive_attribute:
            return []
        value = [] if active else [self.options.inactive_value.encode()]
        return [Change(self.options.inactive_attribute, value)]

    # -- what is missing ------------------------------------------------------------------------------------

    def insist(self) -> None:
        """Looks whether the options fit this kind of directory.

        Raises:
            BackendError: they do not.
        """

    def may_be_below(self, connection: Connection, dn: str) -> Sequence[str] | None:
        """Returns the object classes that the account may create below an entry; None where nobody says.

        Raises:
            ldap.LDAPError: the server refuses it.
        """
        return None

    # -- groups ---------------------------------------------------------------------------------------------

    def for_new_group(self, name: str) -> Mapping[str, Sequence[bytes]]:
        """Returns what a new group's entry holds besides."""
        return {}

    def another_logon_name(
        self, group: Mapping[str, Sequence[bytes]], key: str
    ) -> Mapping[str, Sequence[bytes]] | None:
        """Returns a new group with another logon name, as a user may have its own; None where groups have none."""
        return None

    # -- what it will not take ------------------------------------------------------------------------------

    def learn(self, connection: Connection, attributes: Iterable[str]) -> None:
        """Asks for what `objections` goes by.

        Raises:
            ldap.LDAPError: the server does not say.
        """

    def objections(
        self, user: Desired, made: Mapping[str, str], ref: str | None, password: Secret | None
    ) -> Iterator[Objection]:
        """Says what the directory will not take of a user.

        Args:
            user: as it is to be.
            made: the attributes that change, with their values.
            ref: of the user; None for a new one.
            password: the one that is to be set.
        """
        for attribute, value in made.items():
            what = self.schema.unfit(attribute, value) if self.schema is not None else None
            if what is not None:
                message = "The directory takes {what} for {attribute}; give another value"
                yield Objection(attribute, gettext(message, what=what, attribute=attribute))

    def explain(self, error: ldap.LDAPError) -> str:
        """Says in a sentence why something was refused."""
        return described(error)
