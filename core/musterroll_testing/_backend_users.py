"""The backend contract: users."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from musterroll.contract.batch import Batch
from musterroll.contract.operations import (
    AddMembers,
    CreateUser,
    Deactivate,
    DeleteUser,
    Op,
    Reactivate,
    RemoveMembers,
    Status,
    UpdateUser,
    UserRef,
)
from musterroll.contract.roles import (
    ChecksUsers,
    ComparesUsers,
    ListsUsers,
    ProvesUsers,
    TellsState,
    UserBackend,
)
from musterroll.contract.secret import Secret
from musterroll.contract.text import fold
from musterroll.contract.users import Capabilities, Desired, Matching, UserKey, Wanted
from musterroll.errors import BackendError
from musterroll_testing._backend_kit import LATE, PASSWORD, BackendKit, filled, needs, new_id

ODD = (
    "x" * 300,
    "x" * 3000,
    "a\0b",
    "a\nb",
    " a ",
    "Ｂｏ",
    "Zoe\u0301",
    "\ud800",
    "12",
    "2026-12-31",
    "+44 771",
    "(0)",
    "é" * 200,
)
_VARIANTS = [("straße", "STRASSE"), ("Ana", "ａｎａ"), ("Zoé", "ZOE\u0301"), ("O'Neil", "o'neil")]


class UserTests(BackendKit):
    """Looking up, creating, updating, deactivating and deleting users."""

    def test_identity_is_stable(self, backend: UserBackend, folder: Path) -> None:
        identity = backend.identity()
        self.create(backend, "ana")
        again = self.open_backend(folder)
        assert again.identity() == backend.identity() == identity != ""
        again.close()

    @pytest.mark.parametrize(("stored", "asked"), _VARIANTS)
    def test_username_is_found_in_every_spelling(self, backend: UserBackend, stored: str, asked: str) -> None:
        ref = self.create(backend, stored).ref
        key = UserKey.of("username", asked)
        assert ref in [user.ref for user in backend.lookup([key]).get(key, ())]

    def test_lookup_by_other_fields(self, backend: UserBackend) -> None:
        other = [name for name in self.lookup_fields if name != "username"]
        needs(bool(other), "be asked for other fields than the username")
        wanted = self.create(backend, "ana", **{name: f"Ana.{name}@Example.com" for name in other})
        self.create(backend, "bo", **{name: f"Bo.{name}@example.com" for name in other})
        keys = [UserKey.of(name, f"ANA.{name}@example.COM") for name in other]
        found = backend.lookup(keys)
        for key in keys:
            same = [user.ref for user in found.get(key, ()) if fold(user.fields[key.field] or "") == key.folded]
            assert same == [wanted.ref]

    def test_lookup_sees_later_changes(self, backend: UserBackend) -> None:
        for number, name in enumerate(self.lookup_fields):
            key = UserKey.of(name, f"later{number}@example.com")
            assert not backend.lookup([key]).get(key)
            ref = self.create(backend, key.raw if name == "username" else f"user{number}", **{name: key.raw}).ref
            assert [user.ref for user in backend.lookup([key])[key]] == [ref]

    def test_many_keys_at_once_and_unknown_ones_left_out(self, backend: UserBackend) -> None:
        self.run(backend, *(self.creation(f"user{number}") for number in range(30)))
        keys = [UserKey.of("username", f"USER{number}") for number in range(1200)]
        found = backend.lookup(keys)
        same = {key for key, users in found.items() if any(fold(user.username) == key.folded for user in users)}
        assert same == set(keys[:30])

    def test_created_as_canonical_promised(self, backend: UserBackend, can: Capabilities) -> None:
        own = {} if self.own_field is None else {self.own_field: "Sales “North”"}
        desired = self.desired("Ana.Ångström", email="Ana@Example.COM", calling_code="44", phone="7712345678", **own)
        desired = backend.canonical(desired)
        op = CreateUser(id=new_id(), user=desired)
        ref = self.perform(backend, op).ref
        user = self.get(backend, desired.username)
        assert (user.ref, user.username, user.active, user.groups) == (ref, desired.username, True, frozenset())
        assert filled(user).items() >= filled(desired).items()
        if can.stores_key:
            assert user.key == op.id

    def test_canonical_is_idempotent_and_reached(self, backend: UserBackend) -> None:
        desired = backend.canonical(self.desired("ana", email="ANA@Example.com", surname=None))
        assert backend.canonical(desired) == desired
        self.create(backend, "ana", **desired.fields)
        user = self.get(backend, "ana")
        assert {name: user.fields.get(name) or None for name in desired.fields} == dict(desired.fields)

    def test_values_stay_as_they_are_given_where_it_says_so(self, backend: UserBackend, can: Capabilities) -> None:
        needs(not can.changes_values, "keep every value as it is given")
        desired = self.desired("Ana", email="ANA@Example.com", surname="Ｓilva")
        assert backend.canonical(desired) == desired

    def test_new_users_whom_it_does_not_suspect_are_taken_as_they_are(self, backend: UserBackend) -> None:
        if not isinstance(backend, ProvesUsers):
            pytest.skip("this portal does not say which users are plain")
        usual = {"email": "ana@example.com", "forename": "Ana", "surname": "Silva", "calling_code": "44"}
        usual |= {"phone": "7712345678"} | ({} if self.own_field is None else {self.own_field: "Sales"})
        self.create(backend, "taken", **usual)
        users = [{"username": "bo", "email": "bo@example.com"}]
        users += [{**users[0], name: text} for name in ("username", *usual) for text in ("", usual.get(name, ""), *ODD)]
        columns = {name: [user.get(name, "") for user in users] for name in ("username", *usual)}
        suspects = set(backend.suspects(Batch(range(2, len(users) + 2), columns, {})))
        for place, user in enumerate(users):
            given = {name: text for name, text in user.items() if text}
            if place not in suspects and (username := given.pop("username", None)):
                desired = Desired(username=username, fields=given)
                canonical = backend.canonical(desired)
                assert (canonical.username, filled(canonical)) == (username, given), user
                assert not isinstance(backend, ChecksUsers) or not list(backend.check(desired, None, None)), user

    def test_all_users_are_listed_as_they_are_looked_up(self, backend: UserBackend, can: Capabilities) -> None:
        if not isinstance(backend, ListsUsers):
            pytest.skip("this portal does not list its users")
        names = ["ana", "bo", "cy"]
        created = [self.create(backend, name, surname="Silva") for name in names]
        if can.groups:
            group = self.create_group(backend, "First")
            self.perform(backend, AddMembers(id=new_id(), group=group, members=tuple(created[:2])))
        if can.deactivate:
            self.perform(backend, Deactivate(id=new_id(), user=created[2]))
        try:
            listed = [user for user in backend.all_users() if user.username in names]
        except BackendError as error:
            pytest.skip(str(error))
        assert len(listed) == len(names), "every user once"
        for user in listed:
            assert user == self.get(backend, user.username)

    def test_only_users_who_are_as_wanted_are_said_to_be(self, backend: UserBackend, can: Capabilities) -> None:
        if not isinstance(backend, ComparesUsers):
            pytest.skip("this portal does not compare users")
        ana, bo = self.create(backend, "ana", surname="Silva", email="ana@example.com"), self.create(backend, "bo")
        has = filled(self.get(backend, "ana"))
        wanted = Wanted("ana", fold("ana"), tuple(has.values()), ())
        blank, other = wanted._replace(values=("",) * len(has)), Wanted("bo", fold("bo"), ("",) * len(has), ())
        differ = [
            wanted._replace(username="ANA"),
            wanted._replace(folded="nobody"),
            wanted._replace(groups=(self.missing_ref,)),
            *(wanted._replace(values=tuple("other" if n == name else has[n] for n in has)) for name in has),
        ]
        for one in (wanted, blank):
            assert list(backend.as_wanted(tuple(has), [one, other])) == [ana.ref, bo.ref]
        for one in differ:
            assert list(backend.as_wanted(tuple(has), [other, one])) == [bo.ref, None], one
        assert list(backend.as_wanted((), [Wanted("bo", fold("bo"), (), ())])) == [bo.ref]
        assert list(backend.as_wanted(tuple(has), [])) == []
        if can.groups:
            groups = [self.create_group(backend, name) for name in ("First", "Second", "Third")]
            for group in groups[:2]:
                self.perform(backend, AddMembers(id=new_id(), group=group, members=(ana,)))
            for chosen, found in ((groups[:1], ana.ref), (groups[:2], ana.ref), (groups[1:], None), (groups[2:], None)):
                in_groups = wanted._replace(groups=tuple(group.ref for group in chosen))
                assert list(backend.as_wanted(tuple(has), [in_groups])) == [found]
        if can.deactivate:
            self.perform(backend, Deactivate(id=new_id(), user=ana))
            assert list(backend.as_wanted(tuple(has), [wanted, other])) == [None, bo.ref]

    def test_its_state_is_another_one_after_every_change(
        self, backend: UserBackend, folder: Path, can: Capabilities
    ) -> None:
        if not isinstance(backend, TellsState):
            pytest.skip("this portal does not tell its state")
        ana = self.create(backend, "ana", surname="Silva")
        states = [self.state(folder), self.state(folder)]
        assert states[0] == states[1], "nothing was changed between two answers, and they differ"
        changes: list[Op] = [self.creation("bo"), UpdateUser(id=new_id(), user=ana, changes={"surname": "Berg"})]
        if can.groups:
            group = self.create_group(backend, "First")
            changes += [AddMembers(id=new_id(), group=group, members=(ana,))]
            changes += [RemoveMembers(id=new_id(), group=group, members=(ana,))]
        if can.deactivate:
            changes += [Deactivate(id=new_id(), user=ana), Reactivate(id=new_id(), user=ana)]
        if can.delete:
            changes += [DeleteUser(id=new_id(), user=ana)]
        states = [self.state(folder)]
        for op in changes:
            self.perform(backend, op)
            states.append(self.state(folder))
        known = [state for state in states if state is not None]
        assert len(set(known)) == len(known), "something was changed, and the state is the same"

    def test_its_state_after_its_operations_is_that_of_nobody_elses(self, backend: UserBackend, folder: Path) -> None:
        if not isinstance(backend, TellsState):
            pytest.skip("this portal does not tell its state")
        before = backend.state_of_users()
        self.create(backend, "ana")
        own = backend.state_of_users()
        assert own is None or own == self.state(folder) != before
        backend.state_of_users()
        with closing(self.open_backend(folder)) as other:
            self.create(other, "bo")
        self.create(backend, "cy")
        assert backend.state_of_users() is None, "somebody else has changed something, too"

    def state(self, folder: Path) -> str | None:
        """What an instance of its own says."""
        with closing(self.open_backend(folder)) as looking:
            assert isinstance(looking, TellsState)
            return looking.state_of_users()

    def test_update_changes_only_what_it_names(self, backend: UserBackend) -> None:
        ref = self.create(backend, "ana", surname="Silva", calling_code="44", phone="7712345678")
        self.create(backend, "bo", surname="Berg")
        before, other = self.get(backend, "ana"), self.get(backend, "bo")
        changes: dict[str, str | None] = {"surname": "Souza", "calling_code": None, "phone": None}
        self.perform(backend, UpdateUser(id=new_id(), user=ref, changes=changes))
        after = self.get(backend, "ana")
        expected = {**filled(before), "surname": "Souza"}
        del expected["calling_code"], expected["phone"]
        assert filled(after) == expected
        assert (after.ref, after.username, after.active) == (before.ref, "ana", True)
        assert self.get(backend, "bo") == other

    def test_update_of_an_own_field(self, backend: UserBackend) -> None:
        needs(self.own_field is not None, "store own fields")
        own = str(self.own_field)
        ref = self.create(backend, "ana", **{own: "Sales"})
        self.perform(backend, UpdateUser(id=new_id(), user=ref, changes={own: "Marketing"}))
        assert self.get(backend, "ana").fields[own] == "Marketing"
        self.perform(backend, UpdateUser(id=new_id(), user=ref, changes={own: None}))
        assert not self.get(backend, "ana").fields.get(own)

    def test_rename(self, backend: UserBackend, can: Capabilities) -> None:
        needs(can.rename, "rename users")
        ref, other = self.create(backend, "ana"), self.create(backend, "bo")
        self.perform(backend, UpdateUser(id=new_id(), user=ref, changes={"username": "Ana.Silva"}))
        assert self.find(backend, "ana") is None
        assert self.get(backend, "ana.silva").ref == ref.ref
        op = UpdateUser(id=new_id(), user=other, changes={"username": "Ana.Silva", "surname": "Changed"})
        assert self.run(backend, op)[op.id].status is Status.CONFLICT
        assert self.get(backend, "bo").fields["surname"] == "Sur"

    def test_update_of_nobody_fails_with_a_reason(self, backend: UserBackend) -> None:
        op = UpdateUser(id=new_id(), user=UserRef(self.missing_ref, "ghost"), changes={"surname": "X"})
        result = self.run(backend, op)[op.id]
        assert result.status is Status.FAILED
        assert result.detail

    def test_same_creation_twice_makes_one_user(self, backend: UserBackend, can: Capabilities) -> None:
        needs(can.stores_key, "tell whose a user is")
        op = self.creation("ana")
        first, second = self.perform(backend, op), self.run(backend, op)[op.id]
        assert (second.status in (Status.DONE, Status.NOOP), second.ref) == (True, first.ref), (
            f"the same creation once more is {second.status}, {second.detail}; it must find its own user, by the key"
            f" ({LATE})"
        )
        assert backend.count_users() in (1, None)

    def test_taken_username_is_a_conflict(self, backend: UserBackend, can: Capabilities) -> None:
        self.create(backend, "Straße", surname="Alt", email="alt@example.com")
        before, count = self.get(backend, "Straße"), backend.count_users()
        spellings = {Matching.EXACT: ["Straße"], Matching.CASE: ["Straße", "sTRAße"]}
        for name in spellings.get(can.matching, ["Straße", "STRASSE"]):
            op = self.creation(name, surname="Neu", email="neu@example.com")
            assert self.run(backend, op)[op.id].status is Status.CONFLICT
            assert (self.get(backend, "Straße"), backend.count_users()) == (before, count)

    def test_taken_address_is_a_conflict(self, backend: UserBackend, can: Capabilities) -> None:
        needs(can.unique_email, "keep addresses unique")
        self.create(backend, "ana", email="ana@example.com")
        other = self.create(backend, "bo", email="bo@example.com")
        creation = self.creation("cy", email="ANA@example.com")
        update = UpdateUser(id=new_id(), user=other, changes={"email": "ana@example.com"})
        for op in (creation, update):
            assert self.run(backend, op)[op.id].status is Status.CONFLICT
        assert self.find(backend, "cy") is None
        assert self.get(backend, "bo").fields["email"] == "bo@example.com"
        # one's own address, and none at all, are no conflict
        self.perform(backend, UpdateUser(id=new_id(), user=other, changes={"email": "BO@example.com"}))
        self.create(backend, "di", email=None)
        self.create(backend, "ed", email=None)

    def test_shared_addresses(self, backend: UserBackend, can: Capabilities) -> None:
        needs(not can.unique_email, "let two users share an address")
        refs = {self.create(backend, name, email="office@example.com").ref for name in ("ana", "bo")}
        key = UserKey.of("email", "office@example.com")
        if "email" in self.lookup_fields:
            assert {user.ref for user in backend.lookup([key])[key]} == refs

    def test_deactivate_and_reactivate(self, backend: UserBackend, can: Capabilities) -> None:
        needs(can.deactivate, "deactivate users")
        ref = self.create(backend, "ana")
        for kind, active in ((Deactivate, False), (Deactivate, False), (Reactivate, True), (Reactivate, True)):
            self.perform(backend, kind(id=new_id(), user=ref))
            assert self.get(backend, "ana").active is active
        op = Deactivate(id=new_id(), user=UserRef(self.missing_ref, "ghost"))
        assert self.run(backend, op)[op.id].status is Status.FAILED

    def test_deactivated_users_stay_as_they_are(self, backend: UserBackend, can: Capabilities) -> None:
        needs(can.deactivate, "deactivate users")
        ref = self.create(backend, "ana", surname="Silva")
        if can.groups:
            group = self.create_group(backend, "Region")
            self.perform(backend, AddMembers(id=new_id(), group=group, members=(ref,)))
        before = self.get(backend, "ana")
        self.perform(backend, Deactivate(id=new_id(), user=ref))
        assert self.get(backend, "ANA") == replace(before, active=False)
        self.perform(backend, UpdateUser(id=new_id(), user=ref, changes={"surname": "Souza"}))
        assert self.get(backend, "ana") == replace(before, active=False, fields={**before.fields, "surname": "Souza"})
        self.perform(backend, Reactivate(id=new_id(), user=ref))
        assert self.get(backend, "ana").active

    def test_stored_spelling_of_a_username_stays(self, backend: UserBackend) -> None:
        ref = self.create(backend, "Ana.Ångström").ref
        user = UserRef(ref, "ana.ångström")
        self.perform(backend, UpdateUser(id=new_id(), user=user, changes={"surname": "Souza", "email": None}))
        assert self.get(backend, "ANA.ÅNGSTRÖM").username == self.stored_name(backend, "Ana.Ångström")

    def test_delete(self, backend: UserBackend, can: Capabilities) -> None:
        needs(can.delete, "delete users")
        ref, kept = self.create(backend, "ana"), self.create(backend, "bo")
        for _ in range(2):  # gone is gone: the second time is no failure
            self.perform(backend, DeleteUser(id=new_id(), user=ref))
            assert self.find(backend, "ana") is None
        assert self.get(backend, "bo").ref == kept.ref
        assert self.create(backend, "ana").ref != kept.ref

    def test_count(self, backend: UserBackend) -> None:
        needs(backend.count_users() is not None, "count its users")
        before = backend.count_users() or 0
        self.create(backend, "ana")
        self.create(backend, "bo")
        assert backend.count_users() == before + 2

    def test_password_reset(self, backend: UserBackend, can: Capabilities) -> None:
        needs(can.passwords, "set passwords")
        op = UpdateUser(
            id=new_id(), user=self.create(backend, "ana", PASSWORD), changes={}, password=Secret("Sesame-2")
        )
        before, result = self.get(backend, "ana"), self.run(backend, op)[op.id]
        assert result.status is (Status.DONE if can.reset_passwords else Status.FAILED), result
        assert self.get(backend, "ana") == before

    def test_password_shows_nowhere(
        self, backend: UserBackend, can: Capabilities, caplog: pytest.LogCaptureFixture
    ) -> None:
        needs(can.passwords, "set passwords")
        caplog.set_level(0)
        creation = self.creation("ana", PASSWORD)
        created = self.run(backend, creation)
        ref = UserRef(created[creation.id].ref or "", "ana")
        reset = UpdateUser(id=new_id(), user=ref, changes={}, password=Secret(PASSWORD + "2"))
        ghost = UpdateUser(id=new_id(), user=UserRef(self.missing_ref, "x"), changes={}, password=Secret(PASSWORD))
        seen = [created, self.run(backend, reset, ghost, self.creation("ana", PASSWORD)), creation, reset]
        seen += [list(backend.resolve([creation, reset])), self.get(backend, "ana"), backend.identity(), backend]
        assert PASSWORD not in repr(seen)
        assert PASSWORD not in caplog.text
