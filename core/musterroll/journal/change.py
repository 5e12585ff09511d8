"""What happens to a row: one record, as it is planned, kept in the journal, carried out, taken back and shown."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from json.encoder import encode_basestring
from typing import Any, NamedTuple, TypeAlias

from musterroll.contract.fields import PASSWORD, USERNAME
from musterroll.contract.text import fold
from musterroll.contract.users import GroupPath
from musterroll.journal.damage import refuse_other_than_text
from musterroll.journal.targets import StoredGroups, Target, numbers_text

Scalar: TypeAlias = str | bool | None

FIRST_OFF_SHEET_ROW = 1 << 40
"""Users that are not in the sheet are kept as rows from this number on, above those of every sheet."""

_WORDS: Mapping[Scalar, str] = {None: "null", True: "true", False: "false"}
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode  # json.dumps would make one each time


def shown_row(row: int) -> int | None:
    """Returns the number that a stored row has in the sheet; None for a user that is not in it."""
    return row if row < FIRST_OFF_SHEET_ROW else None


class Action(StrEnum):
    """What happens to a row's user."""

    CREATE = "create"
    UPDATE = "update"
    UNCHANGED = "unchanged"
    DEACTIVATE = "deactivate"
    REACTIVATE = "reactivate"  # the row asks for it; everything else that it says is done as well
    DELETE = "delete"  # only where the pipeline says so
    IGNORED = "ignored"  # nothing: the row, or the pipeline, does not want it
    REJECTED = "rejected"  # nothing: the row cannot go in


class PasswordAction(StrEnum):
    """What happens to a row's password."""

    SET = "set"  # a new user gets it
    RESET = "reset"  # an existing user gets it
    KEEP = "keep"  # an existing user keeps the present one
    NONE = "none"  # a new user gets none


class FieldChange(NamedTuple):
    """One field's value before and after; None is empty. `active` is a truth value."""

    before: Scalar
    after: Scalar


class PrivilegedGroup(NamedTuple):
    """A privileged group that a plan concerns: how many members it adds and removes."""

    path: GroupPath
    add: int
    remove: int


class HandEdit(NamedTuple):
    """What somebody has changed in the portal by hand, so that it is neither as it was given nor as the sheet asks.

    Attributes:
        field: the field; `groups` for a membership.
        written: what it was given last; None is empty. Of a membership, whether the user was in the group.
        portal: what it is now, likewise.
        sheet: what the sheet asks for, likewise.
        kept: whether it stays as it is; else the sheet wins.
        group: of a membership.
    """

    field: str
    written: Scalar
    portal: Scalar
    sheet: Scalar
    kept: bool
    group: GroupPath | None = None


class HandEditCounts(NamedTuple):
    """How many hand edits of a plan stay, and how many the sheet overwrites."""

    kept: int
    overwritten: int


class Agreed(NamedTuple):
    """What a row asks for and its user has already, as far as that was not known.

    Attributes:
        fields: by field; an empty one is "".
        groups: ids of all groups that the user was given, or has as the sheet asks; None where that is known.
    """

    fields: Mapping[str, str]
    groups: frozenset[str] | None

    def columns(self) -> tuple[object, ...]:
        """Returns it as the table `agreed` has it."""
        return _encode(self.fields), None if self.groups is None else _encode(sorted(self.groups))


Groups: TypeAlias = tuple[tuple[Target, ...], tuple[Target, ...]]
"""Those that a user is added to, and those that a user is taken out of."""


@dataclass(frozen=True, slots=True)
class InviteDecision:
    """Whether a row's user is invited.

    Attributes:
        send: whether an invite goes out.
        channel: by what, e.g. `email`.
        reason: why not, where it does not.
        notifier: the label of the notifier that sends it. This and what follows is not in files.
        recipient: the attributes that the invite needs.
        known_as: by what the user is known again, should the portal lose it; where an invite is concerned.
    """

    send: bool
    channel: str | None = None
    reason: str | None = None
    notifier: str | None = field(default=None, compare=False)
    recipient: Mapping[str, str] | None = field(default=None, compare=False, repr=False)
    known_as: tuple[str, ...] = field(default=(), compare=False, repr=False)

    def columns(self) -> tuple[object, ...]:
        """Returns what the table `row` has of it."""
        recipient = None if self.recipient is None else _encode(self.recipient)
        return self.notifier, self.channel, self.reason, recipient, _encode(self.known_as) if self.known_as else None


@dataclass(frozen=True, slots=True)
class Made:
    """What was made for a row that the sheet does not say.

    Attributes:
        fields: the names of the fields whose values were made.
        who: digests of what the person is recognised by, so that the username is remembered.
    """

    fields: tuple[str, ...] = ()
    who: tuple[str, ...] = ()

    @property
    def and_password(self) -> Made:
        """The same with a password, should the user be new."""
        return Made((*self.fields, PASSWORD), self.who)

    def of(self, action: Action) -> Made:
        """What of it is so: a password is made for a new user only."""
        if action is Action.CREATE or PASSWORD not in self.fields:
            return self
        return Made(tuple(name for name in self.fields if name != PASSWORD), self.who)

    def columns(self) -> tuple[str | None, str | None, None]:
        """Returns what the table `row` has of it; nobody has been told a password yet."""
        return _encode(self.fields) if self.fields else None, _encode(self.who) if self.who else None, None


NOTHING_MADE = Made()
_NOT_MADE = NOTHING_MADE.columns()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happens to one row's user.

    Attributes:
        row: the sheet row; None for a user that is not in the sheet.
        username: as stored for an existing user, as in the sheet for a new one.
        action: what happens.
        password: what happens to the password.
        fields: what differs, by field name.
        add: groups that the user is added to.
        remove: groups that the user is taken out of.
        invite: whether the user is invited.
        ref: the backend's id of the user, where there is one already.
        user_digest: a digest of what the backend said of that user when the plan was made.
        made: what was made that the sheet does not say.
        hand_edits: what somebody has changed in the portal by hand, where the pipeline wants to know.
        agreed: what is to be known for that of the user, from now on.
        number: under which the journal keeps it, where that is not the sheet row's.
    """

    row: int | None
    username: str
    action: Action
    password: PasswordAction
    fields: Mapping[str, FieldChange] = field(default_factory=dict)
    add: tuple[Target, ...] = ()
    remove: tuple[Target, ...] = ()
    invite: InviteDecision = InviteDecision(send=False)
    ref: str | None = None
    user_digest: str | None = None
    made: Made = NOTHING_MADE
    hand_edits: tuple[HandEdit, ...] = ()
    agreed: Agreed | None = field(default=None, compare=False, repr=False)
    number: int | None = field(default=None, compare=False)

    @classmethod
    def rejected(cls, row: int, username: str, ref: str | None) -> Change:
        """Makes that of a row that cannot go in; `ref` is the existing user that it means, where it means one."""
        return cls(row=row, username=username, action=Action.REJECTED, password=PasswordAction.NONE, ref=ref)

    @classmethod
    def ignored(cls, row: int, username: str, ref: str | None, reason: str) -> Change:
        """Makes that of a row that is left alone; `ref` is the existing user that it means, where it means one."""
        invite = InviteDecision(send=False, reason=reason)
        return cls(
            row=row, username=username, action=Action.IGNORED, password=PasswordAction.NONE, ref=ref, invite=invite
        )

    @property
    def stored_row(self) -> int:
        """The number under which the journal keeps it."""
        number = self.row if self.number is None else self.number
        assert number is not None
        return number

    @property
    def new_username(self) -> str:
        """The username that the user has afterwards."""
        renamed = self.fields.get(USERNAME)
        return self.username if renamed is None else str(renamed.after)

    @property
    def changes_anything(self) -> bool:
        """Whether an existing user is changed at all."""
        return bool(self.fields or self.add or self.remove or self.password is PasswordAction.RESET)

    def columns(self, invite: InviteDecision) -> tuple[object, ...]:
        """Returns it as the table `row` has it, but for the job."""
        *of_invite, known_as = invite.columns()
        return (
            self.stored_row,
            self.username,
            fold(self.new_username),
            self.action.value,
            self.password.value,
            _fields_text(self.fields),
            self.ref,
            *of_invite,
            self.user_digest,
            known_as,
            *(_NOT_MADE if self.made is NOTHING_MADE else self.made.columns()),
            _encode(self.hand_edits) if self.hand_edits else None,
            numbers_text(self.add),
            numbers_text(self.remove),
        )

    @classmethod
    def of_columns(cls, columns: Sequence[Any], groups: StoredGroups) -> Change:
        """Makes one of `COLUMNS`; the recipient of the invite stays in the journal until it is due.

        Raises:
            ValueError, TypeError: the journal is damaged.
        """
        row, username, action, password, fields, ref, notifier, channel, reason, seen, made, hand_edits, *more = columns
        refuse_other_than_text(username, ref, channel, reason, seen)
        add, remove = map(groups.of, more)
        return cls(
            row=shown_row(row),
            username=username,
            action=Action(action),
            password=PasswordAction(password),
            fields=field_changes(json.loads(fields)),
            add=add,
            remove=remove,
            invite=InviteDecision(notifier is not None, channel, reason, notifier),
            ref=ref,
            user_digest=seen,
            made=NOTHING_MADE if made is None else Made(tuple(json.loads(made))),
            hand_edits=() if hand_edits is None else hand_edits_of(json.loads(hand_edits)),
            number=row,
        )


def _fields_text(fields: Mapping[str, FieldChange]) -> str:
    """Writes changes of fields as JSON: what was empty is the text that it becomes, all else a pair.

    `json` itself takes twice as long, for every row.
    """
    changes = [
        f"{encode_basestring(name)}:{encode_basestring(after)}"
        if before is None and isinstance(after, str)
        else f"{encode_basestring(name)}:[{_written(before)},{_written(after)}]"
        for name, (before, after) in fields.items()
    ]
    return f"{{{','.join(changes)}}}"


def _written(value: Scalar) -> str:
    return encode_basestring(value) if isinstance(value, str) else _WORDS[value]


def field_changes(stored: Mapping[str, Any]) -> dict[str, FieldChange]:
    """Returns changes of fields as they are stored.

    Raises:
        ValueError, TypeError, AttributeError: the journal is damaged.
    """
    return {
        name: FieldChange(None, change) if isinstance(change, str) else FieldChange(*change[:2])
        for name, change in stored.items()
    }


def hand_edits_of(stored: Iterable[Sequence[Any]]) -> tuple[HandEdit, ...]:
    """Returns hand edits as they are stored.

    Raises:
        ValueError, TypeError: the journal is damaged.
    """
    return tuple(
        HandEdit(field, written, portal, sheet, kept, None if group is None else tuple(group))
        for field, written, portal, sheet, kept, group in stored
    )


def waiting_fields(stored: Mapping[str, Any]) -> dict[str, int]:
    """Returns the fields that name the user of another row, who has to be there first, with that row's number.

    Raises:
        ValueError, TypeError, AttributeError: the journal is damaged.
    """
    return {name: int(change[2]) for name, change in stored.items() if isinstance(change, list) and len(change) > 2}


COLUMNS = (
    "r.row, r.username, r.action, r.password, r.fields, r.ref, r.invite, r.channel, r.reason, r.seen, r.made, "
    "r.hand_edits, r.add_to, r.remove_from"
)
"""What a change is made of again, of the table `row` as `r`."""
