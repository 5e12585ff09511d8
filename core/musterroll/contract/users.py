"""Users and groups, as the sheet wants them and as the backend has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from musterroll.contract.text import fold

GroupPath: TypeAlias = tuple[str, ...]
"""The levels of a group from the top, e.g. `("Region", "North")`."""


_SIGNS = str.maketrans({sign: f"\\{sign}" for sign in "\\;|"})


def group_text(path: GroupPath) -> str:
    """Returns a group as a sheet names it, e.g. `Region|North`."""
    return "|".join(level.translate(_SIGNS) for level in path)


def fold_path(path: GroupPath) -> GroupPath:
    """Folds every level for comparison."""
    return tuple(fold(level) for level in path)


class UserKey(NamedTuple):
    """What to look a user up by.

    Attributes:
        field: the field to match, e.g. `username` or `email`.
        raw: the value as the sheet has it.
        folded: the value folded; a backend whose matching is weaker than `fold` must not rely on its own.
    """

    field: str
    raw: str
    folded: str

    @classmethod
    def of(cls, name: str, raw: str) -> UserKey:
        """Makes the key of a field's value."""
        return cls(name, raw, fold(raw))


@dataclass(frozen=True, slots=True, kw_only=True)
class Existing:
    """A user that the backend has.

    Attributes:
        ref: the backend's own id of the user, stable, opaque.
        username: as stored.
        fields: attributes by field name; a missing one or None is empty.
        groups: refs of the groups that the user is a direct member of.
        active: False for a deactivated user.
        key: the id of the operation that created the user, where the backend stores it.
    """

    ref: str
    username: str
    fields: Mapping[str, str | None]
    groups: frozenset[str] = frozenset()
    active: bool = True
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """A user as the sheet wants it.

    Attributes:
        username: the name to create the user under.
        fields: attributes by field name; None clears.
    """

    username: str
    fields: Mapping[str, str | None]


class Wanted(NamedTuple):
    """An existing user as a row wants it.

    Attributes:
        username: as the sheet has it.
        folded: the same folded.
        values: of the fields that are asked about, in their order; empty ones ask for nothing.
        groups: refs of groups that the user is to be in, besides others.
    """

    username: str
    folded: str
    values: tuple[str, ...]
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group that the backend has.

    Attributes:
        ref: the backend's own id of the group, stable, opaque.
        path: its levels from the top, as stored.
        key: the id of the operation that created the group, where the backend stores it.
    """

    ref: str
    path: GroupPath
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Objection:
    """Why the backend will not take a user as the sheet wants it.

    Attributes:
        field: whose cell it is about, e.g. `username`.
        message: what is wrong and what to do, made by `gettext`; never holds a password.
        code: of the problem.
    """

    field: str
    message: str
    code: str = "backend.unsupported"


class Matching(StrEnum):
    """How a backend itself compares usernames."""

    EXACT = "exact"
    CASE = "case"  # regardless of case
    FOLDED = "folded"  # as `musterroll.contract.text.fold`


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a backend can do. What it cannot is said by `plan`, before anything is written.

    Attributes:
        groups: has groups at all.
        nested_groups: groups can be inside groups.
        passwords: a password can be set at all.
        reset_passwords: that of an existing user as well, not only when a user is created.
        uses_passwords: does something with a password that it takes. Where it does not, as in a rehearsal, it is given
            none, and the sheet is not read again for them.
        deactivate: users can be deactivated and reactivated.
        delete: users and groups can be deleted.
        invite: the portal itself can send invites.
        rename: a user's username can be changed.
        stores_key: keeps the id of the creating operation, so that a crash leaves no doubt who created a user.
        unique_email: an address may belong to one user only.
        changes_values: stores some values otherwise than they are given, e.g. addresses in small letters. Where it
            never does, `canonical` is not asked.
        matching: how it compares usernames.
        chunk: how many operations are handed over under one intent: as many as it carries out together, e.g. in one
            transaction. So many may be in doubt after a crash.
        fields: the attributes it can store; None for any.
    """

    groups: bool = True
    nested_groups: bool = True
    passwords: bool = True
    reset_passwords: bool = True
    uses_passwords: bool = True
    deactivate: bool = True
    delete: bool = False
    invite: bool = False
    rename: bool = True
    stores_key: bool = True
    unique_email: bool = False
    changes_values: bool = True
    matching: Matching = Matching.EXACT
    chunk: int = 64
    fields: frozenset[str] | None = field(default=None)
