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
    seconds = 1.5

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
    return dedent(BACKEND) % indent(methods, "    ")


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
        (HANGS, "this backend did not come to an end within 1.5 s", 1),
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
