"""What the tests of the backend contract share: hooks to override, and shorthands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import ClassVar
from uuid import uuid4

import pytest

from musterroll.contract.operations import CreateGroup, CreateUser, GroupRef, Op, Result, Status, UserRef, doing
from musterroll.contract.roles import UserBackend
from musterroll.contract.secret import Secret
from musterroll.contract.text import fold
from musterroll.contract.users import Capabilities, Desired, Existing, Group, GroupPath, UserKey, fold_path
from musterroll_testing._limits import bounded, in_time

PASSWORD = "Canary-7c1f-Sesame"  # noqa: S105 -- the one that must be found nowhere
FIRST = "test_first_of_all"
DONE = (Status.DONE, Status.NOOP)
LATE = "where the portal shows late what was written, override settle()"


class BackendKit:
    """Hooks and shorthands.

    Attributes:
        own_field: an own field that the backend stores; None where it stores the standard ones only.
        lookup_fields: the fields by which users can be looked up.
        has_read_only: whether `open_backend` can open for reading only.
        most_in_flight: how many operations may be pulled before the first of them is answered.
        missing_ref: a well-formed ref that nobody has.
        many: so many users are created to see what lies behind the first page.
        many_groups: likewise groups.
        seconds: so long a test may take.
        broken: why nothing else is worth trying, where that is so.
    """

    own_field: str | None = "department"
    lookup_fields: Sequence[str] = ("username", "email", "department")
    has_read_only: bool = True
    most_in_flight: int = 1000
    missing_ref: str = "ffffffffffffffffffffffffffffffff"
    many: int = 250
    many_groups: int = 120
    seconds: float = 60
    broken: ClassVar[str | None] = None

    def open_backend(self, folder: Path, *, read_only: bool = False) -> UserBackend:
        """Opens the portal of one test; override this.

        Args:
            folder: empty at the start of a test, and the same within it: so must be the users.
            read_only: what `context.read_only` would be.
        """
        raise NotImplementedError

    def desired(self, name: str, **fields: str | None) -> Desired:
        """Makes a user that the portal accepts, with an address of its own; `name` becomes the username."""
        standard = {"forename": "Fore", "surname": "Sur", "email": f"{fold(name).replace(' ', '.')}@example.com"}
        return Desired(username=name, fields={**standard, **fields})

    def settle(self) -> None:
        """Called between a write and a look: override it to wait for a portal that shows changes late."""

    def breaking_line(self, folder: Path) -> AbstractContextManager[object] | None:
        """Returns a context in which the portal does what it is asked and the line breaks before it can answer.

        Override it for a portal at the other end of a line; None says that there is none.

        Args:
            folder: of the portal.
        """
        return None

    def signs_in(self, folder: Path, username: str, password: str) -> bool | None:
        """Tries to sign in at the portal: override it where that can be done; None says that it cannot."""
        return None

    # -- fixtures -------------------------------------------------------------------------------------------

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        """Where the portal of this test is kept."""
        return tmp_path

    @pytest.fixture(autouse=True)
    def _limit(self, request: pytest.FixtureRequest) -> Iterator[None]:
        if self.broken is not None and request.node.originalname != FIRST:
            pytest.skip(f"see what {FIRST} says")
        with in_time(self.seconds, "this backend"):
            yield

    @pytest.fixture
    def backend(self, folder: Path) -> Iterator[UserBackend]:
        """An empty portal, to be written."""
        backend = self.open_backend(folder)
        yield backend
        backend.close()

    @pytest.fixture
    def can(self, backend: UserBackend) -> Capabilities:
        """What it can do."""
        return backend.capabilities()

    # -- shorthands -----------------------------------------------------------------------------------------

    def run(self, backend: UserBackend, *ops: Op) -> dict[str, Result]:
        """Executes operations; every one must be answered exactly once."""
        results = bounded(backend.execute(iter(ops)), "execute()", max(2 * len(ops), 10))
        answered, asked = Counter(result.op for result in results), {op.id for op in ops}
        assert set(answered) <= asked, "execute() answers to operations that it was not given"
        assert set(answered) == asked, f"execute() leaves {len(asked - set(answered))} of {len(ops)} without an answer"
        assert max(answered.values(), default=1) == 1, "execute() answers twice to one operation"
        self.settle()
        return {result.op: result for result in results}

    def perform(self, backend: UserBackend, op: Op) -> Result:
        """Executes one operation, which must be done."""
        result = self.run(backend, op)[op.id]
        assert result.status in DONE, f"{doing(op)} was not done: {result.status}, {result.detail}"
        return result

    def resolve(self, backend: UserBackend, op: Op) -> Result:
        """Asks what became of one operation."""
        (result,) = backend.resolve([op])
        assert result.op == op.id
        return result

    def create(self, backend: UserBackend, name: str, password: str | None = None, **fields: str | None) -> UserRef:
        """Creates a user."""
        op = self.creation(name, password, **fields)
        ref = self.perform(backend, op).ref
        assert ref is not None, "the result of a creation says the new user's ref"
        return UserRef(ref, name)

    def creation(self, name: str, password: str | None = None, **fields: str | None) -> CreateUser:
        """Makes the operation that creates a user."""
        secret = None if password is None else Secret(password)
        return CreateUser(id=new_id(), user=self.desired(name, **fields), password=secret)

    def stored_name(self, backend: UserBackend, name: str) -> str:
        """The username as the portal says that it stores it."""
        return backend.canonical(self.desired(name)).username

    def create_group(self, backend: UserBackend, *path: str, parent: GroupRef | None = None) -> GroupRef:
        """Creates a group."""
        ref = self.perform(backend, CreateGroup(id=new_id(), path=path, parent=parent)).ref
        assert ref is not None, "the result of a creation says the new group's ref"
        return GroupRef(ref, path)

    def find(self, backend: UserBackend, name: str) -> Existing | None:
        """Looks a user up by username, and compares again as the engine does."""
        key = UserKey.of("username", name)
        found = [user for user in backend.lookup([key]).get(key, ()) if fold(user.username) == key.folded]
        assert len(found) <= 1, found
        return found[0] if found else None

    def get(self, backend: UserBackend, name: str) -> Existing:
        """Looks up a user that must be there."""
        user = self.find(backend, name)
        assert user is not None, f"{name} is not found"
        return user

    def group(self, backend: UserBackend, path: GroupPath) -> Group | None:
        """Finds a group by its path."""
        found = [group for group in bounded(backend.groups(), "groups()") if fold_path(group.path) == fold_path(path)]
        assert len(found) <= 1, found
        return found[0] if found else None


def new_id() -> str:
    """Returns an operation's id."""
    return uuid4().hex


def filled(user: Existing | Desired) -> dict[str, str]:
    """Returns the fields that are not empty."""
    return {name: text for name, text in user.fields.items() if text}


def needs(capability: bool, what: str) -> None:
    """Skips a test of something that the portal cannot do."""
    if not capability:
        pytest.skip(f"this portal cannot {what}")
