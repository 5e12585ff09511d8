"""The directory and the in-memory backend answer the same to whatever is done to them."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Mapping
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from musterroll import (
    AddMembers,
    Context,
    CreateGroup,
    CreateUser,
    Deactivate,
    DeleteGroup,
    DeleteUser,
    Desired,
    FieldSet,
    GroupRef,
    Op,
    Reactivate,
    RemoveMembers,
    UpdateUser,
    UserBackend,
    UserKey,
    UserRef,
)
from musterroll.testing import MemoryBackend
from musterroll_plugins.backends.directory import DirectoryOptions, build

_NAMES = st.sampled_from(["ana", "ANA", "Straße", "strasse", "bo", "ｂｏ", "x\u200by"])
_TEXTS = st.none() | st.sampled_from(["", "a@example.com", "A@Example.com", "ß", "\0", '"', "{}"])
_FIELDS = st.dictionaries(st.sampled_from(["email", "surname", "phone", "department", "id"]), _TEXTS, max_size=3)
_NUMBERS = st.integers(0, 5)
_MANY = st.lists(_NUMBERS, max_size=4)
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("create"), _NAMES, _FIELDS),
        st.tuples(st.just("update"), _NUMBERS, _FIELDS, st.none() | _NAMES),
        st.tuples(st.just("group"), _NAMES, st.none() | _NUMBERS),
        st.tuples(st.sampled_from([AddMembers, RemoveMembers]), _NUMBERS, _MANY),
        st.tuples(st.sampled_from([Deactivate, Reactivate, DeleteUser, DeleteGroup]), _NUMBERS),
    ),
    max_size=12,
)


class _Player:
    """Plays steps on one backend. People and groups are numbered in the order of creation."""

    def __init__(self, backend: UserBackend) -> None:
        self.backend = backend
        self.users: list[str] = []
        self.groups: list[str] = []
        self.ids = map(str, itertools.count())
        self.told: list[object] = []

    def play(self, step: tuple[object, ...]) -> None:
        op = self._op(step)
        before = [result.status for result in self.backend.resolve([op])]
        (result,) = self.backend.execute(iter([op]))
        known = self.users if isinstance(op, CreateUser) else self.groups
        if isinstance(op, CreateUser | CreateGroup) and result.ref is not None and result.ref not in known:
            known.append(result.ref)
        after = [result.status for result in self.backend.resolve([op])]
        refused = sorted(self._number(ref) for ref in result.refused)
        ref = None if result.ref is None else self._number(result.ref)
        self.told.append((before, result.status, ref, result.detail, refused, after))

    def state(self) -> object:
        keys = [UserKey.of("username", name) for name in ("ana", "strasse", "bo", "xy")]
        keys += [UserKey.of(name, "a@example.com") for name in ("email", "surname", "department")]
        found = self.backend.lookup(keys)
        users = {
            key: sorted(
                (
                    self._number(user.ref),
                    user.username,
                    user.active,
                    user.key,
                    _filled(user.fields),
                    self._of(user.groups),
                )
                for user in users
            )
            for key, users in found.items()
        }
        groups = sorted((self._number(group.ref), group.path, group.key) for group in self.backend.groups())
        return users, groups, self.backend.count_users(), self.told

    def _of(self, refs: frozenset[str]) -> list[int]:
        return sorted(map(self._number, refs))

    def _number(self, ref: str) -> int:
        return (
            self.users.index(ref) if ref in self.users else 100 + self.groups.index(ref) if ref in self.groups else -1
        )

    def _user(self, number: object) -> UserRef:
        assert isinstance(number, int)
        return UserRef(self.users[number] if number < len(self.users) else "nobody", "x")

    def _group(self, number: object) -> GroupRef:
        assert isinstance(number, int)
        return GroupRef(self.groups[number] if number < len(self.groups) else "nothing", ("x",))

    def _op(self, step: tuple[object, ...]) -> Op:
        op_id = next(self.ids)
        match step:
            case ("create", str(name), dict(fields)):
                return CreateUser(id=op_id, user=Desired(username=name, fields=fields))
            case ("update", number, dict(fields), name):
                changes = fields if name is None else {**fields, "username": name}
                return UpdateUser(id=op_id, user=self._user(number), changes=changes)
            case ("group", str(name), parent):
                above = None if parent is None else self._group(parent)
                return CreateGroup(id=op_id, path=(name,), parent=above)
            case (kind, number, list(members)) if kind is AddMembers or kind is RemoveMembers:
                users = tuple(map(self._user, members))
                made = AddMembers if kind is AddMembers else RemoveMembers
                return made(id=op_id, group=self._group(number), members=users)
            case (kind, number) if kind is DeleteGroup:
                return DeleteGroup(id=op_id, group=self._group(number))
            case (kind, number):
                user = self._user(number)
                return next(one(id=op_id, user=user) for one in (Deactivate, Reactivate, DeleteUser) if one is kind)
        raise AssertionError(step)


def _filled(fields: Mapping[str, str | None]) -> list[tuple[str, str]]:
    return sorted((name, text) for name, text in fields.items() if text)


@settings(deadline=None, max_examples=25)
@given(steps=_STEPS, unique_email=st.booleans())
def test_both_say_and_keep_the_same(steps: list[tuple[object, ...]], unique_email: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        options = DirectoryOptions(path=Path(folder, "users.db"), passwords="none", unique_email=unique_email)
        directory = build(options, Context(instance="backend", fields=FieldSet([]), read_only=False))
        players = [_Player(directory), _Player(MemoryBackend(unique_email=unique_email))]
        try:
            for step in steps:
                for player in players:
                    player.play(step)
            assert players[0].state() == players[1].state()
        finally:
            directory.close()
