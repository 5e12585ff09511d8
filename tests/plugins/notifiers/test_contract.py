"""Every built-in notifier keeps the published contract; those with a server, at a real one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from musterroll import Notifier
from musterroll.testing import NotifierContract, build_notifier
from musterroll_plugins.notifiers import console, csv, outbox, smtp, webhook
from support.mail_servers import mail_server
from support.receivers import receiver


class TestConsole(NotifierContract):
    unreachable = None

    def open_notifier(self, folder: Path) -> Notifier:
        return build_notifier(console, "console")


class TestOutbox(NotifierContract):
    def open_notifier(self, folder: Path) -> Notifier:
        return build_notifier(outbox, "outbox", folder=folder / "outbox", report_to=["it@acme.example"])


class TestMailMerge(NotifierContract):
    def open_notifier(self, folder: Path) -> Notifier:
        return build_notifier(csv, "csv", path=folder / "list.csv")


class TestSmtp(NotifierContract):
    port = 0

    @pytest.fixture(autouse=True)
    def _server(self) -> Iterator[None]:
        with mail_server() as server:
            self.port = server.port
            yield

    def open_notifier(self, folder: Path) -> Notifier:
        options = {"host": "127.0.0.1", "port": self.port, "sender": "it@acme.example", "security": "none"}
        return build_notifier(smtp, "smtp", retry_wait=0, timeout=5, **options)


class TestWebhook(NotifierContract):
    url = ""

    @pytest.fixture(autouse=True)
    def _server(self) -> Iterator[None]:
        with receiver() as server:
            self.url = server.url
            yield

    def open_notifier(self, folder: Path) -> Notifier:
        return build_notifier(webhook, "webhook", url=self.url, retry_wait=0, timeout=5)
