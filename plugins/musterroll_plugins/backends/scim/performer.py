"""Performing operations: each by those who can, an answer to each, and an end when one after another fails."""

from __future__ import annotations

import threading

from musterroll import (
    AddMembers,
    BackendError,
    BackendUnavailableError,
    CreateGroup,
    CreateUser,
    Deactivate,
    DeleteGroup,
    DeleteUser,
    Op,
    Reactivate,
    RemoveMembers,
    Result,
    SendInvite,
    Status,
    UpdateUser,
)
from musterroll_http import HttpError
from musterroll_plugins.backends.scim.client import ScimClient
from musterroll_plugins.backends.scim.groups import GroupOperations
from musterroll_plugins.backends.scim.users import OpOutcome, UserOperations

# So many operations in a row, at the least, have to come to nothing before the job is paused.
_LEAST_IN_VAIN = 20

TOO_DEEP = "the portal's answer is nested too deeply; check the url, or ask those who run it"


class Performer:
    """Performs operations, in the event loop.

    Args:
        client: is stopped when the portal keeps failing.
        users: performs those on users.
        groups: performs those on groups.
        cancelled: set when the person interrupts.
    """

    def __init__(
        self, client: ScimClient, users: UserOperations, groups: GroupOperations, cancelled: threading.Event
    ) -> None:
        self._client, self._users, self._groups, self._cancelled = client, users, groups, cancelled
        self._in_vain, self._most_in_vain = 0, _LEAST_IN_VAIN

    def begin(self, in_flight: int) -> None:
        """To be called before operations are performed, so many at once."""
        self._users.begin()
        self._groups.begin()
        # What is under way when the portal has a bad moment fails together.
        self._in_vain, self._most_in_vain = 0, max(_LEAST_IN_VAIN, 2 * in_flight)

    async def perform(self, op: Op) -> Result:
        """Performs one operation; whatever goes wrong is its result."""
        try:
            outcome = await self._outcome(op)
        except HttpError as error:
            outcome = OpOutcome(Status.NOT_DONE if error.certain else Status.UNKNOWN, None, error.text)
        except BackendError as error:
            self._client.stop(error)
            outcome = OpOutcome(Status.UNKNOWN, None, error.message)
        except RecursionError:
            self._client.stop(BackendError(TOO_DEEP))
            outcome = OpOutcome(Status.UNKNOWN, None, TOO_DEEP)
        self._count(outcome)
        return Result(op.id, outcome.status, outcome.ref, outcome.detail, outcome.refused or {})

    def _count(self, outcome: OpOutcome) -> None:
        """Stops when one operation after another comes to nothing, for whatever reason; a refusal is something."""
        if outcome.status not in (Status.UNKNOWN, Status.NOT_DONE):
            self._in_vain = 0
            return
        self._in_vain += 1
        if self._in_vain >= self._most_in_vain and not self._cancelled.is_set():
            self._client.stop(BackendUnavailableError(f"one operation after another fails: {outcome.detail}"))

    async def _outcome(self, op: Op) -> OpOutcome:
        match op:
            case CreateUser():
                return await self._users.create(op)
            case UpdateUser():
                return await self._users.update(op)
            case Deactivate() | Reactivate():
                return await self._users.set_active(op)
            case DeleteUser():
                return await self._users.delete(op)
            case CreateGroup():
                return await self._groups.create(op)
            case DeleteGroup():
                return await self._groups.delete(op)
            case AddMembers():
                return await self._groups.add(op)
            case RemoveMembers():
                return await self._groups.remove(op)
            case SendInvite():
                return OpOutcome(Status.FAILED, None, "the portal cannot send invites; name a notifier in the pipeline")
