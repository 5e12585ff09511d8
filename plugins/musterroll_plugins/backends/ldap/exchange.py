"""Many operations at work on one line: so many requests are under way, and whichever is answered goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import ldap

from musterroll import (
    BackendError,
    BackendUnavailableError,
    Context,
    CreateUser,
    Op,
    Result,
    Secret,
    Status,
    UpdateUser,
)
from musterroll_plugins.backends.ldap.connection import Connection, number_of
from musterroll_plugins.backends.ldap.errors import LOST, described, hidden, status_of
from musterroll_plugins.backends.ldap.requests import Answer, Work

_NO_ANSWER = "the line to the directory was lost before it answered"


_UNSENT = -1  # in place of the number of a request that the line did not take


class Exchange:
    """Lets operations work.

    Args:
        connection: to the directory.
        context: of the instance.
        in_flight: so many at once, at the most.
        explain: says in a sentence why the directory refused something.
    """

    def __init__(
        self, connection: Connection, context: Context, in_flight: int, explain: Callable[[ldap.LDAPError], str]
    ) -> None:
        self._connection, self._context, self._most, self._explain = connection, context, in_flight, explain
        # So many operations in a row have to come to nothing before the job is paused.
        self._most_in_vain = max(20, 2 * in_flight)
        self._in_vain = 0
        self._written = False
        self._writes = False

    def run(self, ops: Iterator[Op], begin: Callable[[Op], Work], *, writes: bool) -> Iterator[Result]:
        """Works on operations, pulled one by one when there is room; yields their results as they come.

        Where the line is lost, what is under way has no known end, and the others go on over a new one.

        Args:
            ops: the operations.
            begin: begins with one.
            writes: they are performed; otherwise it is only looked what became of them.

        Raises:
            BackendUnavailableError: no server can be reached any more, or one operation after another fails.
            BackendError: none lets us in, or the account may not write.
        """
        self._in_vain, self._writes = 0, writes
        running: dict[int, tuple[Op, Work]] = {}
        more = True
        try:
            while True:
                while more and len(running) < self._most:
                    op = next(ops, None)
                    if op is None:
                        more = False
                        break
                    try:
                        result = self._go_on(running, op, begin(op), None)
                    except LOST:
                        yield from self._lost(running)
                    else:
                        if result is not None:
                            yield result
                if not running:
                    return
                try:
                    result = self._receive(running)
                except LOST:
                    yield from self._lost(running)
                else:
                    if result is not None:
                        yield result
        finally:
            if running:
                self._connection.lose()  # whoever comes next shall not hear answers that are not theirs

    def _receive(self, running: dict[int, tuple[Op, Work]]) -> Result | None:
        outcome: Answer | ldap.LDAPError
        try:
            number, outcome = self._connection.receive()
        except ldap.LDAPError as error:
            found = number_of(error)
            if found is None:
                raise ldap.SERVER_DOWN from error
            number, outcome = found, error
        if number not in running:
            return None
        return self._go_on(running, *running.pop(number), outcome)

    def _go_on(
        self, running: dict[int, tuple[Op, Work]], op: Op, work: Work, outcome: Answer | ldap.LDAPError | None
    ) -> Result | None:
        """Hands an operation what it waits for, and sends what it asks for next; returns its result if it is done.

        Raises:
            ldap.LDAPError: the line is lost.
        """
        try:
            if outcome is None:
                request = next(work)
            elif isinstance(outcome, Answer):
                request = work.send(outcome)
            else:
                request = work.throw(outcome)
            running[request.send(self._connection.line)] = op, work
        except StopIteration as end:
            return self._counted(self._masked(op, end.value))
        except LOST:
            running[_UNSENT] = op, work
            raise
        except ldap.LDAPError as error:
            return self._counted(self._masked(op, self._refused(op, error)))
        return None

    def _lost(self, running: dict[int, tuple[Op, Work]]) -> Iterator[Result]:
        ops = [op for op, _ in running.values()]
        for _, work in running.values():
            work.close()
        running.clear()
        self._connection.lose()
        for op in ops:
            yield Result(op.id, Status.UNKNOWN, detail=_NO_ANSWER)
        _ = self._connection.line  # makes a new one, or raises

    def _refused(self, op: Op, error: ldap.LDAPError) -> Result:
        if isinstance(error, ldap.INSUFFICIENT_ACCESS) and self._writes and not self._written:
            secrets = (self._connection.password, _password(op))
            raise BackendError(hidden(f"nothing can be written: {described(error)}", secrets))
        return Result(op.id, status_of(error), detail=self._explain(error))

    def _masked(self, op: Op, result: Result) -> Result:
        if result.detail is None:
            return result
        detail = hidden(result.detail, (self._connection.password, _password(op)))
        return Result(result.op, result.status, result.ref, detail, result.refused)

    def _counted(self, result: Result) -> Result:
        """Stops when one operation after another comes to nothing; a refusal is something."""
        if not self._writes:
            return result
        if result.status not in (Status.UNKNOWN, Status.NOT_DONE):
            self._in_vain, self._written = 0, self._written or result.status is Status.DONE
            return result
        self._in_vain += 1
        if self._in_vain >= self._most_in_vain and not self._context.cancelled.is_set():
            raise BackendUnavailableError(f"one operation after another fails: {result.detail}")
        return result


def _password(op: Op) -> Secret | None:
    return op.password if isinstance(op, CreateUser | UpdateUser) else None
