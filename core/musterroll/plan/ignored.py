"""Which rows are left alone, and why."""

from __future__ import annotations

from collections.abc import Iterator

from musterroll.contract.fields import USERNAME
from musterroll.contract.problems import Problem, Severity
from musterroll.contract.rows import Row
from musterroll.contract.translation import gettext_noop
from musterroll.contract.users import Existing
from musterroll.pipeline.settings import Settings
from musterroll.sheet.orders import Order, Wish

ROW_SAYS_SO = gettext_noop("the row says so")

_NEEDS_USER = (Wish.UPDATE, Wish.REACTIVATE)


def why_ignored(order: Order, user: Existing | None, settings: Settings) -> str | None:
    """Returns why a row is left alone; None where it is not.

    Args:
        order: what the row wants.
        user: the user it means; None where there is no such user.
        settings: the pipeline's settings.
    """
    if order.wish is Wish.IGNORE:
        return ROW_SAYS_SO
    if user is None:
        if order.leaves or (order.is_command and order.wish in _NEEDS_USER):
            return gettext_noop("there is no such user")
        if settings.mode == "update":
            return gettext_noop("there is no such user, and only existing ones are updated")
        return None if order.not_before is None else f"not before {order.not_before}"
    if settings.mode == "create":
        return gettext_noop("the user exists, and only new ones are created")
    if order.wish is Wish.CREATE:
        return gettext_noop("the user exists")
    waits = order.not_before is not None and not user.active and not order.leaves
    return f"not before {order.not_before}" if waits else None


def missing(row: Row, order: Order) -> Iterator[Problem]:
    """Yields a warning where a command needs a user whom the portal does not have; not where the user is to be gone."""
    if order.is_command and order.wish in (*_NEEDS_USER, Wish.DEACTIVATE):
        yield row.problem(
            USERNAME,
            "username.unknown_user",
            "The portal has no such user, so nothing is done; correct the username, or remove the row",
            severity=Severity.WARNING,
        )
