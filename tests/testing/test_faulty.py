"""The published faults: around the embedded directory and the outbox, in whole jobs."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from musterroll import (
    BackendError,
    BackendUnavailableError,
    CreateUser,
    Desired,
    Message,
    NotifierError,
    Op,
    Purpose,
    Recipient,
    Result,
    Sent,
    SentStatus,
    Status,
    UserBackend,
)
from musterroll.reports.report import Outcome
from musterroll.testing import (
    BackendContract,
    Fault,
    FaultyBackend,
    FaultyNotifier,
    MemoryBackend,
    MemoryStore,
    at_random,
    build_notifier,
    nth,
)
from musterroll_plugins.notifiers import outbox
from support.pipelines import Work, addressed

NAMES = ("ana", "bo", "cy", "dee")


class TestWithoutFaults(BackendContract):
    """Around a backend with nothing wrong, it is that backend."""

    def open_backend(self, folder: Path, *, read_only: bool = False) -> UserBackend:
        store = _STORES.setdefault(folder, MemoryStore(str(folder)))
        return FaultyBackend(MemoryBackend(store, read_only=read_only))


_STORES: dict[Path, MemoryStore] = {}


def _ops() -> Iterator[Op]:
    for name in NAMES:
        yield CreateUser(id=f"op-{name}", user=Desired(username=name, fields={}))


def _second(fault: Fault) -> FaultyBackend:
    return FaultyBackend(MemoryBackend(), nth(2, fault, of=CreateUser), hang=0.05)


OK = [("op-ana", Status.DONE), ("op-cy", Status.DONE), ("op-dee", Status.DONE)]


@pytest.mark.parametrize(
    ("fault", "answers", "is_done"),
    [
        (Fault.FAILED, [("op-bo", Status.FAILED)], False),
        (Fault.NOT_DONE, [("op-bo", Status.NOT_DONE)], False),
        (Fault.DROPPED, [], False),
        (Fault.UNKNOWN_NOT_DONE, [("op-bo", Status.UNKNOWN)], False),
        (Fault.UNKNOWN, [("op-bo", Status.UNKNOWN)], True),
        (Fault.LOST, [], True),
        (Fault.TWICE, [("op-bo", Status.DONE)] * 2, True),
        (Fault.STRANGER, [("nobody-1", Status.DONE)], True),
        (Fault.CONFLICT, [("op-bo", Status.CONFLICT)], True),
        (Fault.NO_REF, [("op-bo", Status.DONE)], True),
    ],
)
def test_what_becomes_of_an_answer(fault: Fault, answers: list[tuple[str, Status]], is_done: bool) -> None:
    backend = _second(fault)
    results = list(backend.execute(_ops()))
    assert [(result.op, result.status) for result in results] == [OK[0], *answers, *OK[1:]]
    assert [op.id for op in backend.handed] == [f"op-{name}" for name in NAMES]
    (resolved,) = backend.resolve([CreateUser(id="op-bo", user=Desired(username="bo", fields={}))])
    assert resolved.status is (Status.DONE if is_done else Status.NOT_DONE)


@pytest.mark.parametrize(
    ("fault", "error", "users"),
    [
        (Fault.CUT, BackendUnavailableError, 2),
        (Fault.UNAVAILABLE, BackendUnavailableError, 1),
        (Fault.HANGS, BackendUnavailableError, 1),
        (Fault.ERROR, BackendError, 1),
        (Fault.BREAKS, RuntimeError, 1),
    ],
)
def test_what_stops_a_call(fault: Fault, error: type[Exception], users: int) -> None:
    backend, heard = _second(fault), list[Result]()
    with pytest.raises(error):
        heard.extend(backend.execute(_ops()))
    assert [(result.op, result.status) for result in heard] == OK[:1]
    assert backend.count_users() == users


def test_what_hangs_ends_when_the_person_interrupts() -> None:
    cancelled = threading.Event()
    backend = FaultyBackend(MemoryBackend(), nth(1, Fault.HANGS), cancelled=cancelled, hang=60)
    threading.Timer(0.05, cancelled.set).start()
    begun = time.monotonic()
    with pytest.raises(BackendUnavailableError):
        list(backend.execute(_ops()))
    assert time.monotonic() - begun < 30


def test_calls_doubt_and_order() -> None:
    backend = FaultyBackend(
        MemoryBackend(),
        calls={"lookup": nth(2, Fault.UNAVAILABLE), "close": nth(1, Fault.LOST)},
        doubt=lambda op: op.id == "op-bo",
        shuffle=random.Random(1),
    )
    assert backend.lookup([]) == {}
    with pytest.raises(BackendUnavailableError):
        backend.lookup([])
    answers = [result.op for result in backend.execute(_ops())]
    assert sorted(answers) == sorted(f"op-{name}" for name in NAMES)
    assert answers != sorted(answers, key=[f"op-{name}" for name in NAMES].index)
    resolved = {result.op: result.status for result in backend.resolve(list(_ops()))}
    assert resolved == dict.fromkeys(("op-ana", "op-cy", "op-dee"), Status.DONE) | {"op-bo": Status.UNKNOWN}
    with pytest.raises(ValueError, match="close"):
        backend.close()


def _invites() -> Iterator[Message]:
    for name in NAMES:
        recipient = Recipient(username=name, fields={"email": f"{name}@example.com"})
        yield Message(id=name, purpose=Purpose.INVITE, recipient=recipient)


@pytest.mark.parametrize(
    ("fault", "answers", "mails"),
    [
        (Fault.FAILED, [SentStatus.FAILED], 3),
        (Fault.LOST, [], 4),
        (Fault.UNKNOWN, [SentStatus.UNKNOWN], 4),
        (Fault.TWICE, [SentStatus.SENT] * 2, 4),
        (Fault.CUT, None, 2),
        (Fault.UNAVAILABLE, None, 1),
    ],
)
def test_a_notifier(tmp_path: Path, fault: Fault, answers: list[SentStatus] | None, mails: int) -> None:
    notifier = FaultyNotifier(build_notifier(outbox, "outbox", folder=tmp_path), nth(2, fault))
    heard: list[Sent] = []
    if answers is None:
        with pytest.raises(NotifierError):
            heard.extend(notifier.send(_invites()))
    else:
        heard.extend(notifier.send(_invites()))
        assert [sent.status for sent in heard if sent.message == "bo"] == answers
    assert len(list(tmp_path.glob("*.eml"))) == mails
    notifier.close()


_PLUGIN = """
from musterroll import NotifierType, Options, UserBackendType, hookimpl
from musterroll.testing import FaultyBackend, FaultyNotifier, at_random
from musterroll_plugins.backends.directory import DirectoryOptions, build
from musterroll_plugins.notifiers.outbox import Outbox, OutboxOptions

class Directory(DirectoryOptions):
    seed: int
    share: float

class Post(OutboxOptions):
    seed: int
    share: float

def directory(options, context):
    inner = build(DirectoryOptions(path=options.path, passwords="none"), context)
    return inner if context.read_only else FaultyBackend(inner, at_random(options.seed, share=options.share))

def post(options, context):
    inner = Outbox(OutboxOptions(folder=options.folder), context)
    return inner if context.read_only else FaultyNotifier(inner, at_random(options.seed, share=options.share))

@hookimpl
def musterroll_user_backends():
    yield UserBackendType(name="bad-directory", summary="A directory on a bad day", options=Directory, build=directory)

@hookimpl
def musterroll_notifiers():
    yield NotifierType(name="bad-post", summary="An outbox on a bad day", options=Post, build=post)
"""


@pytest.mark.parametrize("seed", range(3))
def test_the_embedded_directory_and_the_outbox_on_a_bad_day(work: Work, seed: int) -> None:
    """Whatever goes wrong: gone on with, each user is there once, nobody is invited twice, who is missing is held."""
    work.post.reaches = lambda user: False
    (work.folder / "bad.py").write_text(_PLUGIN, encoding="utf-8")
    sheet = work.sheet(*(addressed(f"user{number}x", groups="A;B|C") for number in range(60)))

    def pipeline(seed: int, share: float):  # type: ignore[no-untyped-def]
        backend = f'use = "bad-directory"\noptions = {{ path = "users.db", seed = {seed}, share = {share} }}'
        post = f'name = "bad"\nuse = "bad-post"\noptions = {{ folder = "mail", seed = {seed}, share = {share} }}'
        return work.pipeline(tables=f"[[notifiers]]\n{post}", backend=backend, plugins=["bad.py"])

    done = work.run(pipeline(seed, 0.1), sheet)
    for number in range(4):
        if done.outcome is Outcome.OK:
            break
        done = work.resume(pipeline(100 * seed + number, 0.1))
    done = work.resume(pipeline(0, 0))
    assert set(done.rows) <= {"created", "failed"}
    last = work.run(pipeline(0, 0), sheet)
    assert set(last.rows) <= {"unchanged", "created", "updated"}
    assert work.run(pipeline(0, 0), sheet).rows == {"unchanged": 60}
    mails = [file.read_text("utf-8") for file in (work.folder / "mail").glob("*.eml")]
    invited = Counter(next(line for line in mail.splitlines() if line.startswith("To: ")) for mail in mails)
    assert set(invited.values()) == {1}
    held = done.invites.get("held", 0)
    assert 60 - held <= len(invited) <= 60


def test_the_same_seed_is_the_same_day() -> None:
    first, second = at_random(7), at_random(7)
    day = [first(None) for _ in range(200)]
    assert day == [second(None) for _ in range(200)]
    assert 10 < sum(fault is not None for fault in day) < 80
    assert Fault.HANGS not in day
