"""What a portal is to the engine: its users and groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from musterroll.contract.batch import Batch
    from musterroll.contract.operations import Op, Result
    from musterroll.contract.secret import Secret
    from musterroll.contract.users import Capabilities, Desired, Existing, Group, Objection, UserKey, Wanted


class UserBackend(Protocol):
    """A portal: its users, groups and memberships.

    One instance plans (`context.read_only` is true: it must not write, nor create files), another executes.
    """

    def identity(self) -> str:
        """Which portal and tenant this is: stable, without secrets. Owns the ledger with the pipeline's name."""
        ...

    def capabilities(self) -> Capabilities:
        """What it can do."""
        ...

    def count_users(self) -> int | None:
        """How many users it has; None where that cannot be known cheaply."""
        ...

    def lookup(self, keys: Sequence[UserKey]) -> Mapping[UserKey, Sequence[Existing]]:
        """Finds users by username or another field, in batches.

        Every user whose folded value equals `key.folded` must be among the answers; more may be (each is
        compared again). Keys without a user may be left out.
        """
        ...

    def groups(self) -> Iterable[Group]:
        """Streams all groups."""
        ...

    def canonical(self, desired: Desired) -> Desired:
        """Returns the user as it would be stored (a lower-cased address, …), so that "unchanged" is reached."""
        ...

    def execute(self, ops: Iterator[Op]) -> Iterator[Result]:
        """Performs operations: pulls as it can, answers in any order, one result for each.

        Operations of one call do not depend on each other. Pulling is what commits the intent, so pull no
        more than can be in flight.

        Raises:
            BackendUnavailableError: it keeps failing; operations without an answer are settled by `resolve`.
            BackendError: it cannot go on.
        """
        ...

    def resolve(self, doubtful: Sequence[Op]) -> Iterator[Result]:
        """Says what became of operations that have no answer, without writing.

        `done` (with the ref of what was created), `not_done`, `conflict` (something of that name exists that
        this operation did not create) or `unknown`, for each.
        """
        ...

    def close(self) -> None:
        """Closes connections and files."""
        ...


@runtime_checkable
class ComparesUsers(Protocol):
    """What a backend can do besides, that finds users by their folded names: compare them where it keeps them.

    It spares whoever imports the same sheet every night to look all users up.
    """

    def as_wanted(self, fields: Sequence[str], users: Sequence[Wanted]) -> Sequence[str | None]:
        """Says which users are as they are wanted already.

        Args:
            fields: the names of the fields that are asked about.
            users: how the users are wanted.

        Returns:
            For each of them the ref of the one user who is stored under exactly this username, is active, has every
            value that is wanted as it would be stored (`canonical`), and is in every group. Otherwise, and in doubt,
            None: such a user is looked up.
        """
        ...


@runtime_checkable
class TellsState(Protocol):
    """What a backend can do besides: tell that nobody has changed anything, without a look at every user.

    It spares whoever imports the same sheet every night to have all users compared, and needs a backend that stores
    users as it is told to (`canonical`), or says that it has not.
    """

    def state_of_users(self) -> str | None:
        """Names the state that all users and groups are in.

        Whenever two answers are the same, every user, group and membership is as it was at the first of them, whoever
        might have changed one meanwhile: other programs, and whoever has brought a backup back. An instance that has
        carried operations out names the state after them only if nothing else was changed since it was asked before.

        Returns:
            A short text without secrets, which is kept; None where that is not known for certain.

        Raises:
            BackendError: the portal cannot answer.
        """
        ...


@runtime_checkable
class ListsUsers(Protocol):
    """What a backend can do besides: show all its users, so that they can be exported as a sheet."""

    def all_users(self) -> Iterable[Existing]:
        """Streams all users, deactivated ones included, each as `lookup` would answer with it: in any order, once.

        Raises:
            BackendError: the portal cannot answer, or has no list of its users.
        """
        ...


@runtime_checkable
class ChecksUsers(Protocol):
    """What a backend may be besides: one that knows before the first write whom it will not take, and why."""

    def check(self, user: Desired, ref: str | None, password: Secret | None) -> Iterable[Objection]:
        """Says what is against a user that is to be created or changed, while planning; nothing is written.

        What `capabilities()` denies is not asked here.

        Args:
            user: as `canonical` returned it: every field of a new user, else those that are to change. `username` is
                the name that the user is to have.
            ref: of the user that is to change; None for a new one.
            password: the one that is to be set, where there is one.

        Raises:
            BackendError: the portal cannot answer.
        """
        ...


@runtime_checkable
class ProvesUsers(Protocol):
    """What a backend can do besides, that checks users or stores values otherwise: know many new ones at once as plain.

    `canonical` and `check` stay what counts: a proof only spares them new users, and must be right whatever the values
    are.
    """

    def suspects(self, batch: Batch) -> Iterable[int]:
        """Says of which new users something may be said, by their places in the batch, from 0.

        Of all others `canonical` changes nothing and `check` has no objection. Passwords are not in the batch: about a
        user who is to have one `check` is asked in any case, and so it is about users who are there.

        Raises:
            BackendError: the portal cannot answer.
        """
        ...


@runtime_checkable
class Examinable(Protocol):
    """What a backend or notifier may be besides: something that a person can ask whether all is well."""

    def examine(self) -> str:
        """Says in one line what is there: who the portal is, how the mail server greets.

        The instance is built read-only and is closed afterwards. It writes nothing, sends nothing, tries once, and says
        no secret.

        Raises:
            MusterrollError: what is wrong, in one line.
        """
        ...
