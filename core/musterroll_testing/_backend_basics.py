"""The backend contract: what everything else rests on, told in words."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import pytest

from musterroll.contract.operations import CreateGroup, CreateUser, Op, Result, UpdateUser, UserRef
from musterroll.contract.roles import UserBackend
from musterroll.contract.secret import Secret, listen
from musterroll.contract.text import fold
from musterroll.contract.users import Capabilities, UserKey
from musterroll.errors import MusterrollError
from musterroll.portal.portal import Portal
from musterroll.registry.guards.built import BACKEND, look_at_built
from musterroll.registry.plugin_errors import AnswerError
from musterroll.registry.watch import Watch
from musterroll_testing._backend_kit import DONE, LATE, PASSWORD, BackendKit, needs, new_id
from musterroll_testing._limits import bounded

_SECOND = PASSWORD + "-2"


class BasicTests(BackendKit):
    """The ways of a first user and a first group; then many of them, and passwords."""

    def test_first_of_all(self, folder: Path) -> None:
        """Where this fails the other tests are skipped: they would say the same in forty other ways."""
        cls = type(self)
        cls.broken = None
        try:
            self._go_through(self.open_backend(folder))
        except BaseException as error:
            if not isinstance(error, KeyboardInterrupt | pytest.skip.Exception):
                cls.broken = str(error)
            if isinstance(error, AnswerError | MusterrollError):
                pytest.fail(str(error), pytrace=False)
            raise

    def _go_through(self, made: UserBackend) -> None:
        look_at_built(made, BACKEND)
        backend = Portal(made, "this backend", Watch())
        backend.identity()
        can, before = backend.capabilities(), backend.count_users()
        if can.groups:
            bounded(backend.groups(), "groups()")
        key = UserKey.of("username", "first")
        found = backend.lookup([key]).get(key)
        assert not found, "the portal must be empty at the start of a test, and it has the user already"
        user = backend.canonical(self.desired("first"))
        creation = CreateUser(id=new_id(), user=user)
        ref = self._done(backend, creation, "creating a user").ref
        self.settle()
        found = backend.lookup([key]).get(key)
        assert found, f"a user was created, and lookup() does not find it ({LATE})"
        assert found[0].ref == ref, "the result of the creation says another ref than lookup() does afterwards"
        assert backend.count_users() in (None, (before or 0) + 1), "one user was created; count_users() says otherwise"
        said = {result.status for result in bounded(backend.resolve([creation]), "resolve()", 1)}
        assert said <= set(DONE), (
            f"resolve() says {', '.join(sorted(said))} of the user that was created just now ({LATE})"
        )
        if can.groups:
            group = CreateGroup(id=new_id(), path=("First",), parent=None)
            ref = self._done(backend, group, "creating a group").ref
            self.settle()
            refs = [one.ref for one in bounded(backend.groups(), "groups()") if one.path == group.path]
            assert refs == [ref], "a group was created, and groups() does not show it once, by the ref of the result"
        backend.close()

    def _done(self, backend: UserBackend, op: Op, what: str) -> Result:
        results = bounded(backend.execute(iter([op])), "execute()", 1)
        assert results, f"execute() gave no answer to {what}"
        assert results[0].status in DONE, f"{what}: execute() says {results[0].status}, {results[0].detail}"
        return results[0]

    def test_more_users_than_a_page(self, backend: UserBackend, folder: Path) -> None:
        self.run(backend, *(self.creation(f"user{number}") for number in range(self.many)))
        keys = [UserKey.of("username", f"user{number}") for number in range(self.many)]
        for one in (backend, again := self.open_backend(folder)):
            answers = one.lookup(keys)
            found = [key for key in keys if any(fold(user.username) == key.folded for user in answers.get(key, ()))]
            assert len(found) == self.many, (
                f"{self.many} users were created, and lookup() finds {len(found)} of them; does it read only the first "
                "page of the portal's answer?"
            )
        again.close()
        assert backend.count_users() in (None, self.many), f"there are {self.many} users; count_users() says otherwise"

    def test_more_groups_than_a_page(self, backend: UserBackend, folder: Path, can: Capabilities) -> None:
        needs(can.groups, "have groups")
        number = self.many_groups
        self.run(backend, *(CreateGroup(id=new_id(), path=(f"G{place}x",), parent=None) for place in range(number)))
        for one in (backend, again := self.open_backend(folder)):
            shown = {group.path for group in bounded(one.groups(), "groups()")}
            assert len(shown) == number, (
                f"{number} groups were created, and groups() shows {len(shown)} of them; does it read only the first "
                "page of the portal's answer?"
            )
        again.close()

    def test_passwords_arrive(self, backend: UserBackend, folder: Path, can: Capabilities) -> None:
        needs(can.passwords, "set passwords")
        secret = Secret(PASSWORD)
        op: Op = CreateUser(id=new_id(), user=self.desired("ana"), password=secret)
        ref = self._handed_over(backend, op, secret, "creates a user")
        self._lets_in(folder, PASSWORD)
        if can.reset_passwords:
            secret = Secret(_SECOND)
            op = UpdateUser(id=new_id(), user=UserRef(ref, "ana"), changes={}, password=secret)
            self._handed_over(backend, op, secret, "changes a user")
            self._lets_in(folder, _SECOND)
            old = self.signs_in(folder, "ana", PASSWORD)
            assert old is not True, "the password was reset, and the old one still counts"

    def _handed_over(self, backend: UserBackend, op: Op, secret: Secret, what: str) -> str:
        """Whoever takes a password has to look at it, or to keep it."""
        revealed: list[int] = []
        before = listen(lambda _: revealed.append(1))
        references = sys.getrefcount(secret)
        try:
            ref = self.perform(backend, op).ref
        finally:
            listen(before)
        gc.collect()
        assert revealed or sys.getrefcount(secret) > references, (
            f"it {what} and says that this is done, but it has dropped the password: it never looked at it"
        )
        return ref or ""

    def _lets_in(self, folder: Path, password: str) -> None:
        lets_in = self.signs_in(folder, "ana", password)
        assert lets_in is not False, "the password was set, and the portal does not let the user in with it"
