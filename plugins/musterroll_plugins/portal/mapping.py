"""A SCIM user as a row of the directory's table of users, and back.

What the directory has a column for goes there; single texts (`title`, `department`, …) become own fields under
their names in lower case with `_`, so that the backend `directory` knows them too. Everything else (addresses,
further e-mail addresses, the parts of a name) is kept as JSON in the own field `REST`, which no sheet can have.
Own fields that SCIM has no attribute for stay as they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from musterroll_plugins.backends.directory.schema import COLUMNS
from musterroll_plugins.portal.contacts import Json, emails, phones, take_email, take_phone

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
REST = "scim:rest"  # no field's name has a colon
# In REST, says that a client has taken `active` away; the column then says 1.
NOT_SAID = "active"

_OWN_COLUMN = {"userName", "externalId", "id"}
_HEAD = ("schemas", "id", "meta", "groups", "password")


class Text(NamedTuple):
    """A single text of SCIM that is an own field of the directory.

    Attributes:
        field: the own field, e.g. `employee_number`.
        schema: the extension's URN; None for the core schema.
        attribute: e.g. `employeeNumber`.
    """

    field: str
    schema: str | None
    attribute: str


class UserRow(NamedTuple):
    """The columns that a SCIM user is made of."""

    username: str
    email: str | None
    forename: str | None
    surname: str | None
    calling_code: str | None
    phone: str | None
    attributes: Mapping[str, str]
    active: bool
    external_id: str | None


def own_field(attribute: str) -> str:
    """Returns the own field's name of an attribute: `employeeNumber` is `employee_number`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+", "_", attribute).lower()


class UserMapping:
    """Converts users.

    Args:
        schemas: the schema of users and its extensions, as JSON (RFC 7643, section 7).

    Attributes:
        texts: the single texts by URN, e.g. `urn:…:User:title`.
    """

    def __init__(self, schemas: Iterable[Json]) -> None:
        self.texts: dict[str, Text] = {}
        taken = {*COLUMNS, "username", "password", "groups"}
        for schema in schemas:
            urn = schema["id"]
            for attribute in schema["attributes"]:
                name = attribute["name"]
                field = own_field(name)
                if (urn == USER and name in _OWN_COLUMN) or field in taken or not _is_text(attribute):
                    continue
                taken.add(field)
                self.texts[f"{urn}:{name}"] = Text(field, None if urn == USER else urn, name)

    def to_row(self, user: Json, stored: Mapping[str, str] | None = None) -> UserRow:
        """Converts a SCIM user.

        Args:
            user: the user as JSON; not changed.
            stored: the own fields as they are, of which those that SCIM does not know are kept; None for a new
                user, who is active unless something else is said.
        """
        rest = {key: value for key, value in user.items() if key not in _HEAD}
        username, external_id = rest.pop("userName"), rest.pop("externalId", None)
        active = rest.pop("active", None if stored is not None else True)
        name = dict(rest.pop("name", None) or {})
        forename, surname = name.pop("givenName", None), name.pop("familyName", None)
        if name:
            rest["name"] = name
        known = {text.field for text in self.texts.values()} | {REST}
        own = {field: value for field, value in (stored or {}).items() if field not in known}
        own |= self._take_texts(rest)
        email = take_email(rest)
        calling_code, phone = take_phone(rest)
        rest = {key: value for key, value in rest.items() if value not in (None, {}, [])}
        if active is None:
            rest[NOT_SAID] = None
        if rest:
            own[REST] = json.dumps(rest, ensure_ascii=False, separators=(",", ":"), default=str)
        return UserRow(
            username=username,
            email=email or None,
            forename=forename or None,
            surname=surname or None,
            calling_code=calling_code,
            phone=phone,
            attributes=own,
            active=active is not False,
            external_id=external_id or None,
        )

    def to_scim(self, row: UserRow) -> Json:
        """Converts a row; `schemas`, `id`, `meta` and `groups` are the caller's."""
        own = row.attributes
        rest: Json = json.loads(own[REST]) if REST in own else {}
        user: Json = {"userName": row.username}
        if NOT_SAID not in rest or not row.active:
            user["active"] = row.active
        rest.pop(NOT_SAID, None)
        if row.external_id:
            user["externalId"] = row.external_id
        name = rest.pop("name", {})
        if row.forename:
            name["givenName"] = row.forename
        if row.surname:
            name["familyName"] = row.surname
        if name:
            user["name"] = name
        addresses = emails(rest, row.email)
        numbers = phones(rest, row.calling_code, row.phone)
        user |= rest
        if addresses:
            user["emails"] = addresses
        if numbers:
            user["phoneNumbers"] = numbers
        for text in self.texts.values():
            if value := own.get(text.field):
                (user if text.schema is None else user.setdefault(text.schema, {}))[text.attribute] = str(value)
        return user

    def _take_texts(self, rest: Json) -> dict[str, str]:
        taken: dict[str, str] = {}
        for text in self.texts.values():
            place = rest if text.schema is None else rest.get(text.schema)
            if not place or text.attribute not in place:
                continue
            if text.schema is not None:  # a copy: the caller's is not to be changed
                place = rest[text.schema] = dict(place)
            if value := place.pop(text.attribute):
                taken[text.field] = str(value)
        return taken


def _is_text(attribute: Json) -> bool:
    return (
        attribute.get("type") in ("string", "reference")
        and not attribute.get("multiValued")
        and attribute.get("mutability", "readWrite") == "readWrite"
        and attribute.get("returned", "default") != "never"
    )
