"""`plugins check`: a plugin against the contract of its role, as the pipeline uses it."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent, indent
from typing import Any
from uuid import uuid4

import pytest

from musterroll_cli.main import main
from musterroll_plugins.backends.memory.plugin import store_of

_BACKEND = """
from dataclasses import replace
from musterroll import *
from musterroll.testing import MemoryBackend
from musterroll_plugins.backends.memory.plugin import store_of

class Portal(MemoryBackend):
    def __init__(self, options, context):
        super().__init__(store_of({name!r}), read_only=context.read_only)
{methods}

@hookimpl
def musterroll_user_backends():
    yield UserBackendType(name="acme", summary="Acme", options=Options, build=Portal)
"""
_LOWER_CASE = """
def execute(self, ops):
    def lower(op):
        if isinstance(op, CreateUser):
            fields = {name: text.lower() if text else text for name, text in op.user.fields.items()}
            return replace(op, user=replace(op.user, fields=fields))
        return op
    return super().execute(map(lower, ops))
"""
_DROPS_UPDATES = """
def execute(self, ops):
    return super().execute(replace(op, changes={}) if isinstance(op, UpdateUser) else op for op in ops)
"""
_REFUSES = """
def execute(self, ops):
    for op in ops:
        if isinstance(op, CreateUser) and op.user.username.endswith("2"):
            yield Result(op.id, Status.FAILED, detail="the portal takes no even numbers")
        else:
            yield from super().execute(iter([op]))
"""
_KEEPS = """
def execute(self, ops):
    for op in ops:
        if isinstance(op, DeleteUser):
            yield Result(op.id, Status.FAILED, detail="nobody is deleted here")
        else:
            yield from super().execute(iter([op]))
"""
_SAYS_DELETED = """
def execute(self, ops):
    for op in ops:
        if isinstance(op, DeleteUser):
            yield Result(op.id, Status.DONE)
        else:
            yield from super().execute(iter([op]))
"""
_DEACTIVATES = """
def capabilities(self):
    return replace(super().capabilities(), delete=False)
"""


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


class Portal:
    """A user backend of a local file, over a store that the test sees."""

    def __init__(self, folder: Path, methods: str = "", *, rehearsal: bool = True, more: str = "") -> None:
        self.store = store_of(name := uuid4().hex)
        text = _BACKEND.format(name=name, methods=indent(dedent(methods), "    "))
        (folder / "acme.py").write_text(text, encoding="utf-8")
        permission = "[profiles.trial]\nrehearsal = true" if rehearsal else "[profiles.trial]\nconfirm = true"
        toml = f'name = "acme"\nplugins = ["acme.py"]\nbackend.use = "acme"\n{more}\n{permission}\n'
        (folder / "musterroll.toml").write_text(toml, encoding="utf-8")

    @property
    def users(self) -> list[str]:
        return [user.username for user in self.store.users.values()]


def check(name: str, *words: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    status = main(["plugins", "check", name, *words, "--format", "json"])
    return status, json.loads(capsys.readouterr().out)


def failed(document: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["detail"] for one in document["checks"] if one["status"] == "failed"}


def test_a_good_backend_is_left_as_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    portal = Portal(
        tmp_path,
        more='limits.create = 0\nprotect = ["admin*"]\nmode = "create"\n[[sheet.fields]]\nname = "staff"\n'
        'heading = "X"\n'
        '[[sheet.fields]]\nname = "command"\nheading = "Y"\nrole = "command"\nrequired = true',
    )
    assert main(["plugins", "check", "acme", "--profile", "trial"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[:8].strip() for line in lines] == ["ok"] * 8
    assert "the made-up users are called musterroll-check-" in lines[0]
    assert lines[-1].endswith("afterwards: nobody of them is found any more")
    assert (portal.users, portal.store.groups) == ([], {})
    assert portal.store.writes > 0
    # Neither the history of the pipeline nor a message hears of it.
    assert sorted(path.name for path in tmp_path.iterdir()) == ["acme.py", "musterroll.toml"]


def test_without_permission_nothing_is_even_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    portal = Portal(tmp_path, rehearsal=False)
    for words in ((), ("--profile", "trial")):
        status, document = check("acme", *words, capsys=capsys)
        assert (status, document["status"], document["error"]["code"]) == (3, "refused", "plugin.no_rehearsal")
        assert "rehearsal = true" in document["error"]["message"]
    assert portal.store.writes == 0


@pytest.mark.parametrize(
    ("methods", "step", "says"),
    [
        (_LOWER_CASE, "plan again", "the same sheet would change users once more: the field"),
        (_DROPS_UPDATES, "plan of the change again", "is 'Musterroll' there and should be 'Changed'"),
        (_REFUSES, "run", "the portal takes no even numbers"),
        ("def lookup(self, keys): return {}", "plan again", "was created, and lookup() does not find"),
        ("def identity(self): return None", "portal", "identity() must return a text"),
        ("def capabilities(self): raise OSError('no line')", "portal", "OSError: no line"),
    ],
)
def test_a_broken_backend_is_named_and_what_was_done_is_taken_back(
    methods: str, step: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    portal = Portal(tmp_path, methods)
    status, document = check("acme", "--profile", "trial", capsys=capsys)
    assert (status, document["error"]["code"]) == (2, "plugin.check_failed")
    assert list(failed(document)) == [step]
    assert says in failed(document)[step]
    assert document["checks"][-1]["name"] == "undo"
    assert portal.users == []
    assert not (tmp_path / ".musterroll").exists()


def test_what_stays_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    portal = Portal(tmp_path, _KEEPS)
    status, document = check("acme", "--profile", "trial", capsys=capsys)
    assert status == 2
    assert list(failed(document)) == ["undo"]
    assert "something stays in the portal; delete musterroll-check-" in failed(document)["undo"]
    assert "nobody is deleted here" in failed(document)["undo"]
    assert len(portal.users) == 3


def test_a_portal_that_only_says_that_it_deletes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Portal(tmp_path, _SAYS_DELETED)
    _, document = check("acme", "--profile", "trial", capsys=capsys)
    assert "is taken back, and lookup() still finds the user" in failed(document)["afterwards"].replace("was", "is")


def test_a_portal_that_deletes_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    portal = Portal(tmp_path, _DEACTIVATES)
    status, document = check("acme", "--profile", "trial", capsys=capsys)
    assert status == 0, failed(document)
    assert [one["detail"] for one in document["checks"][-2:]] == [
        "the users are deactivated; this portal deletes none",
        "nobody of them is active any more",
    ]
    assert portal.store.groups == {}  # none is made that could not be taken back
    assert not any(user.active for user in portal.store.users.values())


def test_where_nobody_could_be_taken_back_nobody_is_created(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    portal = Portal(tmp_path, _DEACTIVATES.replace("delete=False", "delete=False, deactivate=False"))
    status, document = check("acme", "--profile", "trial", capsys=capsys)
    assert status == 0
    assert [(one["name"], one["status"]) for one in document["checks"]][2] == ("run", "warning")
    assert portal.users == []


_RULES = """
from musterroll import *

@rule("acme-tells", field="username", code="acme.tells")
def tells(row: Row) -> str:
    secret = row.secret("password")
    return "{heading} must not be like " + (secret.reveal() if secret else "")

@rule("acme-breaks", field="surname", code="acme.breaks")
def breaks(text: str) -> str | None:
    return None if text[20] == "x" else "x"

@rule("acme-good", field="surname", code="acme.good")
def good(text: str) -> str | None:
    return "x" if text == "x" else None

@group_rule("acme-groups", field="groups")
def groups(text: str) -> GroupPath:
    return (text[:1].strip("a"), text)
"""
_USES = """
name = "acme"
plugins = ["rules.py"]
validators = [
    { name = "tells", use = "acme-tells" },
    { name = "breaks", use = "acme-breaks" },
    { name = "good", use = "acme-good" },
]
groups = [{ name = "mine", use = "acme-groups" }]
"""


def test_rules_readers_and_notifiers_without_a_portal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "rules.py").write_text(_RULES, encoding="utf-8")
    (tmp_path / "musterroll.toml").write_text(_USES, encoding="utf-8")

    status, document = check("acme-tells", capsys=capsys)
    assert status == 2
    assert failed(document) == {
        "validators[tells], passwords": "the message of the problem acme.tells tells the row's password"
    }
    broken = failed(check("acme-breaks", capsys=capsys)[1])
    assert "it breaks: IndexError" in broken["validators[breaks], strange values"]
    assert "level 1 of a group has no name" in str(failed(check("acme-groups", capsys=capsys)[1]))
    for name in ("acme-good", "csv", "xlsx", "outbox", "password", "paths"):
        assert check(name, capsys=capsys)[0] == 0, name
    assert sorted(path.name for path in tmp_path.iterdir()) == ["musterroll.toml", "rules.py"]


def test_what_the_pipeline_does_not_use_cannot_be_checked(capsys: pytest.CaptureFixture[str]) -> None:
    status, document = check("scim", capsys=capsys)
    assert (status, document["error"]["code"]) == (2, "usage")
    assert document["error"]["message"] == (
        'the pipeline does not use the user backend "scim"; name it there, with its options'
    )
    assert check("scmi", capsys=capsys)[1]["error"]["code"] == "plugin.unknown"
