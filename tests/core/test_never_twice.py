"""Whatever is done in whatever order: nobody gets a second invite while one is alive, or may be."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from musterroll import Message, SentStatus, engine
from musterroll.errors import RefusedError
from support.pipelines import Clock, Work, addressed, told

NAMES = ("ana", "bo")
STATUSES = (SentStatus.SENT, SentStatus.SENT, SentStatus.FAILED, SentStatus.UNKNOWN, None)  # None: no answer
STEPS = st.one_of(
    st.tuples(st.just("run"), st.sampled_from(["none", "new", "all", "pending"])),
    st.tuples(st.sampled_from(["send", "resume", "release", "prune", "wait"]), st.just("")),
    st.tuples(st.sampled_from(["resend", "arrived"]), st.sampled_from(NAMES)),
)


@dataclass
class Letterbox:
    """What a user has got, as somebody would count it who knows nothing of the ledger."""

    clock: Clock
    alive_until: dt.datetime | None = None
    doubtful: str | None = None  # the id of a message that may have arrived

    def take(self, message: Message, status: SentStatus | None, step: str) -> None:
        """Takes a message, and complains about one that must not have been sent."""
        now = self.clock.now
        if message.id == self.doubtful:
            assert step == "release", "a message that may have arrived was sent again by itself"
        else:
            assert self.doubtful is None, "one may have arrived already"
            alive = self.alive_until is not None and self.alive_until > now
            assert not alive or step == "resend", "one is alive already"
        if status is SentStatus.SENT:
            self.alive_until, self.doubtful = now + dt.timedelta(days=14), None
        elif status is not SentStatus.FAILED:
            self.doubtful = message.id


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, min_size=2, max_size=9), answers=st.lists(st.sampled_from(STATUSES), min_size=1))
def test_nobody_is_invited_twice(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str]], answers: list[SentStatus | None]
) -> None:
    work = Work(Path(tmp_path_factory.mktemp("work")))
    boxes = {name: Letterbox(work.clock) for name in NAMES}
    given_answers = iter(answers * 100)
    at = ""

    def status(message: Message) -> SentStatus | None:
        if message.recipient is None:
            return SentStatus.SENT
        answer = next(given_answers)
        boxes[message.recipient.username].take(message, answer, at)
        return answer

    work.post.status = status
    sheet = work.sheet(*map(addressed, NAMES))
    work.run(work.pipeline(tables='[invites]\nsend_to = "none"'), sheet)
    for at, choice in steps:
        _do(work, sheet, at, choice, boxes)


def _do(work: Work, sheet: Path, step: str, choice: str, boxes: dict[str, Letterbox]) -> None:
    pipeline = work.pipeline(tables=f'[invites]\nsend_to = "{choice if step == "run" else "new"}"')
    match step:
        case "run":
            work.run(pipeline, sheet)
        case "send":
            told(engine.send_invites(pipeline))
        case "resend":
            told(engine.send_invites(pipeline, users=[choice], resend=True))
        case "release":
            told(engine.release_invites(pipeline))
        case "arrived" if boxes[choice].doubtful:
            told(engine.release_invites(pipeline, [choice], as_sent=True))
            boxes[choice].alive_until, boxes[choice].doubtful = work.clock.now + dt.timedelta(days=14), None
        case "resume":
            with suppress(RefusedError):
                work.resume(pipeline)
        case "prune":
            engine.prune(pipeline)
        case "wait":
            work.clock.pass_days(8)
