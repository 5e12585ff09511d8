"""The options of the backend `ldap`."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from musterroll import FilePath, Options, SecretRef, Template, known_field

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*(;[A-Za-z0-9-]+)*|\d+(\.\d+)+")
_RDN = re.compile(r"\s*([A-Za-z][A-Za-z0-9-]*)\s*=\s*(.+)", re.DOTALL)
_PART = re.compile(r"\s*[A-Za-z][A-Za-z0-9-]*\s*=\s*\S")


def _server(text: str) -> str:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise ValueError("this is no address of a directory server") from None
    if parts.scheme not in ("ldap", "ldaps", "ldapi") or not parts.netloc or not text.isprintable() or " " in text:
        raise ValueError('write the address as "ldaps://directory.example", with :PORT where it is another one')
    if parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("leave out what follows the host and the port; there are options for it")
    return text.rstrip("/")


def _dn(text: str) -> str:
    if not all(_PART.match(part) for part in re.split(r"(?<!\\),", text)):
        raise ValueError(f'"{text}" is no name of an entry; write it as "ou=people,dc=school,dc=example"')
    return text


def _attribute(text: str) -> str:
    if text and not _NAME.fullmatch(text):
        raise ValueError(f'"{text}" is no name of an attribute or object class')
    return text


def _template(text: str) -> str:
    Template(text)
    return text


def _rdn(text: str) -> str:
    found = _RDN.fullmatch(text)
    if found is None or not Template(found[2]).names:
        raise ValueError('write an attribute and what it is made of, as "uid={username}"')
    return text


def _filter(text: str) -> str:
    if not (text.startswith("(") and text.endswith(")") and text.count("(") == text.count(")")):
        raise ValueError('write a filter in parentheses, as "(objectClass=person)"')
    return text


def _field(name: str) -> str:
    if name in ("password", "groups"):
        raise ValueError(f"the {name} of a user are no attribute; there are options for them")
    return name


Server = Annotated[str, AfterValidator(_server)]
Dn = Annotated[str, AfterValidator(_dn)]
Attribute = Annotated[str, AfterValidator(_attribute)]
Text = Annotated[str, AfterValidator(_template)]
FieldName = Annotated[str, AfterValidator(_field), AfterValidator(known_field)]
Filter = Annotated[str, AfterValidator(_filter)]


class LdapOptions(Options):
    """Options of the backend `ldap`.

    Attributes:
        servers: the addresses of the directory's servers, as `ldaps://directory.example`; tried in turn.
        security: `tls` encrypts everything, with StartTLS where the address begins with `ldap:`; `none` nothing.
        ca: a file with the certificates of your own certificate authority, in PEM, instead of the usual ones.
        user: whom to sign in as: the name of an entry, or for Active Directory `importer@acme.example`. Not needed
            at a socket of this machine (`ldapi:`).
        password: that account's password.
        kind: what kind of directory it is; `auto` asks it.
        base: the entry below which users are looked for.
        users: the entry below which new users are put.
        containers: other entries to put new users below, by the value of a field or by a group's path.
        containers_by: the field that decides, or `groups`.
        user_classes: the object classes of a user.
        user_filter: which entries are users; by default those of the last of the classes.
        rdn: how the entry of a user is named.
        attributes: which attribute a field becomes, besides the usual ones; `""` leaves the field out, whatever the
            sheet has there.
        made: attributes that are made of fields and follow them, as `gecos = "{forename} {surname}"`. Of one that a
            field becomes as well, this is what it is given where the field is empty.
        numbers: attributes that get the next free number, and the first one, as `uidNumber = 20000`.
        key_attribute: a free attribute of users and groups, for the mark by which they are known to be ours after a
            crash.
        unique_email: an address may belong to one user only.
        passwords: whether passwords are set.
        change_at_logon: the user must change the password at the next logon (Active Directory).
        inactive_attribute: the attribute that says that a user is inactive (not for Active Directory).
        inactive_value: its value for an inactive user; it is taken away when the user is active again.
        inactive_container: inactive users are put below this entry.
        groups: the entry below which groups are; without it there are none.
        group_class: the object class of a group.
        group_scope: the scope of a new group (Active Directory).
        nesting: how a group inside a group is kept: as a member of the outer one, in its name (`path`), or not at all.
        path_separator: what separates the levels of a group in its name.
        placeholder: who is a member of a group that has none, where the class wants one; the group itself if not given.
        first_gid: the lowest number of a group that is a `posixGroup`.
        member_batch: so many members are added to a group at once.
        in_flight: so many requests are sent before the first of them is answered.
        page_size: so many entries are asked for at once; 0 asks for all.
        timeout: so many seconds may pass without an answer.
        retries: so often all servers are tried again when none can be reached.
    """

    servers: Annotated[tuple[Server, ...], Field(min_length=1, max_length=16)]
    security: Literal["tls", "none"] = "tls"
    ca: FilePath | None = None
    user: str | None = None
    password: SecretRef | None = None
    kind: Literal["auto", "openldap", "active-directory"] = "auto"
    base: Dn
    users: Dn
    containers: dict[str, Dn] = Field({})
    containers_by: str = "department"
    user_classes: tuple[Attribute, ...] = ()
    user_filter: Filter | None = None
    rdn: Annotated[str, AfterValidator(_rdn)] | None = None
    attributes: dict[FieldName, Attribute] = Field({})
    made: dict[Attribute, Text] = Field({})
    numbers: dict[Attribute, Annotated[int, Field(ge=1, le=2_000_000_000)]] = Field({})
    key_attribute: Attribute = ""
    unique_email: bool = False
    passwords: bool = True
    change_at_logon: bool = False
    inactive_attribute: Attribute = ""
    inactive_value: str = ""
    inactive_container: Dn | None = None
    groups: Dn | None = None
    group_class: Literal["groupOfNames", "groupOfUniqueNames", "posixGroup", "group"] | None = None
    group_scope: Literal["global", "universal", "domain-local"] = "global"
    nesting: Literal["members", "path", "none"] | None = None
    path_separator: str = Field("|", min_length=1, max_length=1)
    placeholder: Dn | None = None
    first_gid: int = Field(10000, ge=1, le=2_000_000_000)
    member_batch: int = Field(500, ge=1, le=100_000)
    in_flight: int = Field(64, ge=1, le=1024)
    page_size: int = Field(500, ge=0, le=100_000)
    timeout: float = Field(30.0, gt=0, le=3600)
    retries: int = Field(4, ge=0, le=20)

    @model_validator(mode="after")
    def _whole(self) -> LdapOptions:
        local = all(server.startswith("ldapi:") for server in self.servers)
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password belong together")
        if self.user is None and not local:
            raise ValueError("name the account to sign in as: user and password")
        if bool(self.inactive_attribute) != bool(self.inactive_value):
            raise ValueError("inactive_attribute and inactive_value belong together")
        if self.kind == "active-directory":
            if self.inactive_attribute:
                raise ValueError("Active Directory has its own mark of inactive users; leave out inactive_attribute")
            if self.group_class not in (None, "group"):
                raise ValueError("the groups of Active Directory are of the class group; leave out group_class")
        if self.group_class == "posixGroup" and self.nesting == "members":
            raise ValueError('a posixGroup has users as members, not groups; set nesting to "path" or "none"')
        if "\\" in self.path_separator:
            raise ValueError("path_separator cannot have a backslash in it")
        return self

    @model_validator(mode="after")
    def _of_fields(self, info: ValidationInfo) -> LdapOptions:
        named = [name for text in (self.rdn or "", *self.made.values()) for name in Template(text).names]
        if self.containers and self.containers_by != "groups":
            named.append(self.containers_by)
        for name in named:
            if known_field(name, info) in ("password", "groups"):
                raise ValueError(f"an entry is not named after the {name}")
        return self
