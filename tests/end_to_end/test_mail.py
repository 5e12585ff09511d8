"""Invites by e-mail, through a real mail server that is not always well."""

from __future__ import annotations

from collections import Counter
from email import message_from_bytes, policy

from support.mail_servers import DROP, Mail, mail_server
from support.rosters import roster, write_csv
from support.workplace import Inside, Workplace

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


MOCK = """
[[notifiers]]
name = "outbox"
use = "outbox"
on = ["invite", "finished"]
[notifiers.options]
sender = "Acme IT <it@acme.example>"
report_to = ["boss@acme.example"]
subject = "Welcome {forename}"
text = { file = "texts/invite.txt" }
html = "<p>Your username is <b>{username}</b></p>"
finished = { subject = "Import: {state}", text = "{created} created" }
"""
SERVER = 'host = "127.0.0.1"\nport = {port}\n'


def test_what_was_tried_with_the_outbox_is_sent_by_a_mail_server(inside: Inside) -> None:
    inside.write("texts/invite.txt", "Your username is {username}.\n")
    inside.pipeline(MOCK)
    people = [[f"{name}@example.com", name, name.title(), "", "Meadow-Kite-41", "", "", ""] for name in ("ana", "bo")]
    assert inside.json("run", write_csv(inside.folder / "staff.csv", people[:1])).status == 0
    written = [_says(file.read_bytes()) for file in inside.invites()]
    with mail_server() as server:
        inside.pipeline(MOCK.replace('use = "outbox"', 'use = "smtp"') + SERVER.format(port=server.port))
        assert inside.json("run", write_csv(inside.folder / "staff.csv", people)).status == 0
        sent = [_says(mail.content) for mail in server.mails]
    assert len(sent) == 2
    assert sorted(sent) == sorted(_for_bo(written))


def _says(content: bytes) -> tuple[str, ...]:
    mail = message_from_bytes(content, policy=policy.default)
    parts = [part.get_content().strip() for part in mail.walk() if not part.is_multipart()]
    return (mail["From"], mail["To"], mail["Subject"], *parts)


def _for_bo(written: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return [tuple(text.replace("ana", "bo").replace("Ana", "Bo") for text in one) for one in written]
