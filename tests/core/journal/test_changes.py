"""What happens to a row comes back from the journal as it was planned."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from musterroll.journal.change import FIRST_OFF_SHEET_ROW, Action, Change, FieldChange, InviteDecision, PasswordAction
from musterroll.journal.journal import Journal
from musterroll.journal.plan import PlanStore
from musterroll.journal.targets import Target

_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_scalars = st.none() | st.booleans() | _texts
# Two groups of one path: a portal may have them, and they must not be taken for each other.
_TARGETS = (
    Target(("Region",), 1, None, "g1"),
    Target(("Region", "North"), 2, 1, "g2"),
    Target(("Region", "North"), 3, 1, "g3"),
    Target(("New",), 4, None, None),
)
_invites = st.builds(InviteDecision, st.just(False), reason=st.none() | _texts) | st.builds(
    InviteDecision,
    st.just(True),
    channel=_texts,
    notifier=_texts,
    recipient=st.dictionaries(_texts, _texts, max_size=2),
    known_as=st.lists(_texts, max_size=2).map(tuple),
)


@st.composite
def _plans(draw: st.DrawFn) -> list[Change]:
    numbers = sorted(draw(st.sets(st.integers(2, 9) | st.integers(FIRST_OFF_SHEET_ROW, FIRST_OFF_SHEET_ROW + 9))))
    changes = []
    for number in numbers:
        groups = draw(st.permutations(_TARGETS))
        first, second = sorted(draw(st.tuples(st.integers(0, 4), st.integers(0, 4))))
        changes.append(
            Change(
                row=number if number < FIRST_OFF_SHEET_ROW else None,
                username=draw(_texts),
                action=draw(st.sampled_from(Action)),
                password=draw(st.sampled_from(PasswordAction)),
                fields=draw(st.dictionaries(_texts, st.builds(FieldChange, _scalars, _scalars), max_size=2)),
                add=tuple(groups[:first]),
                remove=tuple(groups[first:second]),
                invite=draw(_invites),
                ref=draw(st.none() | _texts),
                user_digest=draw(st.none() | _texts),
                number=number,
            )
        )
    return changes


@given(_plans())
def test_changes_come_back_as_they_were_planned(changes: list[Change]) -> None:
    with closing(Journal.temporary()) as journal:
        store = PlanStore(journal, "job")
        for target in _TARGETS:
            store.add_target(target)
        for change in changes:
            store.add(change)
        store.flush()
        store.reject(change.stored_row for change in changes if change.action is Action.REJECTED)
        found = list(store.changes())
    expected = [change for change in changes if change.action is not Action.REJECTED]
    assert found == expected
    # Of these the order of the plan alone decides, or files have none of them; so `==` leaves them out.
    assert [one.stored_row for one in found] == [one.stored_row for one in expected]
    for one, other in zip(found, expected, strict=True):
        assert [group.id for group in (*one.add, *one.remove)] == [group.id for group in (*other.add, *other.remove)]
        assert one.invite.notifier == other.invite.notifier


def test_a_rejected_row_is_no_change() -> None:
    rejected = Change.rejected(3, "ana", "u1")
    with closing(Journal.temporary()) as journal:
        store = PlanStore(journal, "job")
        store.add(rejected)
        store.add(replace(rejected, row=4, action=Action.UNCHANGED))
        store.flush()
        assert [one.row for one in store.changes()] == [4]
        assert list(store.refs()) == ["u1", "u1"]  # whom it means is in the sheet all the same
