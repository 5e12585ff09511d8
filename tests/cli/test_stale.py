"""What a person reads of a plan that no longer fits."""

from __future__ import annotations

from collections.abc import Callable

from musterroll.plan.differences import AppliedBy, Difference, GroupDifference, GroupState, Stale, UserDifference
from musterroll_cli.output.console import Stream
from musterroll_cli.output.text.stale import show_stale

Shown = Callable[[Stream], str]
INVITES = [{"send": True, "channel": "email", "reason": None}, {"send": False, "channel": None, "reason": "inactive"}]
DIFFERENCES = {
    Difference("row", None, "create"): "is not in the plan",
    Difference("row", "update", None): "is left out, or no longer in the sheet",
    Difference("username", "bo", "bob"): "was bo",
    Difference("action", "create", "unchanged"): "was to be created, and exists now",
    Difference("action", "unchanged", "create"): "is no longer in the portal",
    Difference("password", "reset", "keep"): "password: reset planned, now keep",
    Difference("portal"): "was changed in the portal",
}


def test_each_difference_is_told_in_words(paper: Stream, shown: Shown) -> None:
    field = Difference("fields.surname", {"before": "Ek", "after": "Oak"}, None)
    groups = Difference("groups", {"add": [["A", "B"]], "remove": []}, {"add": [], "remove": [["C"]]})
    invite = Difference("invite", *INVITES)
    several = UserDifference(8, "cyd", (Difference("action", "update", "unchanged"), field, groups, invite))
    users = [UserDifference(3, "ana", (one,)) for one in DIFFERENCES]
    show_stale(paper, Stale(users=(*users, several)), verbose=False)
    lines = shown(paper).splitlines()
    assert lines[:-1] == [f"  row 3  ana  {words}" for words in DIFFERENCES.values()]
    assert lines[-1].split("  ")[-1] == (
        "surname: Ek → Oak planned, now no change; groups: +A|B planned, now -C; "
        "invite: by email planned, now none (inactive)"
    )


def test_ten_are_shown_and_the_others_counted(paper: Stream, shown: Shown) -> None:
    users = tuple(UserDifference(row, f"user{row}", (Difference("portal"),)) for row in range(3, 15))
    groups = (GroupDifference(("A", "B"), GroupState.EXISTS, GroupState.MISSING),)
    stale = Stale(backend=True, users=users, groups=groups)
    show_stale(paper, stale, verbose=False)
    lines = shown(paper).splitlines()
    assert lines[0] == "  A|B  is gone, or has another name now"
    assert lines[1].split() == ["row", "3", "user3", "was", "changed", "in", "the", "portal"]
    assert lines[11:] == ["  … and 2 users more; --verbose shows all"]
    show_stale(paper, stale, verbose=True)
    assert len(shown(paper).splitlines()) == len(lines) + 13


def test_what_the_plan_itself_has_done_is_no_news(paper: Stream, shown: Shown) -> None:
    users = (UserDifference(3, "ana", (Difference("action", "create", "unchanged"),)),)
    applied = AppliedBy("20260301-100000-abcd", "2026-03-01T10:00:00+00:00", "completed")
    show_stale(paper, Stale(users=users, applied_by=applied), verbose=False)
    assert shown(paper) == ""
    show_stale(paper, Stale(users=users, applied_by=applied), verbose=True)
    assert "exists now" in shown(paper)
