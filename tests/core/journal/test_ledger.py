"""The ledger: what is written into it, and where it says that somebody stands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musterroll import Recipient
from musterroll.journal.invites import DueInvite, InviteState, InviteStore
from musterroll.journal.journal import Journal
from musterroll.journal.ledger import NOT_KNOWN, Ledger, LedgerEntry

NOW = dt.datetime(2030, 1, 2, tzinfo=dt.UTC)
STORED = (None, InviteState.SENDING, InviteState.SENT, InviteState.HELD, InviteState.FAILED)


@pytest.fixture
def journal() -> Iterator[Journal]:
    with closing(Journal.temporary()) as made:
        yield made


def invite(
    journal: Journal, ref: str, state: InviteState, *, name: str = "", days: int = 14, pipeline: str = "acme"
) -> None:
    """Stores an invite of a user as one that was sent now, or was not."""
    store = InviteStore(journal, pipeline, "portal")
    message = f"{pipeline}-{ref}-{state}-{days}"
    due = DueInvite(
        job="j1", row=3, message=message, channel="email", recipient=Recipient(username=name or ref, fields={}, ref=ref)
    )
    store.begin([due])
    if state is not InviteState.SENDING:
        store.settle(message, state, sent=NOW, expires=NOW + dt.timedelta(days=days), detail="why")


def create(journal: Journal, users: Mapping[str, str]) -> None:
    """Notes that a job has created users: names by id."""
    journal.executemany(
        "INSERT INTO row (job, row, username, folded, action, password, fields, ref) "
        "VALUES ('j1', ?, ?, '', 'create', 'none', '{}', ?)",
        [(row, name, ref) for row, (ref, name) in enumerate(users.items())],
    )
    Ledger(journal, "acme", "portal").add_created("j1", range(len(users)))


@given(st.sampled_from(STORED), st.integers(-3, 3) | st.none())
def test_where_somebody_stands(stored: InviteState | None, days: int | None) -> None:
    expires = None if days is None else NOW + dt.timedelta(days=days)
    standing = LedgerEntry(invite=stored, expires=expires).standing(NOW)
    assert standing is not InviteState.SENDING, "nobody knows, so a person decides"
    assert (standing is InviteState.NEVER) == (stored is None)
    assert (standing is InviteState.HELD) == (stored in (InviteState.HELD, InviteState.SENDING))
    assert (standing is InviteState.FAILED) == (stored is InviteState.FAILED)
    assert (standing is InviteState.SENT) == (stored is InviteState.SENT and days is not None and days > 0)


def test_who_is_asked_for_and_who_is_listed_are_the_same(journal: Journal) -> None:
    ledger = Ledger(journal, "acme", "portal")
    create(journal, {"u1": "Ana", "u2": "bo"})
    invite(journal, "u1", InviteState.FAILED, name="Ana")
    invite(journal, "u1", InviteState.SENT, name="Ana")  # the latest counts
    invite(journal, "u3", InviteState.HELD, name="cy")
    invite(journal, "u4", InviteState.SENT, pipeline="another")
    users = list(ledger.users())
    assert [(user.ref, user.username, user.entry.created, user.entry.invite) for user in users] == [
        ("u1", "Ana", True, InviteState.SENT),
        ("u2", "bo", True, None),
        ("u3", "cy", False, InviteState.HELD),
    ]
    assert ledger.entries(["u4", "u3", "u2", "u1", "u0"]) == {user.ref: user.entry for user in users}
    assert ledger.entries([]) == {}


def test_so_many_users_are_asked_for_as_there_are(journal: Journal) -> None:
    ledger = Ledger(journal, "acme", "portal")
    refs = [f"u{number}" for number in range(1203)]
    create(journal, dict(zip(refs, refs, strict=True)))
    assert ledger.entries(refs).keys() == set(refs)


def test_who_is_gone_is_not_known_any_more(journal: Journal) -> None:
    ledger = Ledger(journal, "acme", "portal")
    create(journal, {"u1": "ana", "u2": "bo"})
    ledger.remove(["u1"])
    assert [user.ref for user in ledger.users()] == ["u2"]
    assert ledger.entries(["u1"]).get("u1", NOT_KNOWN).standing(NOW) is InviteState.NEVER


def test_a_password_is_reset_once_for_each_sheet_and_portal(journal: Journal) -> None:
    ledger = Ledger(journal, "acme", "portal")
    ledger.add_resets("j1", ["u1"], sheet_sha256="one")
    assert ledger.password_was_reset(["u1", "u2"], "one") == {"u1"}
    assert ledger.password_was_reset(["u1"], "two") == frozenset()
    assert Ledger(journal, "acme", "another").password_was_reset(["u1"], "one") == frozenset()


@pytest.mark.parametrize(
    ("state", "days", "counts"),
    [
        (InviteState.SENT, 14, True),
        (InviteState.SENT, 0, False),
        (InviteState.HELD, 14, True),
        (InviteState.SENDING, 14, True),
        (InviteState.FAILED, 14, False),
    ],
)
def test_an_invite_of_somebody_lost_counts_while_it_may_be_alive(
    journal: Journal, state: InviteState, days: int, counts: bool
) -> None:
    invite(journal, "old", state, days=days)
    journal.execute("INSERT INTO invited_as VALUES ('acme', 'portal', 'digest', 'old')")
    ledger = Ledger(journal, "acme", "portal")
    assert (ledger.lost(["digest"], None, NOW) is not None) == counts
    assert (ledger.lost(["digest"], "new", NOW) is not None) == counts
    assert ledger.lost(["digest"], "old", NOW) is None, "that is the user, who is there"
    assert ledger.lost(["other"], None, NOW) is None
