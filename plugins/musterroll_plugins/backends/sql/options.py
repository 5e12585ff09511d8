"""The options of the backend `sql`."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    model_validator,
)

from musterroll import FilePath, Options, SecretRef, known_field

Constant = StrictBool | StrictInt | StrictFloat | StrictStr
"""What a column can be given in the options."""

_PRODUCTS = {"postgresql": "postgresql", "postgres": "postgresql", "mariadb": "mariadb", "mysql": "mysql"}


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise ValueError("this is no address of a database") from None
    if parts.scheme not in _PRODUCTS or not parts.path.strip("/") or not text.isprintable() or " " in text:
        raise ValueError('write the address as "postgresql://USER@HOST/DATABASE", or with mariadb: or mysql:')
    if parts.password is not None:
        raise ValueError("leave the password out of the address; it is an option of its own")
    if parts.query or parts.fragment or "/" in parts.path.strip("/"):
        raise ValueError("leave out what follows the database; there are options for it")
    return text


def _field(name: str) -> str:
    if name in ("password", "groups", "username"):
        raise ValueError(f"there is an option of its own for the {name}")
    return name


Address = Annotated[str, AfterValidator(_address)]
FieldColumn = Annotated[str, AfterValidator(_field), AfterValidator(known_field)]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class UserTable(Options):
    """Where an application keeps its users.

    Attributes:
        table: the table; `SCHEMA.TABLE` where it is not in the usual schema.
        key: the column by which others refer to a user.
        username: the column of the username.
        columns: which column a field becomes.
        password: the column of the hashed password.
        active: the column that says whether a user is active: a truth value, a time since when the user is not, or a
            text.
        active_value: its text for an active user.
        inactive_value: its text for an inactive one.
        created: a column for the time of creation.
        updated: a column for the time of the last change.
        mark: a free column for the mark by which a user is known to be ours after a crash.
        scope: only rows with these values are users, and new ones get them.
        constants: what other columns get in new rows.
    """

    table: Name = "users"
    key: Name = "id"
    username: Name = "username"
    columns: dict[FieldColumn, Name] = Field({})
    password: str = ""
    active: str = ""
    active_value: str = ""
    inactive_value: str = ""
    created: str = ""
    updated: str = ""
    mark: str = ""
    scope: dict[Name, Constant] = Field({})
    constants: dict[Name, Constant] = Field({})


class GroupTable(Options):
    """Where an application keeps its groups.

    Attributes:
        table: the table.
        key: the column by which others refer to a group.
        name: the column of its name.
        parent: the column with the key of the group that it is in.
        path_separator: without such a column: what stands between the levels in a name.
        created: a column for the time of creation.
        updated: a column for the time of the last change.
        mark: a free column for the mark by which a group is known to be ours after a crash.
        scope: only rows with these values are groups, and new ones get them.
        constants: what other columns get in new rows.
    """

    table: Name = "groups"
    key: Name = "id"
    name: Name = "name"
    parent: str = ""
    path_separator: str = Field("", max_length=1)
    created: str = ""
    updated: str = ""
    mark: str = ""
    scope: dict[Name, Constant] = Field({})
    constants: dict[Name, Constant] = Field({})


class MembershipTable(Options):
    """Where an application keeps who is in which group.

    Attributes:
        table: the table.
        user: the column with the user's key.
        group: the column with the group's key.
        created: a column for the time of creation.
        constants: what other columns get in new rows.
    """

    table: Name = "memberships"
    user: Name = "user_id"
    group: Name = "group_id"
    created: str = ""
    constants: dict[Name, Constant] = Field({})


class SqlOptions(Options):
    """Options of the backend `sql`.

    Attributes:
        url: the database's address, as `postgresql://importer@db.shop.example/shop`; `mariadb:` and `mysql:` likewise.
        file: an SQLite file, instead of an address.
        password: of the user in the address.
        security: `tls` encrypts the line and checks the server's certificate; `none` is for a server on this machine.
        ca: a file with the certificates of your own certificate authority, in PEM, instead of the usual ones.
        socket: the server's socket on this machine, instead of a host in the address (PostgreSQL: the folder).
        users: the table of users and its columns.
        groups: that of groups; without it there are none.
        memberships: that of who is in which group.
        passwords: how the application keeps passwords; `none` where it has none of its own.
        unique_email: an address may belong to one user only, although the table does not say so itself.
        delete: users and groups may be deleted, which `undo` can ask for.
        create: makes tables of our own with the first run, where those named are not there; they need not be described.
        timeout: so many seconds a connection may take, and another program's lock be waited for.
        retries: so often it is tried again when the line is lost or other programs are in the way.
    """

    url: Address | None = None
    file: FilePath | None = None
    password: SecretRef | None = None
    security: Literal["tls", "none"] = "tls"
    ca: FilePath | None = None
    socket: FilePath | None = None
    users: UserTable = UserTable()
    groups: GroupTable | None = None
    memberships: MembershipTable | None = None
    passwords: Literal["argon2id", "bcrypt", "pbkdf2-django", "none"] = "none"
    unique_email: bool = False
    delete: bool = False
    create: bool = False
    timeout: float = Field(30.0, gt=0, le=3600)
    retries: int = Field(4, ge=0, le=20)

    @property
    def product(self) -> str:
        """`postgresql`, `mariadb`, `mysql` or `sqlite`."""
        return "sqlite" if self.url is None else _PRODUCTS[urlsplit(self.url).scheme]

    @model_validator(mode="after")
    def _whole(self) -> SqlOptions:
        if (self.url is None) == (self.file is None):
            raise ValueError("name the database: either its address as url, or an SQLite file as file")
        if self.url is not None and not urlsplit(self.url).hostname and self.socket is None:
            raise ValueError("the address has no host; name one, or a socket")
        if self.create:
            return self
        if (self.groups is None) != (self.memberships is None):
            raise ValueError("groups and memberships belong together")
        if self.groups is not None and self.groups.parent and self.groups.path_separator:
            raise ValueError("a group is inside another one by its parent or by its name: leave one of them out")
        if (self.passwords != "none") != bool(self.users.password):
            raise ValueError("passwords (how they are kept) and users.password (the column) belong together")
        if bool(self.users.active_value) != bool(self.users.inactive_value):
            raise ValueError("users.active_value and users.inactive_value belong together")
        return self
