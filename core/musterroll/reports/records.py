"""Problems and changes as plain data: the one form that the JSON document and saved plans have of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from musterroll.contract.problems import Problem
from musterroll.journal.change import (
    NOTHING_MADE,
    Action,
    Change,
    FieldChange,
    HandEdit,
    InviteDecision,
    Made,
    PasswordAction,
)
from musterroll.journal.targets import Target


def problem_record(problem: Problem) -> dict[str, Any]:
    """Returns a problem as plain data."""
    return {
        "code": problem.code,
        "severity": problem.severity,
        "row": problem.row,
        "column": problem.column,
        "cell": problem.cell,
        "field": problem.field,
        "message": problem.message,
        "value": problem.value,
        "suggestion": problem.suggestion,
        **({"repaired": True} if problem.is_repaired else {}),
    }


def change_record(change: Change) -> dict[str, Any]:
    """Returns a change as plain data, without what only musterroll needs: the user's id and digest."""
    return {
        "row": change.row,
        "username": change.username,
        "action": change.action,
        "password": change.password,
        "fields": {name: {"before": field.before, "after": field.after} for name, field in change.fields.items()},
        "groups": {"add": _paths(change.add), "remove": _paths(change.remove)},
        "invite": {"send": change.invite.send, "channel": change.invite.channel, "reason": change.invite.reason},
        **({"made": list(change.made.fields)} if change.made.fields else {}),
        **({"reason": change.invite.reason} if change.action is Action.IGNORED else {}),
        **(
            {"hand_edit": True, "hand_edits": [_hand_edit(one) for one in change.hand_edits]}
            if change.hand_edits
            else {}
        ),
    }


def _hand_edit(edit: HandEdit) -> dict[str, Any]:
    """What somebody has changed by hand; of a membership with its group, and whether the user is in it."""
    record = edit._asdict()
    group = record.pop("group")
    return record if group is None else {**record, "group": list(group)}


def _paths(groups: Iterable[Target]) -> list[list[str]]:
    return [list(group.path) for group in groups]


def change_of(record: Mapping[str, Any]) -> Change:
    """Makes a change of its record; the user's id and digest are in it as `ref` and `seen`.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    row, username = record["row"], record["username"]
    if not isinstance(row, int | None) or not isinstance(username, str):
        raise TypeError
    fields, groups, invite = record["fields"], record["groups"], record["invite"]
    return Change(
        row=row,
        username=username,
        action=Action(record["action"]),
        password=PasswordAction(record["password"]),
        fields={name: FieldChange(field["before"], field["after"]) for name, field in fields.items()},
        add=tuple(Target(tuple(path)) for path in groups["add"]),
        remove=tuple(Target(tuple(path)) for path in groups["remove"]),
        invite=InviteDecision(invite["send"], invite["channel"], invite["reason"]),
        ref=record["ref"],
        user_digest=record["seen"],
        made=Made(tuple(map(str, made))) if (made := record.get("made")) else NOTHING_MADE,
        hand_edits=tuple(
            HandEdit(**{**edit, "group": tuple(edit["group"])} if "group" in edit else edit)
            for edit in record.get("hand_edits", ())
        ),
    )
