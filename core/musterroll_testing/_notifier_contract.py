"""The contract that every notifier keeps, as tests to inherit.

class TestSms(NotifierContract):
    unreachable = {"email": "ana@example.com"}

    def open_notifier(self, folder):
        return build_notifier(acme, "acme-sms", url=…, token=…)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from musterroll.contract.messages import Message, Purpose, Recipient, Sent, SentStatus
from musterroll.contract.roles import Notifier
from musterroll.errors import MusterrollError
from musterroll.registry.guards.built import NOTIFIER, look_at_built
from musterroll.registry.guards.post import Post
from musterroll.registry.plugin_errors import AnswerError
from musterroll.registry.watch import Watch
from musterroll_testing._limits import bounded, in_time

COUNTS = (
    *("rows", "created", "updated", "unchanged", "deactivated", "reactivated", "deleted", "ignored"),
    *("rejected", "failed", "unknown", "not_attempted"),
)


class NotifierContract:
    """Subclass it as `Test…` and override `open_notifier`.

    Attributes:
        unreachable: what a user has that it cannot reach, by field; None where it reaches everybody.
        most_in_flight: how many messages may be pulled before the first of them is answered.
        seconds: so long a test may take.
    """

    unreachable: Mapping[str, str] | None = {}
    most_in_flight: int = 100
    seconds: float = 60

    def open_notifier(self, folder: Path) -> Notifier:
        """Builds a new instance; override this.

        Args:
            folder: empty at the start of a test, for what it may write.
        """
        raise NotImplementedError

    def fields(self, name: str) -> dict[str, str]:
        """What a user has that it can reach: an address and a number."""
        standard = {"forename": name.title(), "surname": "", "calling_code": "44", "phone": "7712345678"}
        return {"email": f"{name}@example.com", **standard}

    @pytest.fixture(autouse=True)
    def _limit(self) -> Iterator[None]:
        with in_time(self.seconds, "this notifier"):
            yield

    @pytest.fixture
    def notifier(self, tmp_path: Path) -> Iterator[Notifier]:
        """One that is closed afterwards."""
        notifier = self.open_notifier(tmp_path)
        yield notifier
        notifier.close()

    def test_first_of_all(self, tmp_path: Path) -> None:
        """What it is, and what it answers, in words."""
        try:
            made = self.open_notifier(tmp_path)
            look_at_built(made, NOTIFIER)
            post = Post(made, "this notifier", Watch())
            assert post.channel
            assert post.can_reach(Recipient(username="ana", fields=self.fields("ana"))), "it must reach this user"
            answers = bounded(post.send(iter([self._invite(1), self._invite(2)])), "send()", 2)
            assert len(answers) == 2, f"of 2 messages send() answered to {len(answers)}"
            post.close()
        except (AnswerError, MusterrollError) as error:
            pytest.fail(str(error), pytrace=False)

    def test_whom_it_reaches(self, notifier: Notifier) -> None:
        assert notifier.channel.strip()
        assert notifier.can_reach(Recipient(username="ana", fields=self.fields("ana")))
        if self.unreachable is not None:
            assert not notifier.can_reach(Recipient(username="ana", fields=self.unreachable))
        for strange in ("@", "\x00", "x" * 100_000, "é\n"):
            notifier.can_reach(Recipient(username=strange, fields=dict.fromkeys(self.fields("ana"), strange)))

    def test_nothing_to_send(self, notifier: Notifier) -> None:
        assert list(notifier.send(iter(()))) == []

    def test_every_message_is_answered_once(self, notifier: Notifier) -> None:
        messages = [self._invite(number) for number in range(12)]
        sent = list(notifier.send(iter(messages)))
        assert Counter(answer.message for answer in sent) == Counter(message.id for message in messages)
        assert {answer.status for answer in sent} == {SentStatus.SENT}

    def test_messages_are_pulled_as_they_can_be_sent(self, notifier: Notifier) -> None:
        pulled = 0

        def many() -> Iterator[Message]:
            nonlocal pulled
            for number in range(self.most_in_flight + 100):
                pulled += 1
                yield self._invite(number)

        answers = notifier.send(many())
        next(answers)
        assert pulled <= self.most_in_flight, (
            f"send() pulled {pulled} messages before it answered for the first one; pull a message when it is about "
            "to be sent"
        )
        _stop(answers)

    def test_stopping_early_leaves_it_usable(self, notifier: Notifier) -> None:
        answers = notifier.send(self._invite(number) for number in range(3))
        next(answers)
        _stop(answers)
        assert [answer.message for answer in notifier.send(iter([self._invite(7)]))] == [self._invite(7).id]

    def test_a_message_about_a_job(self, notifier: Notifier) -> None:
        values = {"pipeline": "acme", "job": "j1", "state": "completed", "sheet": "staff.xlsx"}
        values |= dict.fromkeys(COUNTS, "1")
        message = Message(id="j1-finished", purpose=Purpose.FINISHED, recipient=None, values=values)
        (answer,) = notifier.send(iter([message]))
        assert answer.message == message.id
        assert answer.status is SentStatus.SENT or answer.detail, "who does not send says why"

    def _invite(self, number: int) -> Message:
        values = {"pipeline": "acme", "job": "j1", "valid_days": "14", "expires": "2030-01-16"}
        name = f"user{number}x"
        recipient = Recipient(username=name, fields=self.fields(name), ref=f"u{number}")
        return Message(id=f"j1-{number}", purpose=Purpose.INVITE, recipient=recipient, values=values)


def _stop(answers: Iterator[Sent]) -> None:
    close = getattr(answers, "close", None)
    if close is not None:
        close()
