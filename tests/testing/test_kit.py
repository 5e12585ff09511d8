"""The contracts reject what is broken, and say why in words."""

from __future__ import annotations

import re
from textwrap import dedent, indent

import pytest

pytest_plugins = ["pytester"]

BACKEND = """
import itertools, time
from dataclasses import replace
from musterroll import *
from musterroll.testing import BackendContract, MemoryBackend, MemoryStore

STORES = {}

class Backend(MemoryBackend):
    def __init__(self, folder, read_only):
        super().__init__(STORES.setdefault(str(folder), MemoryStore()), read_only=read_only)
%s

class TestIt(BackendContract):
    seconds = %d

    def open_backend(self, folder, *, read_only=False):
        return Backend(folder, read_only)
"""
LOWER_CASE = """
def canonical(self, desired):
    return replace(desired, username=desired.username.lower())

def execute(self, ops):
    def lower(op):
        if isinstance(op, CreateUser):
            return replace(op, user=self.canonical(op.user))
        if isinstance(op, UpdateUser) and op.changes.get("username"):
            return replace(op, changes={**op.changes, "username": op.changes["username"].lower()})
        return op
    return super().execute(map(lower, ops))
"""
FIRST_PAGE = """
def lookup(self, keys):
    page = {user.ref for user in itertools.islice(self.store.users.values(), 100)}
    found = super().lookup(keys)
    return {key: [user for user in users if user.ref in page] for key, users in found.items()}
"""
FIRST_PAGE_OF_GROUPS = """
def groups(self):
    return itertools.islice(super().groups(), 50)
"""
DROPS_PASSWORDS = """
def execute(self, ops):
    return super().execute(replace(op, password=None) if isinstance(op, CreateUser) else op for op in ops)
"""
DROPS_RESETS = """
def execute(self, ops):
    return super().execute(replace(op, password=None) if isinstance(op, UpdateUser) else op for op in ops)
"""
ENDLESS_GROUPS = """
def groups(self):
    while True:
        yield Group(ref="g", path=("A",))
"""
ENDLESS_ANSWERS = """
def execute(self, ops):
    for result in super().execute(ops):
        while True:
            yield result
"""
KEYLESS_GROUPS = """
def groups(self):
    return (replace(group, key=None) for group in super().groups())
"""
RENAMED_GROUPS = """
def groups(self):
    return (replace(group, path=tuple(name.replace("&", "+") for name in group.path)) for group in super().groups())
"""
ALWAYS_CONFLICTS = """
def execute(self, ops):
    for op in ops:
        if isinstance(op, CreateUser) and op.user.username in {user.username for user in self.store.users.values()}:
            yield Result(op.id, Status.CONFLICT)
        else:
            yield from super().execute(iter([op]))
"""
HANGS = """
def lookup(self, keys):
    time.sleep(60)
"""


def outcome(pytester: pytest.Pytester, text: str, *more: str) -> tuple[dict[str, int], list[str]]:
    """Runs a contract; returns its counts, and why tests failed, in order."""
    pytester.makepyfile(text)
    # What the garbage collector comes upon in this process belongs to other tests.
    without = ("-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:unraisableexception")
    result = pytester.runpytest_inprocess("-q", *without, "--tb=short", *more)
    reasons = [line.removeprefix("E ").strip() for line in result.outlines if line.startswith("E  ")]
    # What fails without a trace says why in a line of its own.
    reasons += [line for line in result.outlines if re.match(r"[a-z].*", line) and " in " not in line[-12:]]
    return result.parseoutcomes(), reasons


def backend(methods: str) -> str:
    # A machine that is busy with much else is slow; only who hangs is waited for.
    return dedent(BACKEND) % (indent(methods, "    "), 4 if methods == HANGS else 60)


def test_a_good_backend_passes(pytester: pytest.Pytester) -> None:
    counts, _ = outcome(pytester, backend(""))
    assert set(counts) == {"passed", "skipped"}


def test_a_portal_that_lower_cases_usernames_and_says_so_passes(pytester: pytest.Pytester) -> None:
    counts, reasons = outcome(pytester, backend(LOWER_CASE))
    assert "failed" not in counts, reasons


@pytest.mark.parametrize(
    ("methods", "said", "failed"),
    [
        (FIRST_PAGE, "250 users were created, and lookup() finds 100 of them; does it read only the first page", 1),
        (FIRST_PAGE_OF_GROUPS, "120 groups were created, and groups() shows 50 of them", 1),
        (DROPS_PASSWORDS, "it creates a user and says that this is done, but it has dropped the password", 1),
        (DROPS_RESETS, "it changes a user and says that this is done, but it has dropped the password", 1),
        (ENDLESS_GROUPS, "groups() goes on and on", 1),
        (ENDLESS_ANSWERS, 'answered twice to creating the user "first"', 1),
        (KEYLESS_GROUPS, "stores_key says that groups show the key they were created with", 1),
        (RENAMED_GROUPS, "R+D", 1),  # an assert without words shows its values
        (ALWAYS_CONFLICTS, "the same creation once more is conflict", 1),
        (HANGS, "this backend did not come to an end within 4 s", 1),
        ("def identity(self): return None", "identity() must return a text that names the portal, not None", 1),
        ("groups = None", "build must return a user backend; a Backend has no groups()", 1),
        ("def canonical(self, desired): return None", "canonical() must return the user (Desired)", 1),
        ("def execute(self, ops): return [None for op in ops]", "execute() must yield results (Result), not None", 1),
        ("def lookup(self, keys): return {}", "a user was created, and lookup() does not find it", 1),
    ],
)
def test_a_broken_backend_is_rejected_with_its_cause(
    pytester: pytest.Pytester, methods: str, said: str, failed: int
) -> None:
    counts, reasons = outcome(pytester, backend(methods))
    assert any(said in reason for reason in reasons), reasons
    assert counts["failed"] <= failed


RULE = """
from musterroll import *
from musterroll.testing import ValidatorContract

class Rule:
%s

class TestIt(ValidatorContract):
    good = ({"username": "ana"},)
    bad = ({"username": "bad"},)
    codes = {"x.y"}

    def validator(self):
        return Rule()
"""
GOOD = """
def check(self, row):
    if row["username"] == "bad":
        yield row.problem("username", "x.y", "Another one")
"""
TELLS = """
def check(self, row):
    if row["username"] == "bad":
        secret = row.secret("password")
        yield row.problem({field!r}, "x.y", "Another one, not %s" % {text} if secret else "Another one")
"""
AT_THE_END = """
def __init__(self):
    self.bad = []

def check(self, row):
    if row["username"] == "bad":
        self.bad.append((row, row.secret("password")))

def finish(self):
    for row, secret in self.bad:
        yield row.problem("username", "x.y", "Another one than %s" % secret.reveal() if secret else "Another one")
"""


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (GOOD, None),
        (TELLS.format(field="password", text="secret.reveal()"), "tells the row's password"),
        (TELLS.format(field="username", text="secret.reveal()"), "tells the row's password"),
        (TELLS.format(field="username", text="repr(secret.reveal().upper())"), "tells the row's password"),
        (AT_THE_END, "tells the row's password"),
        ("def check(self, row): return None", "check() returned None; it must yield what it finds"),
        (GOOD.replace("yield", "return"), "check() returned a problem; it must yield it"),
        (GOOD.replace("yield ", ""), "makes a problem and drops it; write: yield row.problem"),
        (GOOD.replace("def", "async def"), "check() is asynchronous"),
        (GOOD.replace('"username", "x.y"', '"usrname", "x.y"'), 'field "usrname", which does not exist, did you mean'),
    ],
)
def test_rules(pytester: pytest.Pytester, rule: str, said: str | None) -> None:
    counts, reasons = outcome(pytester, RULE % indent(rule, "    "))
    assert ("failed" in counts) is (said is not None)
    assert said is None or any(said in reason for reason in reasons), reasons


FUNCTION = """
import sys
from musterroll import *
from musterroll.testing import GroupResolverContract, ValidatorContract, build_group_resolver, build_validator

@rule("a-rule", field="username", code="x.y")
def a_rule(row: Row):
    %s

@sheet_rule("a-sheet-rule", fields=["username"], code="x.y")
def a_sheet_rule(rows):
    %s

@group_rule("a-group-rule", field="username")
def a_group_rule(text: str):
    %s

class TestRule(ValidatorContract):
    good, bad, codes = ({"username": "ana"},), ({"username": "bad"},), {"x.y"}

    def validator(self):
        return build_validator(sys.modules[__name__], "a-rule")

class TestSheetRule(TestRule):
    def validator(self):
        return build_validator(sys.modules[__name__], "a-sheet-rule")

class TestGroupRule(GroupResolverContract):
    row, groups = {"username": "ana"}, {("ana",)}

    def resolver(self):
        return build_group_resolver(sys.modules[__name__], "a-group-rule")
"""
GOOD_RULE = 'return "Another one" if row["username"] == "bad" else None'
GOOD_SHEET_RULE = 'return "Not bad" if "bad" in [row["username"] for row in rows] else None'
GOOD_GROUP_RULE = "return text"


@pytest.mark.parametrize(
    ("rule", "sheet_rule", "group_rule", "said"),
    [
        (GOOD_RULE, GOOD_SHEET_RULE, GOOD_GROUP_RULE, None),
        ('return row["username"] == "bad"', GOOD_SHEET_RULE, GOOD_GROUP_RULE, "the rule a_rule() gave False"),
        ('row.problem("username", "x.y", "x")', GOOD_SHEET_RULE, GOOD_GROUP_RULE, "makes a problem and drops it"),
        ('return row.problem("usrname", "x.y", "x")', GOOD_SHEET_RULE, GOOD_GROUP_RULE, 'did you mean "username"'),
        ('return "" if row["username"] == "bad" else None', GOOD_SHEET_RULE, GOOD_GROUP_RULE, "not an empty one"),
        (
            'return "not %s" % (row.secret("password") or Secret("x")).reveal() if row["username"] == "bad" else None',
            GOOD_SHEET_RULE,
            GOOD_GROUP_RULE,
            "tells the row's password",
        ),
        (GOOD_RULE, "return len(rows)", GOOD_GROUP_RULE, "the rule a_sheet_rule() gave something of the type int"),
        (GOOD_RULE, GOOD_SHEET_RULE, "return {text: 1}.items()", "level 2 of a group must be a text, not an int"),
        (GOOD_RULE, GOOD_SHEET_RULE, "return ('', text)", "level 1 of a group has no name"),
    ],
)
def test_rules_that_are_functions(
    pytester: pytest.Pytester, rule: str, sheet_rule: str, group_rule: str, said: str | None
) -> None:
    counts, reasons = outcome(pytester, FUNCTION % (rule, sheet_rule, group_rule))
    assert ("failed" in counts) is (said is not None), reasons
    assert said is None or any(said in reason for reason in reasons), reasons


NOTIFIER = """
from musterroll import *
from musterroll.testing import NotifierContract

class Notifier:
    channel = "post"

    def can_reach(self, user):
        return bool(user.email)

    def send(self, messages):
        for message in messages:
            yield Sent(message.id, SentStatus.SENT)

    def close(self):
        pass
%s

class TestIt(NotifierContract):
    def open_notifier(self, folder):
        return Notifier()
"""


@pytest.mark.parametrize(
    ("methods", "said"),
    [
        ("", None),
        ("channel = ''", "channel must be a text, e.g. email, not an empty one"),
        ("def can_reach(self, user): return user.email", "can_reach() must return True or False, not a str"),
        ("def can_reach(self, user): return False", "it must reach this user"),
        ("def send(self, messages): return [list(messages)]", "send() must yield what became of messages (Sent)"),
        ("def send(self, messages): yield from ()", "of 2 messages send() answered to 0"),
        ("def send(self, messages): yield Sent(next(messages).id, 'gone')", "an unknown status 'gone'"),
        ("send = None", "a Notifier has no send(messages)"),
        (
            "def send(self, messages):\n    for m in list(messages): yield Sent(m.id, SentStatus.SENT)",
            "messages before it answered for the first one",
        ),
    ],
)
def test_notifiers(pytester: pytest.Pytester, methods: str, said: str | None) -> None:
    counts, reasons = outcome(pytester, NOTIFIER % indent(methods, "    "))
    assert ("failed" in counts) is (said is not None), reasons
    assert said is None or any(said in reason for reason in reasons), reasons


READER = """
import contextlib
from musterroll import *
from musterroll.testing import ReaderContract

class Sheet:
    info = SheetInfo("tabs")

    def __init__(self, source):
        self.source = source

    def rows(self):
        with self.source.open() as file:
            for number, line in enumerate(file, 1):
                try:
                    yield SheetRow(number, tuple(line.decode().rstrip("\\n").split("\\t")))
                except UnicodeDecodeError:
                    raise SourceError("no text") from None

class Reader:
    def sniff(self, source):
        return Confidence.PERHAPS if b"\\t" in source.head else Confidence.NO

    @contextlib.contextmanager
    def open(self, source, worksheet=None):
        yield self.sheet(source)

    sheet = Sheet
%s

class TestIt(ReaderContract):
    has_worksheets = False

    def open_reader(self):
        return Reader()

    def write(self, path, rows):
        path.write_text("".join("\\t".join(row) + "\\n" for row in rows))
"""
_ROWS = "class sheet(Sheet):\n    def rows(self):\n        %s"


@pytest.mark.parametrize(
    ("methods", "said"),
    [
        ("", None),
        ("def sniff(self, source): return True", "sniff() must return"),
        ("def open(self, source, worksheet=None): return Sheet(source)", "open() must"),
        (_ROWS % "yield from ()", "it reads no row of a file that it has written"),
        (_ROWS % "yield from (SheetRow(7, ()), SheetRow(7, ()))", "row"),
        (_ROWS % "yield SheetRow(1, (3,))", "cell"),
        (_ROWS % "yield SheetRow(1, 'abc')", "cells"),
    ],
)
def test_readers(pytester: pytest.Pytester, methods: str, said: str | None) -> None:
    counts, reasons = outcome(pytester, READER % indent(methods, "    "))
    assert ("failed" in counts) is (said is not None), reasons
    assert said is None or any(said in reason for reason in reasons), reasons
