"""What a table of an application is to us, and what its columns hold."""

from __future__ import annotations

import datetime as dt
import secrets
import time
import uuid
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from musterroll import Batch, Desired, fold
from musterroll_plugins.backends.sql.options import Constant, SqlOptions
from musterroll_plugins.backends.sql.values import (
    ValueMismatchError,
    moment,
    nothing_given,
    plain_length,
    shown,
    stored,
)
from musterroll_simple import phones

USERNAME = "username"
_CODE, _PHONE = "calling_code", "phone"
KEY_LENGTH = 32  # of a UUID in hexadecimal

Fields = Mapping[str, str | None]
Col = sa.Column[Any]


def new_id() -> str:
    """Returns a UUID of version 7 in hexadecimal: new rows go to the end of every index on it."""
    milliseconds = time.time_ns() // 1_000_000
    random = secrets.randbits(74)
    return f"{milliseconds << 80 | 0x7 << 76 | (random >> 62) << 64 | 0x2 << 62 | random & ((1 << 62) - 1):032x}"


@dataclass(frozen=True)
class Described:
    """A table with its columns of a fixed meaning.

    Attributes:
        table: as it is in the database.
        columns: by their meaning, as `key` or `active`; those that the options name.
        scope: conditions that all rows of ours fulfil.
        fixed: what every new row gets.
        makes_keys: the database makes the key of a new row.
    """

    table: sa.Table
    columns: Mapping[str, Col]
    scope: tuple[sa.ColumnElement[bool], ...] = ()
    fixed: Mapping[str, Constant] = field(default_factory=dict)
    makes_keys: bool = False

    def __getitem__(self, meaning: str) -> Col:
        return self.columns[meaning]

    def get(self, meaning: str) -> Col | None:
        """Returns a column that the options may leave out."""
        return self.columns.get(meaning)

    def new_key(self) -> dict[str, Any]:
        """Returns the key of a new row, where the database does not make it."""
        if self.makes_keys:
            return {}
        key = self["key"]
        return {key.name: uuid.UUID(new_id()) if isinstance(key.type, sa.Uuid) else new_id()}

    def times(self, now: dt.datetime, *meanings: str) -> dict[str, Any]:
        """Returns the columns of times that are to be written."""
        named = [column for meaning in meanings if (column := self.get(meaning)) is not None]
        return {column.name: moment(column, now) for column in named}


class UserColumns:
    """Makes rows of users and users of rows.

    Args:
        options: of the backend.
        described: the table.
        unique: the columns of which no two rows have the same value.
    """

    def __init__(self, options: SqlOptions, described: Described, unique: Collection[str]) -> None:
        self.described = described
        self.of_field = {USERNAME: described["username"]}
        self.of_field |= {name: described.table.c[column] for name, column in options.users.columns.items()}
        self._joint_phone = _PHONE in self.of_field and _CODE not in self.of_field
        self._separate = [
            (name, column, plain_length(column))
            for name, column in self.of_field.items()
            if not (self._joint_phone and name == _PHONE)
        ]
        self.unique = {name for name, column in self.of_field.items() if column.name in unique and name != USERNAME}
        if options.unique_email and "email" in self.of_field:
            self.unique.add("email")
        self._active_value, self._inactive_value = options.users.active_value, options.users.inactive_value

    @property
    def fields(self) -> frozenset[str]:
        """The fields that the table keeps."""
        joint = {_CODE} if self._joint_phone else set[str]()
        return frozenset((self.of_field.keys() - {USERNAME}) | joint)

    @property
    def changes_values(self) -> bool:
        """Whether some values are shown otherwise than they are given."""
        plain = (
            isinstance(one.type, sa.String) and not isinstance(one.type, sa.CHAR) for one in self.of_field.values()
        )
        return self._joint_phone or not all(plain)

    def row(self, fields: Fields) -> dict[str, Any]:
        """Returns the columns of some fields.

        Raises:
            ValueMismatchError: a column does not take a value.
        """
        row = {column.name: stored(column, fields[name]) for name, column, _ in self._separate if name in fields}
        return row | self._joined(fields) if _CODE in fields or _PHONE in fields else row

    def new_row(self, user: Desired) -> dict[str, Any]:
        """Returns the columns of all fields: new rows have the same ones, whatever is given.

        Raises:
            ValueMismatchError: a column does not take a value.
        """
        fields = {**user.fields, USERNAME: user.username}
        row = {
            # Most values are plain texts, which are written as they are.
            column.name: text
            if (text := fields.get(name)) and len(text) <= plain and text.isprintable()
            else stored(column, text)
            for name, column, plain in self._separate
        }
        return row | self._joined(fields) if self._joint_phone else row

    def _joined(self, fields: Fields) -> dict[str, Any]:
        if not self._joint_phone:
            return {}
        column = self.of_field[_PHONE]
        return {column.name: stored(column, phones.join(fields.get(_CODE), fields.get(_PHONE)))}

    def mismatches(self, fields: Fields) -> Iterator[tuple[str, str]]:
        """Yields the fields that the table does not take, and why."""
        for name, column, plain in self._separate:
            text = fields.get(name)
            if name in fields and not (text and len(text) <= plain and text.isprintable()):
                try:
                    stored(column, text)
                except ValueMismatchError as error:
                    yield name, str(error)
                else:
                    if self._lacks(name, fields):
                        yield name, nothing_given()
        if self._joint_phone and (_CODE in fields or _PHONE in fields):
            try:
                self._joined(fields)
            except ValueMismatchError as error:
                yield _PHONE, str(error)
            else:
                if self._lacks(_PHONE, fields):
                    yield _PHONE, nothing_given()

    def suspects(self, batch: Batch) -> set[int]:
        """Returns the new users of whom the table may not take a value or shows another one: places in a batch."""
        suspects = set[int]()
        missed = dict(self.mismatches(dict.fromkeys(self.of_field)))  # what must not be left out
        for name, column, plain in self._separate:
            longest = 0 if isinstance(column.type, sa.CHAR) else plain
            for place, text in enumerate(batch.texts(name)):
                if (len(text) > longest or not text.isprintable()) if text else name in missed:
                    suspects.add(place)
        if self._joint_phone:
            pairs = zip(batch.texts(_CODE), batch.texts(_PHONE), strict=True)
            suspects.update(place for place, pair in enumerate(pairs) if _PHONE in missed or not self._keeps(*pair))
        return suspects

    def _keeps(self, code: str, phone: str) -> bool:
        """Whether one column shows a telephone number as it was given in two."""
        if not phone:
            return not code
        try:
            (joined,) = self._joined({_CODE: code, _PHONE: phone}).values()
        except ValueMismatchError:
            return False
        return phones.split(joined) == (code or None, phone)

    def _lacks(self, name: str, fields: Fields) -> bool:
        """Whether a value is left out that must be there and be one's own."""
        return name in self.unique and name in fields and not fields[name] and not self.of_field[name].nullable

    def values(self, row: Mapping[str, Any]) -> dict[str, str | None]:
        """Returns the fields of a row, the username among them."""
        values = {name: shown(column, row[column.name]) for name, column in self.of_field.items()}
        if self._joint_phone:
            values[_CODE], values[_PHONE] = phones.split(values[_PHONE])
        return values

    def is_so(self, wanted: Fields, row: Mapping[str, Any]) -> bool:
        """Whether a row is as fields want it."""
        values = self.values(row)
        known = self.fields | {USERNAME}
        return all((values.get(name) or None) == (text or None) for name, text in wanted.items() if name in known)

    def canonical(self, desired: Desired) -> Desired:
        """Returns a user as the table will show it again."""
        given = {USERNAME: desired.username, **desired.fields}
        for name, column in self.of_field.items():
            if given.get(name) and not (self._joint_phone and name == _PHONE):
                try:
                    given[name] = shown(column, stored(column, given[name]))
                except ValueMismatchError:
                    continue  # `check` says it
        if self._joint_phone and given.get(_PHONE):
            code, given[_PHONE] = phones.split(phones.join(given.get(_CODE), given[_PHONE]))
            if code or _CODE in given:
                given[_CODE] = code
        username = given.pop(USERNAME) or desired.username
        return Desired(username=username, fields=given)

    def single_values(self, fields: Fields) -> dict[str, str]:
        """Returns the values, folded, of fields of which no two users may have the same; not the username."""
        return {name: fold(text) for name in self.unique if (text := fields.get(name))}

    # -- active or not --------------------------------------------------------------------------------------

    def is_active(self, row: Mapping[str, Any]) -> bool:
        """Whether a user is active."""
        column = self.described.get("active")
        if column is None:
            return True
        value = row[column.name]
        if self._inactive_value:
            return str(value) != self._inactive_value
        return value is None if _tells_when(column) else bool(value)

    def activity(self, now: dt.datetime, *, active: bool) -> dict[str, Any]:
        """Returns the column that says whether a user is active, as it is written."""
        column = self.described.get("active")
        if column is None:
            return {}
        if self._inactive_value:
            return {column.name: self._active_value if active else self._inactive_value}
        if _tells_when(column):
            return {column.name: None if active else moment(column, now)}
        return {column.name: active if isinstance(column.type, sa.Boolean) else int(active)}


def _tells_when(column: Col) -> bool:
    return isinstance(column.type, sa.DateTime | sa.Date)


@dataclass(frozen=True)
class Tables:
    """All tables of an application.

    Attributes:
        users: that of users, with what makes users of its rows.
        groups: that of groups; None without any.
        memberships: that of memberships; None without groups.
        separator: what stands between the levels of a group's name; empty where names have one level.
    """

    users: UserColumns
    groups: Described | None
    memberships: Described | None
    separator: str
