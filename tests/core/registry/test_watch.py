"""Who is waited for is said when it takes long."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from musterroll import Message, Purpose, Recipient, Sent, SentStatus
from musterroll.errors import Label
from musterroll.registry.guards.post import Post
from musterroll.registry.watch import Watch, Watchdog


class Sms:
    """Sends two messages and hangs with the third until it is let go."""

    channel = "sms"

    def __init__(self) -> None:
        self.go = threading.Event()

    def can_reach(self, user: Recipient) -> bool:
        return True

    def send(self, messages: Iterator[Message]) -> Iterator[Sent]:
        for number, message in enumerate(messages):
            if number == 2:
                self.go.wait(20)
            yield Sent(message.id, SentStatus.SENT)

    def close(self) -> None: ...


def messages(count: int) -> Iterator[Message]:
    for number in range(count):
        yield Message(id=f"m{number}", purpose=Purpose.INVITE, recipient=Recipient(username=f"u{number}", fields={}))


def test_who_hangs_is_named_with_how_far_it_came_once_and_then_more_rarely() -> None:
    watch, sms, said = Watch(), Sms(), list[tuple[float, str]]()
    post = Post(sms, Label("notifiers[sms]", "acme 1.0"), watch)
    begun = time.monotonic()

    def say(text: str) -> None:
        said.append((time.monotonic() - begun, text))
        if len(said) == 3:
            sms.go.set()

    with Watchdog(watch, say, first=0.2):
        assert len(list(post.send(messages(3)))) == 3
    assert all(
        text.startswith("waiting for notifiers[sms], 2 messages sent (plugin acme 1.0, for ") for _, text in said
    )
    (first, _), (second, _), (third, _) = said
    assert first >= 0.2
    assert third - second > second - first > 0.1
    assert watch.waiting() is None


def test_quick_work_is_not_spoken_of() -> None:
    watch, said = Watch(), list[str]()
    post = Post(Sms(), "notifiers[sms]", watch)
    with Watchdog(watch, said.append, first=0.3):
        for _ in range(5):
            time.sleep(0.1)  # nobody is called meanwhile
            list(post.send(messages(2)))
    assert said == []


def test_what_was_going_on_before_is_known_again_after_a_call_within_it() -> None:
    watch = Watch()
    outer = watch.begin("backend", "writing", ("operation done", "operations done"))
    inner = watch.begin("readers[csv]", "reading", ("row read", "rows read"))
    inner.done = 1
    assert watch.waiting() == "waiting for readers[csv], 1 row read"
    watch.end(inner)
    assert watch.waiting(12.4) == "waiting for backend, 0 operations done (for 12 s)"
    watch.end(outer)
    assert watch.waiting() is None
