"""What a plugin can be. Structural types: a class that has the methods plays the role.

Methods may raise anything; the engine names the instance, the stage and the row. Where the person is at
fault, yield `Problem`s instead; where the portal is, answer with a `Result` or raise `BackendError`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from enum import IntEnum
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from musterroll.contract.batch import Batch
    from musterroll.contract.cells import Block, SheetInfo, SheetRow
    from musterroll.contract.drafts import Draft, Guidance
    from musterroll.contract.edits import SheetEdits
    from musterroll.contract.messages import Message, Recipient, Sent
    from musterroll.contract.operations import Op, Result
    from musterroll.contract.problems import Problem
    from musterroll.contract.rows import Row, Value
    from musterroll.contract.secret import Secret
    from musterroll.contract.source import Source
    from musterroll.contract.users import Capabilities, Desired, Existing, Group, GroupPath, Objection, UserKey, Wanted


class Confidence(IntEnum):
    """How sure a reader is that a file is of its format, judged by the content."""

    NO = 0
    PERHAPS = 1  # e.g. any text for csv
    CERTAIN = 2


class OtherFormat(NamedTuple):
    """What a reader may say of a file that it does not read but knows.

    Attributes:
        kind: what it is, e.g. `a PDF document`.
        advice: what to do with it.
    """

    kind: str
    advice: str


class AmbiguousWorksheetError(Exception):
    """Raised by a reader's `open` when it cannot choose between worksheets; becomes `sheet.ambiguous`.

    Attributes:
        names: the worksheets to choose from.
    """

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(", ".join(names))
        self.names = tuple(names)


class Sheet(Protocol):
    """An open worksheet."""

    @property
    def info(self) -> SheetInfo:
        """What was opened."""
        ...

    def rows(self) -> Iterator[SheetRow]:
        """Streams the rows in order. Empty rows may be left out; their numbers then are missing.

        Raises:
            SourceError: the file is damaged.
        """
        ...


@runtime_checkable
class ReadsBlocks(Protocol):
    """What an open `Sheet` can do besides: give the same rows in blocks, which is quicker."""

    def blocks(self) -> Iterator[Block]:
        """Streams the rows of `rows()`, in order.

        Raises:
            SourceError: the file is damaged.
        """
        ...


class Reader(Protocol):
    """Reads a spreadsheet format."""

    def sniff(self, source: Source) -> Confidence | OtherFormat:
        """Judges by the content, not by the name. Must be quick and must not raise for foreign bytes.

        Where no reader reads the file, the first one that says what it is has the message.
        """
        ...

    def open(self, source: Source, worksheet: str | None = None) -> AbstractContextManager[Sheet]:
        """Opens one worksheet.

        Args:
            source: the file.
            worksheet: its name; None for the only visible one.

        Raises:
            SourceError: the file is damaged or protected, or has no such worksheet.
            AmbiguousWorksheetError: there are several visible worksheets and none was named.
        """
        ...


class SheetWriter(Protocol):
    """Writes a spreadsheet format, for people to fill in or to correct."""

    def write(self, draft: Draft, target: BinaryIO) -> None:
        """Writes one workbook with one worksheet. Every column holds text: what is typed into it keeps its digits.

        Notes and checks are written where the format has them, and are no values when the file is read again.

        Args:
            draft: the sheet.
            target: takes the bytes.
        """
        ...


class SheetEditor(Protocol):
    """Changes cells in a copy of a sheet of its format, and keeps everything else: formats, notes, other worksheets."""

    def edit(self, source: Source, edits: SheetEdits, target: BinaryIO) -> None:
        """Writes the copy. Nothing becomes a formula.

        Args:
            source: the file; the reader of the same format reads it.
            edits: what is to be changed. What a format cannot show (marks and notes in plain text) is left out.
            target: takes the bytes.

        Raises:
            SourceError: the file is damaged.
            MusterrollError: the copy cannot be made.
        """
        ...


class Transform(Protocol):
    """Makes the values of a row as they should be, before any rule sees them. The same row has the same values."""

    def apply(self, row: Row) -> Mapping[str, str | Value | Problem]:
        """Says what is to change, by field; nothing where the row is as it should be.

        It is asked about every row, after the transforms before it, and before defaults and composed fields, which
        are made of what it says. Where a value comes from, its cell, and what was typed there stay as they are.

        Args:
            row: the row; of secrets only whether there is one.

        Returns:
            The new text ("" for none); a `Value`, where it matters what kind it is (`Origin.DEFAULT` counts when a
            user is created only); or `row.problem(…)` where there is none. What is made of such a value is not asked
            for any more.
        """
        ...


class RowValidator(Protocol):
    """A rule that needs one row only."""

    def check(self, row: Row) -> Iterable[Problem]:
        """Yields the row's problems, made with `row.problem(…)`."""
        ...


@runtime_checkable
class SheetValidator(Protocol):
    """A rule that needs the whole sheet. A new instance is built for every sheet."""

    def check(self, row: Row) -> Iterable[Problem]:
        """Yields the row's problems."""
        ...

    def finish(self) -> Iterable[Problem]:
        """Yields the problems that only the whole sheet shows; called once, after the last row."""
        ...


@runtime_checkable
class ProvesRows(Protocol):
    """What a validator can do besides: tell rows apart that have no problem, many at once, before `check` is asked.

    `check` stays what the rule is: a proof only spares it rows, and must be right whatever the values are and wherever
    they came from. A rule of the whole sheet that has one is asked `check` for the suspects only, so `suspects` takes
    note of all others; every row of a batch is in it, in order, before `check` is asked about the first of them.
    """

    def suspects(self, batch: Batch) -> Iterable[int]:
        """Says which rows may have a problem, by their places in the batch, from 0. All others have none."""
        ...


@runtime_checkable
class GuidesPeople(Protocol):
    """What a validator can do besides: say in a blank sheet what it will ask, before anybody types."""

    def guidance(self, name: str) -> Guidance | None:
        """Says what the rule asks of the column of a field; None where that is nothing, or not worth a sentence."""
        ...


class GroupResolver(Protocol):
    """Says which groups a row's user belongs to. Pure: matching and creation are the core's."""

    def resolve(self, row: Row) -> Iterable[GroupPath | Problem]:
        """Yields group paths, and problems where the row's text is none."""
        ...


@runtime_checkable
class ResolvesBatches(Protocol):
    """What a group resolver can do besides: say the groups of many rows at once."""

    def resolve_batch(self, batch: Batch) -> Sequence[tuple[GroupPath, ...] | None]:
        """Says of each row what `resolve` yields for it; None of a row for which `resolve` is to be asked."""
        ...


@runtime_checkable
class WritesGroups(Protocol):
    """What a group resolver can do besides: write groups as it reads them, for a sheet of users whom the portal has."""

    def write_groups(self, paths: Sequence[GroupPath]) -> Mapping[str, str]:
        """Returns texts by the names of fields, of which `resolve` makes these groups."""
        ...


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
class KeepsMessages(Protocol):
    """What a notifier can do besides, that keeps what it has sent."""

    def forget(self, jobs: Collection[str]) -> None:
        """Takes away the messages of jobs that are forgotten, whose ids begin with the job's.

        A person is forgotten by the ids of single messages: they are given in the place of a job's.

        Raises:
            NotifierError: they cannot be taken away.
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


class Notifier(Protocol):
    """Sends messages to people."""

    @property
    def channel(self) -> str:
        """What it sends by, e.g. `email`."""
        ...

    def can_reach(self, user: Recipient) -> bool:
        """Whether the user has an address or number that it can use."""
        ...

    def send(self, messages: Iterator[Message]) -> Iterator[Sent]:
        """Sends messages: pulls one when it is about to send it, answers once for each.

        Raises:
            NotifierError: it cannot go on; messages without an answer are held.
        """
        ...

    def close(self) -> None:
        """Closes connections and files."""
        ...
