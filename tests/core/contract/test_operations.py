"""The table of operations: nothing is left out, and what is said of each is true of what the engine does."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import get_args

import pytest

from musterroll.contract.operations import OPERATIONS, Kind, Op, SendInvite, UserRef, doing
from support.pipelines import Told, Work, addressed, user


def test_every_class_and_every_kind_has_one_row() -> None:
    assert set(OPERATIONS) == set(Kind)
    # To refer to others is an update that comes later.
    assert sorted(
        operation.make.__name__ for kind, operation in OPERATIONS.items() if kind is not Kind.REFER
    ) == sorted(make.__name__ for make in get_args(Op))
    assert OPERATIONS[Kind.REFER].make is OPERATIONS[Kind.UPDATE_USER].make


def test_an_operation_is_named_by_whom_it_is_about() -> None:
    assert doing(SendInvite(id="1", user=UserRef("u1", "{ana}"))) == 'inviting the user "{ana}"'


@pytest.mark.parametrize("created", ["deactivate", "delete"])
def test_an_undo_does_what_the_table_says(work: Work, created: str) -> None:
    """Every kind that a sheet brings is planned, and taken back by those that its row names, and by no other."""
    old = work.portal.add_group("Old")
    work.portal.add("ana", surname="Silva", groups=[old])
    work.portal.add("cy", forename="Cy", active=False)
    work.run(work.pipeline(), work.sheet(user("gone"), user("ana", surname="Silva"), user("bo")))
    pipeline = work.pipeline(
        'absent = "deactivate"\non_inactive = "reactivate"',
        f'[membership]\nmode = "replace"\n[undo]\ncreated = "{created}"\n[limits]\ndeactivate = "100%"\n'
        '[[sheet.fields]]\nname = "boss"\nheading = "boss"\ntype = "user"',
    )
    ana = user("ana", surname="Souza", groups="Fresh", boss="new")
    rows = [addressed("new", groups="Fresh"), ana, user("cy"), user("bo")]
    done = work.run(pipeline, work.sheet(*rows, others=["boss"]))
    assert done.rows == {"created": 1, "updated": 2, "unchanged": 1, "deactivated": 1}
    undone = work.undo(pipeline)
    kinds, inverses = _kinds(work, done), _kinds(work, undone)
    assert kinds == set(Kind) - {Kind.DELETE_USER, Kind.DELETE_GROUP, Kind.SEND_INVITE}
    named = {inverse for kind in kinds for inverse in OPERATIONS[kind].undone_by}
    assert inverses == named - ({Kind.DELETE_USER} if created == "deactivate" else set())


def _kinds(work: Work, told: Told) -> set[Kind]:
    assert told.job is not None
    with closing(sqlite3.connect(work.journal)) as db:
        return {
            Kind(kind) for (kind,) in db.execute("SELECT DISTINCT kind FROM operation WHERE job = ?", (told.job.id,))
        }
