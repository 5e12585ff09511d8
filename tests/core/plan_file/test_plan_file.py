"""The file of a saved plan: what is written is read back, and anything else is refused in one line."""

from __future__ import annotations

import hashlib
import io
import json
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musterroll import Problem
from musterroll.contract.users import GroupPath
from musterroll.errors import PlanFileError
from musterroll.journal.change import Action, Change, FieldChange, InviteDecision, PasswordAction
from musterroll.journal.targets import Target
from musterroll.pipeline.made_from import PluginsUsed
from musterroll.plan.saved.header import PlanHeader, PlannedBackend, PlannedPipeline
from musterroll.plan.saved.reader import SavedPlan, is_saved_plan
from musterroll.plan.saved.writer import write_plan
from musterroll.sheet.summary import SheetCounts, SheetSummary

HEADER = PlanHeader(
    id="20260301-091500-k7mq",
    made="2026-03-01T09:15:00+00:00",
    musterroll="1.0",
    pipeline=PlannedPipeline("acme", "/pipelines/acme.toml", "/pipelines", None, ("on_error=skip",), "ab" * 32),
    plugins=PluginsUsed({"musterroll": "1.0"}, {"rules/acme.py": "cd" * 32}),
    backend=PlannedBackend("directory", "directory:1"),
    sheet=SheetSummary("/sheets/Jiří.xlsx", "ef" * 32, "xlsx", "xlsx", "Users"),
    counts=SheetCounts(rows=3, valid=3),
)

_texts = st.text(max_size=8)
_paths = st.lists(_texts, min_size=1, max_size=3).map(tuple)
_groups = st.builds(Target, _paths)
_scalars = st.none() | st.booleans() | _texts
_changes = st.builds(
    Change,
    row=st.none() | st.integers(1, 9),
    username=_texts,
    action=st.sampled_from(Action),
    password=st.sampled_from(PasswordAction),
    fields=st.dictionaries(_texts, st.builds(FieldChange, _scalars, _scalars), max_size=3),
    add=st.lists(_groups, max_size=2).map(tuple),
    remove=st.lists(_groups, max_size=2).map(tuple),
    invite=st.builds(InviteDecision, st.booleans(), st.none() | _texts, st.none() | _texts),
    ref=st.none() | _texts,
    user_digest=st.none() | _texts,
)
CHANGE = Change(
    row=3, username="ana", action=Action.CREATE, password=PasswordAction.SET, invite=InviteDecision(send=False)
)


def written(
    *changes: Change,
    groups_to_create: tuple[GroupPath, ...] = (),
    groups: tuple[tuple[GroupPath, str], ...] = (),
    problems: tuple[Problem, ...] = (),
) -> bytes:
    file = io.BytesIO()
    write_plan(file, HEADER, problems=problems, groups_to_create=groups_to_create, groups=groups, changes=changes)
    return file.getvalue()


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("plans") / "staff.plan"


@given(
    changes=st.lists(_changes, max_size=4),
    new=st.lists(_paths, max_size=3).map(tuple),
    groups=st.lists(st.tuples(_paths, _texts), max_size=3).map(tuple),
)
def test_what_is_written_is_read_back(
    path: Path, changes: list[Change], new: tuple[GroupPath, ...], groups: tuple[tuple[GroupPath, str], ...]
) -> None:
    content = written(*changes, groups_to_create=new, groups=groups)
    path.write_bytes(content)
    with SavedPlan(path) as saved:
        assert saved.header == HEADER
        assert list(saved.changes()) == changes
        assert saved.groups_to_create() == new
        assert tuple(saved.existing_groups()) == groups
    document = json.loads(content)  # a program of somebody else's reads it as what it is: one JSON document
    assert document["schema"] == "musterroll-plan/1"
    assert len(document["changes"]) == len(changes)


def test_it_is_readable_and_cannot_disorder_a_terminal() -> None:
    content = written(
        CHANGE, problems=(Problem(code="x.y", message="Jiří\u202e\x9b", row=3, column="A", value="typed"),)
    )
    text = content.decode()
    assert "Jiří.xlsx" in text
    assert r"Jiří\u202e\u009b" in text
    assert "typed" not in text  # it may be a password in a wrong column


def test_a_plan_of_any_length_streams(path: Path) -> None:
    rows = 5_000
    tracemalloc.start()
    try:
        with path.open("wb") as file:
            changes = (replace(CHANGE, row=row, username=f"user{row}" * 20) for row in range(rows))
            write_plan(file, HEADER, problems=(), groups_to_create=(), groups=(), changes=changes)
        with SavedPlan(path) as saved:
            assert sum(1 for _ in saved.changes()) == rows
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert path.stat().st_size > 1_500_000
    assert peak < 1_500_000


WHOLE = written(CHANGE, groups=((("A",), "g1"),), groups_to_create=(("B",),))


def read_whole(path: Path) -> None:
    with SavedPlan(path) as saved:
        list(saved.changes())
        list(saved.existing_groups())
        saved.groups_to_create()


def refused(path: Path, content: bytes) -> PlanFileError:
    path.write_bytes(content)
    with pytest.raises(PlanFileError) as error:
        read_whole(path)
    assert "\n" not in error.value.message
    assert str(path) in error.value.message
    return error.value


@given(data=st.data())
def test_a_plan_that_was_edited_or_cut_off_is_told(path: Path, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(WHOLE) - 1))
    if data.draw(st.booleans()):
        changed = WHOLE[:place]
    else:
        changed = WHOLE[:place] + bytes([WHOLE[place] ^ data.draw(st.integers(1, 255))]) + WHOLE[place + 1 :]
    refused(path, changed)


@given(content=st.binary(max_size=300))
def test_any_bytes_are_refused(path: Path, content: bytes) -> None:
    refused(path, content)
    refused(path, b'{"schema": "musterroll-plan/1",\n' + content)


def signed(content: bytes) -> bytes:
    """With the right digest, as somebody could make it who writes plans by hand."""
    return content + f' "digest": "sha256:{hashlib.sha256(content).hexdigest()}"}}\n'.encode()


@given(content=st.binary(max_size=300))
def test_a_right_digest_over_nonsense_is_refused_too(path: Path, content: bytes) -> None:
    head = WHOLE[: WHOLE.index(b' "problems"')]
    refused(path, signed(b'{"schema": "musterroll-plan/1",\n' + content))
    refused(path, signed(head + b' "problems": [\n ],\n "changes": [\n  {' + content + b"}\n ],\n"))


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"Email,Username\n", "plan.unreadable"),
        (b"", "plan.unreadable"),
        (b'{"schema": "musterroll/1"}', "plan.unreadable"),
        (WHOLE.replace(b"plan/1", b"plan/2", 1), "plan.version"),
        (WHOLE[:-20], "plan.damaged"),
        (WHOLE.replace(b'"ana"', b'"eve"'), "plan.damaged"),
        (signed(WHOLE[: WHOLE.index(b' "digest"')].replace(b'"row": 3', b'"row": "x"')), "plan.damaged"),
    ],
)
def test_each_refusal_has_its_code(tmp_path: Path, content: bytes, code: str) -> None:
    assert refused(tmp_path / "x.plan", content).code == code


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(PlanFileError) as missing:
        SavedPlan(tmp_path / "no.plan")
    assert missing.value.code == "plan.not_found"
    with pytest.raises(PlanFileError, match="folder"):
        SavedPlan(tmp_path)


def test_only_plans_are_taken_for_plans(tmp_path: Path) -> None:
    plan, other = tmp_path / "a", tmp_path / "b"
    plan.write_bytes(WHOLE[:50])
    other.write_bytes(b"Email")
    assert is_saved_plan(plan)
    assert not is_saved_plan(other)
    assert not is_saved_plan(tmp_path)
