"""Passwords that were made, and that nobody knows since the job was cut off: their users get other ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from musterroll.contract.frozen import FrozenDict
from musterroll.contract.operations import Op, Status, UpdateUser, UserRef
from musterroll.contract.translation import gettext
from musterroll.errors import BackendError, MusterrollError
from musterroll.execute.operations import take_secrets_out, without_secret
from musterroll.execute.passwords import Passwords
from musterroll.journal.operations import PlannedUser
from musterroll.portal.portal import Portal

_IS_SO = (Status.DONE, Status.NOOP)


def make_anew(job: str, users: Iterable[PlannedUser], passwords: Passwords, portal: Portal) -> None:
    """Sets other passwords for users whose first ones nobody knows; they are among the made ones then.

    Nothing of it is noted: whoever is not told is set another one the next time as well.

    Args:
        job: the job that has created the users.
        users: whom it has created.
        passwords: those that are known; takes the new ones.
        portal: ready to write.

    Raises:
        BackendError: the portal cannot do that, or has not.
        PluginError: the backend broke.
    """
    lost = [user for user in users if user.row not in passwords.made]
    if not lost or not passwords.are_used:
        return
    if not portal.capabilities().reset_passwords:
        names = ", ".join(user.username for user in lost[:3]) + (", …" if len(lost) > 3 else "")
        raise BackendError(
            gettext(
                "nobody knows the first passwords of some users since the job was cut off, and the portal cannot set "
                "others ({names}); set them in the portal",
                names=names,
            )
        )
    handed: dict[str, tuple[PlannedUser, UpdateUser]] = {}
    failed: list[str] = []

    def operations() -> Iterator[Op]:
        for user in lost:
            op = UpdateUser(
                id=f"{job}-password-{user.row}",
                user=UserRef(user.ref or "", user.username),
                changes=FrozenDict({}),
                before=FrozenDict({}),
                password=passwords.make_another(user),
            )
            handed[op.id] = user, op
            yield op

    try:
        for result in portal.execute(operations()):
            user, op = handed[result.op]
            if result.status not in _IS_SO:
                said = without_secret(result, op)
                failed.append(f"{user.username}: {said.detail or said.status}")
            elif op.password is not None:
                passwords.made[user.row] = op.password
    except MusterrollError as error:
        take_secrets_out(error, (op for _, op in handed.values()))
        raise
    if any(user.row not in passwords.made for user in lost):
        why = failed[0] if failed else gettext("the portal does not say why")
        raise BackendError(
            gettext(
                "nobody knows the first passwords of some users since the job was cut off, and the portal has not set "
                "others ({why}); go on with `musterroll jobs resume`",
                why=why,
            )
        )
