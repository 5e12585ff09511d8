"""A sheet that comes again to a portal that nobody has changed: known without a look, and told as if it were looked at.

Every history is lived twice, with the short ways and by the plain one; both must tell the same.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musterroll import AddMembers, Op, Result, Status, Wanted, engine
from musterroll.contract.cells import Block
from musterroll.errors import MusterrollError
from musterroll.invites.sender import InviteSender
from musterroll.sheet import blocks, reader
from musterroll_plugins.backends.directory.backend import DirectoryBackend
from support.pipelines import DIRECTORY, Told, Work, addressed, user

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the directory does not tell its state")
_ROWS = 3  # in a part
_TABLES = """
[[sheet.fields]]
name = "department"
heading = "department"
[[validators]]
name = "short"
use = "acme-short"
[[groups]]
name = "more"
use = "acme-more"
"""
# What a plugin says may hang on what no pipeline file and no sheet says.
_PLUGIN = """
from pathlib import Path
from musterroll import Row, group_rule, rule

_HERE = Path(__file__).parent

@rule("acme-short", field="forename", code="acme.short")
def short(row: Row):
    if row["username"] in _said("short"):
        return "too long"

@group_rule("acme-more", field="username")
def more(text: str):
    if text in _said("more"):
        yield ("More",)

def _said(name):
    file = _HERE / name
    return file.read_text() if file.exists() else ""
"""


@pytest.fixture(autouse=True, scope="module")
def _small_parts() -> Iterator[None]:
    def filled_blocks(*values: Any) -> Iterator[Block]:
        rows = blocks.rows_of(blocks.filled_blocks(*values))
        while some := list(islice(rows, _ROWS)):
            yield Block([row.number for row in some], [row.cells for row in some])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "filled_blocks", filled_blocks)
        yield


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The usernames that the directory was asked about, by comparing or looking them up."""
    names: list[str] = []
    compare, look_up = DirectoryBackend.as_wanted, DirectoryBackend.lookup

    def as_wanted(self: DirectoryBackend, fields: Sequence[str], users: Sequence[Wanted]) -> Any:
        names.extend(one.username for one in users)
        return compare(self, fields, users)

    def lookup(self: DirectoryBackend, keys: Any) -> Any:
        names.extend(key.raw for key in keys)
        return look_up(self, keys)

    monkeypatch.setattr(DirectoryBackend, "as_wanted", as_wanted)
    monkeypatch.setattr(DirectoryBackend, "lookup", lookup)
    return names


class _Life:
    """A working folder, its sheet and its pipeline, and what was told of each run."""

    def __init__(self, folder: Path, *, plain: bool = False) -> None:
        folder.mkdir()
        self.work, self.plain = Work(folder), plain
        self.rows = [
            addressed("ana", surname="Silva", groups="A|B;C"),
            addressed("bo", phone="7712345678", calling_code="44", groups="A"),
            user("cy"),
            addressed("dee", department="Sales"),
            addressed("Émile", groups="A|B"),
            addressed("fay", phone="07712345679", calling_code="44"),  # a warning
            addressed("gus", groups="C"),
            addressed("hal"),
        ]
        self.top: dict[str, str] = {"on_error": '"skip"', "invites.send_to": '"none"'}
        (folder / "rules.py").write_text(_PLUGIN, encoding="utf-8")
        self.told: list[object] = []

    def pipeline(self) -> Any:
        top = "\n".join(f"{key} = {value}" for key, value in self.top.items())
        return self.work.pipeline(top, _TABLES, backend=DIRECTORY, plugins=["rules.py"])

    def run(self, **options: Any) -> Told:
        with self._way():
            told = self.work.run(self.pipeline(), self.work.sheet(*self.rows, others=["department"]), **options)
        self.told.append([*_lines(told), _ledger(self.work)])
        return told

    def other(self, act: Callable[..., Any], *values: Any) -> None:
        """Does something else with the pipeline."""
        with self._way():
            try:
                with act(self.pipeline(), *values) as report:
                    list(report.changes() if report.changes is not None else ())
            except MusterrollError as error:
                self.told.append(error.code)

    def sql(self, *statements: str) -> None:
        with closing(sqlite3.connect(self.work.folder / "users.db")) as db, db:
            for statement in statements:
                db.execute(statement)

    @contextmanager
    def _way(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            if self.plain:
                patch.setenv("MUSTERROLL_PLAIN", "1")
            yield


def _lines(told: Told) -> list[object]:
    changes = [
        (one.row, one.username, one.action, one.password, dict(one.fields), one.add, one.remove, one.invite)
        for one in told.changes
    ]
    problems = [(p.code, p.row, p.message) for p in told.problems]
    return [changes, told.rows, told.invites, problems, told.counts, told.state, told.outcome]


def _ledger(work: Work) -> dict[str, list[Any]]:
    """What is noted of users, by their names: the ids differ from portal to portal."""
    with closing(sqlite3.connect(work.journal)) as db:
        tables = {"roster": "username", "managed": "username", "uninvited": "username, reason"}
        ledger = {
            table: db.execute(f"SELECT {columns} FROM {table} ORDER BY username").fetchall()  # noqa: S608 -- constants
            for table, columns in tables.items()
        }
        parts = db.execute("SELECT rows, who FROM sheet_part, last_sheet USING (job) ORDER BY rows").fetchall()
        return {**ledger, "parts": [(rows, len(who)) for rows, who in parts]}


# -- what can happen between two nights ---------------------------------------------------------------------------


def _cell(life: _Life, place: int, **cells: str) -> None:
    life.rows[place % len(life.rows)] = {**life.rows[place % len(life.rows)], **cells}


def _another_pipeline(life: _Life) -> None:
    other = life.work.folder / "other"
    if not other.exists():
        other.mkdir()
    toml = f"""
name = "other"
[backend]
use = "directory"
options = {{ path = "{life.work.folder / "users.db"}", passwords = "none" }}
[invites]
send_to = "none"
"""
    (other / "other.toml").write_text(toml, encoding="utf-8")
    sheet = life.work.sheet(user("bo", surname="Other"), name="other.csv")
    life.told.append(life.work.run(engine.load_pipeline(other / "other.toml"), sheet).rows)


def _backup(life: _Life) -> None:
    shutil.copy2(life.work.folder / "users.db", life.work.folder / "backup.db")


def _restore(life: _Life) -> None:
    if (life.work.folder / "backup.db").exists():
        shutil.copy2(life.work.folder / "backup.db", life.work.folder / "users.db")


def _keep_all(life: _Life) -> None:
    shutil.rmtree(life.work.folder / "all", ignore_errors=True)
    (life.work.folder / "all").mkdir()
    shutil.copytree(life.work.state, life.work.folder / "all" / "state")
    shutil.copy2(life.work.folder / "users.db", life.work.folder / "all" / "users.db")


def _bring_all_back(life: _Life) -> None:
    if (life.work.folder / "all").exists():
        shutil.rmtree(life.work.state)
        shutil.copytree(life.work.folder / "all" / "state", life.work.state)
        shutil.copy2(life.work.folder / "all" / "users.db", life.work.folder / "users.db")


def _bring_the_journal_back(life: _Life) -> None:
    if (life.work.folder / "all").exists():
        shutil.rmtree(life.work.state)
        shutil.copytree(life.work.folder / "all" / "state", life.work.state)


def _a_failure(life: _Life) -> None:
    """A night on which a new user cannot be added to a group."""
    life.rows.append(addressed(f"zoe{len(life.rows)}", groups="New"))
    execute = DirectoryBackend.execute

    def fail(self: DirectoryBackend, ops: Iterator[Op]) -> Iterator[Result]:
        for op in ops:
            if isinstance(op, AddMembers):
                yield Result(op.id, Status.FAILED, detail="no")
            else:
                yield from execute(self, iter([op]))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DirectoryBackend, "execute", fail)
        life.run()


def _somebody_meanwhile(life: _Life) -> None:
    """A night on which somebody changes a user by hand between planning and writing."""

    def confirm(summary: object) -> bool:
        life.sql("UPDATE users SET forename = 'Meanwhile' WHERE username = 'ana'")
        return True

    life.rows.append(addressed(f"late{len(life.rows)}"))
    life.run(confirm=confirm)


def _somebody_while_nothing_is_written(life: _Life) -> None:
    """A night without work for the portal, on which somebody changes a user by hand before the job ends."""
    run_job = InviteSender.run_job

    def meanwhile(self: InviteSender, *args: Any) -> None:
        run_job(self, *args)
        life.sql("UPDATE users SET forename = 'Meanwhile' WHERE username = 'ana'")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(InviteSender, "run_job", meanwhile)
        life.run()


def _say(name: str, what: str) -> Callable[[_Life], object]:
    return lambda life: (life.work.folder / name).write_text(what, encoding="utf-8")


def _another_rule(life: _Life) -> None:
    (life.work.folder / "rules.py").write_text(_PLUGIN.replace("too long", "much too long"), encoding="utf-8")


def _set(key: str, value: str) -> Callable[[_Life], None]:
    return lambda life: life.top.update({key: value})


def _sql(*statements: str) -> Callable[[_Life], None]:
    return lambda life: life.sql(*statements)


_STEPS: dict[str, Callable[[_Life], object]] = {
    "nothing": lambda life: None,
    "another night": lambda life: life.work.clock.pass_days(20),
    "a value in the sheet": lambda life: _cell(life, 3, surname="Changed"),
    "and back": lambda life: _cell(life, 3, surname=""),
    "groups in the sheet": lambda life: _cell(life, 1, groups="A;C"),
    "a new group in the sheet": lambda life: _cell(life, 6, groups="D|E"),
    "a misspelt group": lambda life: _cell(life, 7, groups="Accounting;Acounting"),
    "a username's spelling": lambda life: _cell(life, 0, username="ANA"),
    "another user in a row": lambda life: _cell(life, 2, username="other"),
    "a bad row": lambda life: _cell(life, 4, email="nonsense"),
    "a good row": lambda life: _cell(life, 4, email="emile@example.com"),
    "a row more": lambda life: life.rows.append(addressed(f"new{len(life.rows)}", groups="A")),
    "a row more in front": lambda life: life.rows.insert(0, addressed(f"first{len(life.rows)}")),
    "a row less": lambda life: life.rows.pop(2),
    "a row twice": lambda life: life.rows.append(dict(life.rows[0])),
    "rows the other way round": lambda life: life.rows.reverse(),
    "a value in the portal": _sql("UPDATE users SET surname = 'By hand' WHERE username = 'ana'"),
    "a value there and back": _sql(
        "UPDATE users SET forename = 'X' WHERE username = 'bo'",
        "UPDATE users SET forename = 'Bo' WHERE username = 'bo'",
    ),
    "a deactivated user": _sql("UPDATE users SET active = 0 WHERE username = 'bo'"),
    "a user who is gone": _sql("DELETE FROM users WHERE username = 'gus'"),
    "a renamed group": _sql("UPDATE OR IGNORE groups SET name = 'Z', name_key = 'z' WHERE name = 'C'"),
    "a membership less": _sql("DELETE FROM memberships WHERE user_id IN (SELECT id FROM users WHERE username = 'ana')"),
    "another pipeline": _another_pipeline,
    "a backup": _backup,
    "the backup comes back": _restore,
    "a backup of all": _keep_all,
    "all of it comes back": _bring_all_back,
    "the journal comes back": _bring_the_journal_back,
    "an undo": lambda life: life.other(engine.undo, "last"),
    "invites": lambda life: life.other(engine.send_invites),
    "invites for one": lambda life: life.other(lambda pipeline: engine.send_invites(pipeline, users=["ana"])),
    "nobody is told": _set("invites.send_to", '"none"'),
    "new ones are told": _set("invites.send_to", '"new"'),
    "all are told": _set("invites.send_to", '"all"'),
    "pending ones are told": _set("invites.send_to", '"pending"'),
    "inactive ones come back": _set("on_inactive", '"reactivate"'),
    "other groups go": _set("membership.mode", '"replace"'),
    "missing groups are left out": _set("membership.missing", '"skip"'),
    "blank cells clear": _set("sheet.on_blank_cell", '"clear"'),
    "a default": _set("sheet.defaults.groups", '"D"'),
    "a composed field": _set("sheet.compose.surname", '"{forename}"'),
    "a protected user": _set("protect", '["an*"]'),
    "another language": _set("language", '"de"'),
    "a limit": _set("limits.update", "1"),
    "a rule": _another_rule,
    "a rule has another mind": _say("short", "bo dee"),
    "and another one": _say("short", ""),
    "somebody belongs to more": _say("more", "bo fay"),
    "a failure": _a_failure,
    "somebody meanwhile": _somebody_meanwhile,
    "somebody while nothing is written": _somebody_while_nothing_is_written,
    "some rows only": lambda life: life.run(chosen=engine.ChosenRows(first=3, last=5)),
}


def _same(folder: Path, steps: Sequence[str]) -> None:
    lives = [_Life(folder / "short"), _Life(folder / "plain", plain=True)]
    for life in lives:
        life.run()
        for step in steps:
            _STEPS[step](life)
            life.run()
    short, plain = (life.told for life in lives)
    for number, (one, other) in enumerate(zip(short, plain, strict=True)):
        assert one == other, f"what is told {number}"


# Each of these shows that something is needed which another one would not miss.
_TELLING = {
    *("nothing", "a value in the sheet", "a bad row", "a row twice", "a value in the portal", "a value there and back"),
    *("a deactivated user", "a user who is gone", "a renamed group", "another pipeline", "an undo", "invites"),
    *("new ones are told", "a default", "another language", "a rule has another mind", "somebody belongs to more"),
    *("a failure", "somebody meanwhile", "somebody while nothing is written", "some rows only"),
}
_HISTORIES = [
    *(pytest.param([step], marks=() if step in _TELLING else pytest.mark.slow) for step in _STEPS),
    ["pending ones are told", "nothing", "another night"],
    ["all are told", "nothing", "another night"],
    ["new ones are told", "nothing", "nothing", "another night"],
    ["a backup", "a row more", "the backup comes back"],
    ["a backup of all", "a row more", "all of it comes back"],
    ["a backup of all", "a row more", "the journal comes back"],
]


@pytest.mark.parametrize("steps", _HISTORIES, ids=", then ".join)
def test_whatever_happens_both_ways_tell_the_same(steps: list[str], tmp_path: Path) -> None:
    _same(tmp_path, steps)


@pytest.mark.slow
@given(st.lists(st.sampled_from(sorted(_STEPS)), min_size=2, max_size=8))
@settings(max_examples=25, deadline=None)
def test_so_it_is_in_every_order(steps: list[str]) -> None:
    with TemporaryDirectory() as folder:
        _same(Path(folder), steps)


def test_an_unchanged_sheet_is_known_without_a_look(tmp_path: Path, asked: list[str]) -> None:
    life = _Life(tmp_path / "life")
    life.run()
    for _ in range(2):
        asked.clear()
        done = life.run()
        assert done.rows == {"unchanged": 8}
        assert done.codes == ["phone.trunk_prefix@8"]
        assert asked == []


@pytest.mark.parametrize(
    ("step", "names"),
    [
        # Of the part that differs each row.
        ("a value in the sheet", {"bo", "cy", "dee"}),
        ("a row more", {"hal", "new8"}),
        ("somebody belongs to more", {"bo", "cy", "dee", "Émile", "fay", "gus"}),
        # Of one that does not, the row that is bad now.
        ("a rule has another mind", {"bo", "dee"}),
    ],
)
def test_what_differs_is_looked_at(step: str, names: set[str], tmp_path: Path, asked: list[str]) -> None:
    life = _Life(tmp_path / "life")
    life.run()
    asked.clear()
    _STEPS[step](life)
    life.run()
    assert set(asked) == names
