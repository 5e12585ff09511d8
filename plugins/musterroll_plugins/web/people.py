"""Who may do what: people and programs, their roles, and the file that says so."""

from __future__ import annotations

import hashlib
import hmac
import tomllib
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from musterroll import Options, SecretRef, UsageError, gettext
from musterroll.engine import faults_in, message_for


class Role(IntEnum):
    """What somebody may do; each may do what those before it may."""

    VIEWER = 1
    IMPORTER = 2
    APPROVER = 3


RoleName = Literal["viewer", "importer", "approver"]
_EVERY = "*"


class Rights(Options):
    """Who, in which role, for which customers."""

    name: str = Field(min_length=1, max_length=200, description="The person as the sign-in names them; the program.")
    role: RoleName = Field(description="viewer, importer or approver.")
    customers: tuple[str, ...] = Field((_EVERY,), description="The names of the customers' pipelines.")


class Program(Rights):
    """A program, and the token that it brings."""

    token: SecretRef = Field(description="The bearer token, at least 20 characters.")


class ProxySignIn(Options):
    """A proxy in front signs people in and names them in a header."""

    header: str = Field("X-Forwarded-User", min_length=1, description="The header that names the person.")
    addresses: tuple[str, ...] = Field(("127.0.0.1", "::1"), description="Where the proxy's requests come from.")


class OidcSignIn(Options):
    """An OpenID provider signs people in."""

    issuer: str = Field(pattern=r"^https?://", description="The provider's address.")
    client_id: str = Field(min_length=1, description="What the provider calls this program.")
    client_secret: SecretRef = Field(description="What it proves itself with.")
    claim: Literal["email", "sub", "preferred_username"] = Field("email", description="What people are named by.")
    groups_claim: str = Field("groups", min_length=1, description="What says which groups somebody is in.")
    scopes: tuple[str, ...] = Field(("openid", "email", "profile"), description="What the provider is asked for.")

    @field_validator("scopes")
    @classmethod
    def _is_openid(cls, scopes: tuple[str, ...]) -> tuple[str, ...]:
        if "openid" not in scopes:
            raise ValueError('"openid" has to be among them')
        return scopes


class AccessFile(Options):
    """The access file."""

    proxy: ProxySignIn | None = None
    oidc: OidcSignIn | None = None
    people: tuple[Rights, ...] = ()
    groups: tuple[Rights, ...] = ()
    programs: tuple[Program, ...] = ()

    @model_validator(mode="after")
    def _one_sign_in(self) -> AccessFile:
        if self.proxy and self.oidc:
            raise ValueError("people sign in by proxy or by oidc, not both")
        if self.people and not (self.proxy or self.oidc):
            raise ValueError("people need a sign-in: write [proxy] or [oidc]")
        if self.groups and not self.oidc:
            raise ValueError("groups are said by an OpenID provider: write [oidc]")
        return self


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody, as it is noted who did something: a person and a program of the same name are two.

    As a text it is what people are shown.

    Attributes:
        name: as the sign-in or the access file has it.
        is_program: whether it is a program with a token.
    """

    name: str
    is_program: bool = False

    def __str__(self) -> str:
        """Returns the name, and says so of a program."""
        return gettext("{name} (program)", name=self.name) if self.is_program else self.name


@dataclass(frozen=True)
class Person:
    """Somebody who was let in.

    Attributes:
        name: as the audit log has it.
        roles: the role by customer; `*` for every other one.
        is_program: whether it is a program with a token.
        is_alone: whether there is nobody else, as on one's own computer: who begins a job may then approve it.
    """

    name: str
    roles: dict[str, Role] = field(hash=False)
    is_program: bool = False
    is_alone: bool = False

    @property
    def who(self) -> Who:
        """Who it is, to be noted."""
        return Who(self.name, self.is_program)

    def role_for(self, customer: str) -> Role | None:
        """The role for a customer; None where there is none, and then the customer does not exist for them."""
        return max(filter(None, (self.roles.get(customer), self.roles.get(_EVERY))), default=None)


@dataclass(frozen=True)
class Arrival:
    """Somebody who comes from a sign-in.

    Attributes:
        name: what it calls them.
        groups: in which groups it says they are.
        to: the page that they wanted to see.
    """

    name: str
    groups: frozenset[str] = frozenset()
    to: str = ""


class SignInRefusedError(Exception):
    """A sign-in that came to nothing.

    Args:
        text: says so to the person.
        note: why, for the audit log; empty where nobody had begun it.
        name: who it was, where that is known.
    """

    def __init__(self, text: str, *, note: str = "", name: str = "") -> None:
        super().__init__(text)
        self.text, self.note, self.name = text, note, name


class People:
    """Everybody who may come in.

    Args:
        access: the access file.
    """

    def __init__(self, access: AccessFile) -> None:
        self.access = access
        self._programs: list[tuple[bytes, Program]] = []
        for one in access.programs:
            token = one.token.resolve().reveal()
            if len(token) < 20:
                raise UsageError(f"the token of the program {one.name} is too short; take at least 20 characters")
            self._programs.append((_digest(token), one))

    def person(self, arrival: Arrival) -> Person | None:
        """Somebody whom the sign-in has named; None where neither they nor a group of theirs has a role."""
        found = [one for one in self.access.people if one.name == arrival.name]
        found += [one for one in self.access.groups if one.name in arrival.groups]
        return Person(arrival.name, _roles(found)) if found else None

    def program(self, token: str) -> Person | None:
        """The program that brings a token. Every token is compared, each in the same time."""
        digest, found = _digest(token), None
        for known, program in self._programs:
            if hmac.compare_digest(digest, known):
                found = program
        return None if found is None else Person(found.name, _roles([found]), is_program=True)


def alone(name: str) -> Person:
    """The one person who has the address that was printed: they may do everything."""
    return Person(name, {_EVERY: Role.APPROVER}, is_alone=True)


def _roles(rights: Collection[Rights]) -> dict[str, Role]:
    """The roles by customer; of several the highest."""
    ascending = sorted(rights, key=lambda one: Role[one.role.upper()])
    return {customer: Role[one.role.upper()] for one in ascending for customer in one.customers}


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def read_access(path: Path | None) -> AccessFile:
    """Reads the access file; without one there are neither people nor programs.

    Raises:
        UsageError: everything that is wrong with it.
    """
    if path is None:
        return AccessFile()
    try:
        return AccessFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise UsageError(f"{path} cannot be read: {reason}") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is no TOML: {error}") from None
    except ValidationError as error:
        lines = [f"{path}: {_place(one['loc'])}{message_for(one, AccessFile)}" for one in faults_in(error)]
        raise UsageError("\n".join(dict.fromkeys(lines))) from None


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(map(str, location)) + ": " if location else ""
