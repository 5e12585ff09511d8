"""Invites by e-mail, through a real mail server that is not always well."""

from __future__ import annotations

from collections import Counter

from support.mail_servers import DROP, Mail, mail_server
from support.rosters import roster, write_csv
from support.workplace import Workplace

USERS = 1000
PIPELINE = """
[[notifiers]]
name = "outbox"
enabled = false

[[notifiers]]
name = "mail"
use = "smtp"
on = ["invite", "finished"]
options.host = "127.0.0.1"
options.port = {port}
options.sender = "Acme IT <it@acme.example>"
options.retry_wait = 0
options.report_to = ["boss@acme.example"]
options.subject = "Welcome {{forename}}"
options.text = "Your username is {{username}}."
"""


def test_nobody_is_invited_twice_when_the_mail_server_dies_with_a_mail_in_its_hands(place: Workplace) -> None:
    rows = roster(USERS)
    for n, row in enumerate(rows):
        row[0] = f"user{n}@example.com"
    sheet = write_csv(place.folder / "staff.csv", rows)

    with mail_server() as server:
        place.pipeline(PIPELINE.format(port=server.port))

        def die(mail: Mail) -> str | None:
            """It has the mail, and nobody hears of it."""
            if len(server.mails) != USERS // 2:
                return None
            server.stop_listening()
            return DROP

        server.faults.taken = die
        broken = place.json("run", sheet)
        assert broken.status == 4
        assert "cannot be reached" in broken.document["error"]["message"]
        assert broken.document["job"]["counts"]["created"] == USERS
        assert broken.document["job"]["invites"] == {"sent": 499, "skipped": 500, "held": 1, "failed": 0}
        doubtful = server.recipients[-1]

        server.faults.taken = lambda mail: None
        server.pump.call(server.listen)
        resumed = place.json("jobs", "resume", "last")
        assert resumed.status == 4  # there is the held one
        assert resumed.document["job"]["invites"] == {"sent": 999, "skipped": 0, "held": 1, "failed": 0}
        failures = place.json("jobs", "show", "last").document["job"]["failures"]
        (held,) = [failure for failure in failures if failure["status"] == "held"]
        assert rows[held["row"] - 3][0] == doubtful

        invited = Counter(address for address in server.recipients if address != "boss@acme.example")
        assert set(invited.values()) == {1}
        assert set(invited) == {row[0] for row in rows}
        assert len(server.mails) == USERS + 1  # and the report, which could not be sent the first time
