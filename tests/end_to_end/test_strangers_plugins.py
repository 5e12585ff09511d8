"""Plugins with mistakes, in commands as people give them: the culprit has a name, nothing is changed or told."""

from __future__ import annotations

import signal
import time
from textwrap import dedent

import pytest

from support.rosters import roster, write_csv
from support.workplace import Workplace

CANARY = "Kanarienvogel-4711"
HEAD = """
import time
from musterroll import *
from musterroll import hookimpl
from musterroll.testing import MemoryBackend

class V:
    def __init__(self, options, context): pass
    def check(self, row): return ()

class B(MemoryBackend):
    def __init__(self, options, context): super().__init__()

class N:
    channel = "sms"
    def __init__(self, options, context): pass
    def can_reach(self, user): return True
    def send(self, messages):
        for message in messages:
            yield Sent(message.id, SentStatus.SENT)
    def close(self): pass

@hookimpl
def musterroll_validators():
    yield ValidatorType(name="mine", summary="", options=Options, build=V)

@hookimpl
def musterroll_user_backends():
    yield UserBackendType(name="mine", summary="", options=Options, build=B)

@hookimpl
def musterroll_notifiers():
    yield NotifierType(name="mine", summary="", options=Options, build=N)
"""
USED = {
    "V": '[[validators]]\nname = "mine"\nuse = "mine"\n',
    "B": '[backend]\nuse = "mine"\n',
    "N": '[[notifiers]]\nname = "outbox"\nenabled = false\n'
    '[[notifiers]]\nname = "mine"\nuse = "mine"\non = ["invite"]\n',
}


def set_up(place: Workplace, which: str, more: str) -> None:
    place.write("acme.py", HEAD + dedent(more))
    place.write("musterroll.toml", f'name = "test"\nplugins = ["acme.py"]\n{USED[which]}')
    rows = roster(5)
    rows[1][4] = CANARY
    write_csv(place.folder / "staff.csv", rows)


@pytest.mark.parametrize(
    ("which", "more", "said"),
    [
        (
            "B",
            "B.identity = lambda self: None",
            "(plugin acme.py) broke while saying which portal it is: identity",
        ),
        ("B", "B.lookup = lambda self, keys: None", "backend (plugin acme.py) broke while looking users up: lookup()"),
        ("B", "B.canonical = lambda self, desired: None", "while saying how it stores a user, row 3: canonical()"),
        ("B", "B.close = None", "backend (plugin acme.py) broke while starting: build must return a user backend"),
        ("V", "del V.check", "validators[mine] (plugin acme.py) broke while starting: build must return a validator"),
        (
            "V",
            "V.check = lambda self, row: None",
            "(plugin acme.py) broke while validating, row 3: check() returned None",
        ),
        (
            "N",
            "N.can_reach = lambda self, user: None",
            "while saying whom it can reach, row 3: can_reach() must return",
        ),
        ("N", "del N.send", "notifiers[mine] (plugin acme.py) broke while starting: build must return a notifier"),
    ],
)
def test_before_anything_is_written_it_is_status_2(place: Workplace, which: str, more: str, said: str) -> None:
    set_up(place, which, more)
    done = place.run("run", "staff.csv")
    assert (done.status, done.out) == (2, "")
    assert said in done.err
    assert "unexpected" not in done.err


@pytest.mark.parametrize(
    ("which", "more", "said"),
    [
        ("B", "B.execute = lambda self, ops: (None for op in ops)", "execute() must yield results (Result), not None"),
        (
            "B",
            "B.execute = lambda self, ops: (Result(op.id, 'so', 'u') for op in ops)",
            "an unknown status 'so' of creating",
        ),
        ("N", "N.send = lambda self, ms: (Sent(m.id, 5) for m in ms)", "an unknown status 5 of inviting the user"),
    ],
)
def test_after_that_it_is_status_4(place: Workplace, which: str, more: str, said: str) -> None:
    set_up(place, which, more)
    done = place.run("run", "staff.csv")
    assert done.status == 4
    assert said in done.err
    assert "(plugin acme.py)" in done.err


@pytest.mark.parametrize("where", ["check", "finish"])
def test_a_password_in_a_problem_shows_nowhere(place: Workplace, where: str) -> None:
    set_up(
        place,
        "V",
        """
        def say(row):
            password = row.secret("password").reveal()
            return row.problem("password", "x.pw", f"Not {password!r}", suggestion=password.upper())
        def check(self, row):
            yield say(row)
        def collect(self, row):
            self.all = [*getattr(self, "all", ()), say(row)]
        def finish(self):
            yield from self.all
        V.check, V.finish = (collect, finish) if WHERE else (check, lambda self: ())
        """.replace("WHERE", str(where == "finish")),
    )
    ended = [
        place.run("validate", "staff.csv", "--verbose"),
        place.json("run", "staff.csv", "--set", 'on_error="skip"'),
    ]
    ended += [place.json("jobs", "list"), place.json("validate", "staff.csv")]
    (place.folder / "staff.csv").unlink()
    for done in ended:
        assert CANARY.lower() not in (done.out + done.err).lower()
    assert "Not '***'" in ended[0].out
    for file in place.folder.rglob("*"):
        if file.is_file() and ".rejected" not in file.name:
            assert CANARY.lower().encode() not in file.read_bytes().lower(), file
        elif file.is_file():  # it holds the row, to be corrected; but not in the reason
            assert CANARY.encode() not in file.read_bytes().replace(CANARY.encode(), b"", 1)


def test_a_rule_cannot_change_a_row(place: Workplace) -> None:
    set_up(
        place, "V", 'V.check = lambda self, row: row.values.update(email=Value("evil@x.example", Origin.CELL)) or ()'
    )
    done = place.run("plan", "staff.csv")
    assert done.status == 2
    assert "validators[mine] (plugin acme.py) broke while validating, row 3" in done.err
    assert "evil" not in done.out


@pytest.mark.slow
def test_what_hangs_is_named_on_ctrl_c_and_after_ten_seconds(place: Workplace) -> None:
    set_up(
        place,
        "N",
        """
        def send(self, messages):
            for number, message in enumerate(messages):
                if number == 2:
                    time.sleep(12.5)
                yield Sent(message.id, SentStatus.SENT)
        N.send = send
        """,
    )
    process = place.start("run", "staff.csv", "--quiet")
    time.sleep(4)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    lines = [line for line in err.splitlines() if line.startswith("waiting for notifiers[mine], 2 messages sent")]
    assert len(lines) == 2, err
    assert lines[1].endswith("(plugin acme.py, for 10 s)")
    assert process.returncode == 130
