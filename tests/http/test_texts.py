"""What needs no server: answers in words, secrets that are taken out of them, Retry-After, options."""

from __future__ import annotations

import datetime as dt
import json
from base64 import b64encode
from email.utils import format_datetime
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musterroll_http import HttpAnswer, masked
from musterroll_http.pace import wait_seconds

NOW = dt.datetime(2026, 5, 4, 12, 0, tzinfo=dt.UTC)


class TestRetryAfter:
    @pytest.mark.parametrize(
        ("header", "seconds"),
        [
            ("0", 0.0),
            ("7", 7.0),
            (" 1.5 ", 1.5),
            (format_datetime(NOW + dt.timedelta(seconds=90), usegmt=True), 90.0),
            (format_datetime(NOW - dt.timedelta(seconds=90), usegmt=True), 0.0),
            ("soon", None),
            ("", None),
            (None, None),
        ],
    )
    def test_seconds_and_dates(self, header: str | None, seconds: float | None) -> None:
        assert wait_seconds(header, NOW) == seconds

    @pytest.mark.parametrize("hours", [-5, 0, 5])
    def test_a_date_is_read_by_the_clock_of_who_says_it(self, hours: int) -> None:
        theirs = NOW + dt.timedelta(hours=hours)
        header = format_datetime(theirs + dt.timedelta(seconds=90), usegmt=True)
        assert wait_seconds(header, NOW, format_datetime(theirs, usegmt=True)) == 90.0
        assert wait_seconds("7", NOW, format_datetime(theirs, usegmt=True)) == 7.0
        assert wait_seconds(format_datetime(NOW, usegmt=True), NOW, "yesterday") == 0.0

    @given(st.text(max_size=30), st.text(max_size=30))
    def test_anything_else_is_passed_over(self, header: str, said_at: str) -> None:
        seconds = wait_seconds(header, NOW, said_at)
        assert seconds is None or seconds >= 0


class TestAnswers:
    @given(content=st.binary(max_size=60), status=st.integers(200, 599))
    def test_whatever_comes_is_an_answer_with_a_reason_in_one_line(self, content: bytes, status: int) -> None:
        answer = HttpAnswer.read(status, content, "application/json", {})
        assert "\n" not in answer.reason
        assert answer.ok <= (status < 300)

    @given(secret=st.text('äöß"\\/\n\t +', min_size=3), ascii_only=st.booleans(), before=st.integers(0, 330))
    def test_nothing_of_a_secret_is_left_however_it_is_repeated(
        self, secret: str, ascii_only: bool, before: int
    ) -> None:
        echo = "x" * before + json.dumps({"password": f"ä{secret}ß"}, ensure_ascii=ascii_only)
        reason = HttpAnswer.of(400, {"detail": echo}, {}).without([f"ä{secret}ß"]).reason
        assert not {"ä", "ö", "ß"} & set(reason)
        assert "\\u00" not in reason

    def test_a_long_detail_is_cut_and_cleaned(self) -> None:
        answer = HttpAnswer.of(400, {"detail": "no\r\n\x1b[31m" + "x" * 1000}, {})
        assert answer.reason.startswith("no [31mxx")
        assert len(answer.reason) < 320


@pytest.mark.parametrize("secret", ["Sesame-4711", "me:Sesame-4711", 'pä"s\\s', "a b/c?d=e&f"])
def test_however_a_secret_is_spelt(secret: str) -> None:
    spelt = [secret, json.dumps(secret), quote(secret), quote_plus(secret), b64encode(secret.encode()).decode()]
    assert masked(" ".join(spelt), [secret]).count("***") == len(spelt)
    for one in spelt:
        assert one.strip('"') not in masked(" ".join(spelt), [secret])
