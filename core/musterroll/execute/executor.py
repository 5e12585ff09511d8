"""Hands the stored operations to the backend, and keeps what becomes of each.

The intent of a chunk is committed before the chunk is handed over; answers are committed as they arrive.
What has an intent but no answer, after a crash or a broken connection, is settled by asking the backend.
"""

from __future__ import annotations

import time
from collections.abc import Generator

from musterroll.contract.operations import Kind, Op, Result, Status
from musterroll.contract.translation import gettext
from musterroll.errors import MusterrollError
from musterroll.execute.answers import Answers, JobContext
from musterroll.execute.operations import (
    NotPossibleError,
    make_operation,
    operation_id,
    take_secrets_out,
    without_secret,
)
from musterroll.execute.passwords import Passwords
from musterroll.journal.journal import Journal
from musterroll.journal.operations import OperationStore, OpState, StoredOp
from musterroll.portal.portal import Portal
from musterroll.progress import Progress

# Operations that certainly did not happen are handed over so often at the most.
_ATTEMPTS = 3
_COMMIT_SECONDS = 0.1
_CREATIONS = (Kind.CREATE_USER, Kind.CREATE_GROUP)
_IS_SO = (Status.DONE, Status.NOOP)


class Executor:
    """Executes one job.

    Args:
        context: the job.
        journal: where its operations are.
        portal: ready to write.
        passwords: the sheet's passwords.
        progress: told how it goes on.
    """

    def __init__(
        self, context: JobContext, journal: Journal, portal: Portal, passwords: Passwords, progress: Progress
    ) -> None:
        self._context = context
        self._journal = journal
        self._store = OperationStore(journal, context.job)
        self._answers = Answers(context, journal)
        self._portal = portal
        self._chunk = portal.capabilities().chunk
        self._passwords = passwords
        self._progress = progress
        self._in_flight: dict[str, tuple[StoredOp, Op]] = {}
        self._committed = 0.0
        self._answered = 0  # since the last commit

    def run(self) -> None:
        """Executes what is open, phase by phase, until it is done or the person interrupts.

        Raises:
            BackendError: the backend cannot go on; what it has answered is kept.
            PluginError: the backend broke.
            StateError: the journal cannot be written.
        """
        self._progress.stage("Writing", self._store.count_open())
        self._settle()
        phase, attempts = self._store.next_phase(0), 0
        while phase is not None:
            self._stream(phase)
            self._settle()
            if self._context.cancelled.is_set():
                return
            attempts += 1
            following = self._store.next_phase(phase)
            if following == phase and attempts == _ATTEMPTS:
                self._give_up(phase)
                following = self._store.next_phase(phase)
            if following != phase:
                phase, attempts = following, 0

    def _stream(self, phase: int) -> None:
        self._in_flight.clear()
        operations = self._operations(phase)
        try:
            for result in self._portal.execute(operations):
                stored, op = self._in_flight.pop(result.op)
                self._record(stored, without_secret(result, op))
        except MusterrollError as error:
            take_secrets_out(error, (op for _, op in self._in_flight.values()))
            raise
        finally:
            operations.close()
            self._commit()

    def _operations(self, phase: int) -> Generator[Op]:
        """Hands out a phase's operations; pulling a chunk commits its intent and the answers so far."""
        after, is_cancelled = 0, self._context.cancelled.is_set
        while not is_cancelled():
            chunk = self._store.planned(phase, after, self._chunk)
            if not chunk:
                return
            after = chunk[-1].seq
            ready: list[tuple[StoredOp, Op]] = []
            settled: list[tuple[OpState, str | None, int]] = []
            for stored in chunk:
                try:
                    op = make_operation(stored, self._context.job, self._passwords)
                except NotPossibleError as error:
                    settled.append((OpState.FAILED, str(error), stored.seq))
                    continue
                if op is None:
                    settled.append((OpState.NOOP, None, stored.seq))
                else:
                    ready.append((stored, op))
            self._journal.begin()
            self._store.set_states(settled)
            self._store.set_states([(OpState.INTENT, None, stored.seq) for stored, _ in ready])
            self._commit()
            self._progress.advance(len(settled))
            handed = 0
            try:
                for one in ready:
                    if is_cancelled():
                        break
                    op = one[1]
                    self._in_flight[op.id] = one
                    handed += 1
                    yield op
            finally:
                # Whatever the backend never asked for is certain not to have happened.
                self._journal.begin()
                self._store.set_states([(OpState.PLANNED, None, stored.seq) for stored, _ in ready[handed:]])

    def _record(self, stored: StoredOp, result: Result) -> None:
        self._answered += self._answers.keep(stored, result)
        if time.monotonic() - self._committed > _COMMIT_SECONDS:
            self._commit()

    def _settle(self) -> None:
        """Asks the backend what became of operations without an answer."""
        found_users: list[int] = []
        after = 0
        while chunk := self._store.doubtful(self._chunk, after=after):
            after = chunk[-1].seq
            waiting: dict[str, tuple[StoredOp, Op]] = {}
            for stored in chunk:
                op = make_operation(stored, self._context.job, self._passwords, was_handed_over=True)
                if op is not None:
                    waiting[op.id] = stored, op
            try:
                for result in self._portal.resolve([op for _, op in waiting.values()]):
                    stored, op = waiting[result.op]
                    self._record_resolved(stored, without_secret(result, op))
                    if stored.kind is Kind.CREATE_USER and stored.user and result.status in _IS_SO:
                        found_users.append(stored.user.row)
            except MusterrollError as error:
                take_secrets_out(error, (op for _, op in waiting.values()))
                raise
            finally:
                self._commit()
        # Those who turn up late: meanwhile their groups may have been filled without them.
        with self._journal.transaction():
            self._store.reopen_memberships(found_users)

    def _record_resolved(self, stored: StoredOp, result: Result) -> None:
        if result.status is Status.CONFLICT:
            detail = result.detail or gettext("something of this name exists that this job did not create")
            detail = (
                gettext("{detail}; run the sheet again to make another username", detail=detail)
                if self._context.makes_usernames
                else gettext("{detail}; run the sheet again to update it", detail=detail)
            )
            result = Result(result.op, Status.FAILED, detail=detail)
        self._record(stored, result)

    def _give_up(self, phase: int) -> None:
        with self._journal.transaction():
            given_up = self._store.fail_planned(phase, gettext("the portal did not carry it out; try again later"))
        self._progress.advance(given_up)

    def _commit(self) -> None:
        self._answers.flush()
        self._journal.commit()
        self._progress.advance(self._answered)
        self._answered = 0
        self._committed = time.monotonic()


def settle_former_creations(journal: Journal, context: JobContext, portal: Portal) -> None:
    """Finds out, for a former job that was cut off, which users and groups it created after all.

    Without this the next job would take them for users that were there before, and never invite them; and an undo would
    leave groups behind that it has never heard of.
    Nothing is written to the backend.
    """
    store, answers = OperationStore(journal, context.job), Answers(context, journal)
    # Whether a user was created does not depend on the password, so the former sheet is not needed.
    passwords = Passwords(None)
    after = 0
    while chunk := store.doubtful(portal.capabilities().chunk, after=after):
        after = chunk[-1].seq
        creations = {operation_id(context.job, s.seq): s for s in chunk if s.kind in _CREATIONS}
        if not creations:
            continue
        ops = [op for s in creations.values() if (op := make_operation(s, context.job, passwords)) is not None]
        results = list(portal.resolve(ops))
        with journal.transaction():
            for result in results:
                stored = creations.get(result.op)
                if result.status is Status.DONE and stored is not None:
                    answers.keep(stored, result)
                    answers.flush()
                    if stored.user is not None:
                        store.reopen_memberships([stored.user.row])
