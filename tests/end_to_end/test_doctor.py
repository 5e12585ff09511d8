"""`pipeline check` looks at every profile and what is around the file; `doctor` also asks portal and mail server."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from musterroll.commands.examine import examine
from musterroll.journal.journal import Journal
from musterroll.pipeline.loader import load_pipeline
from musterroll_cli.main import main
from support.certificates import make_certificate
from support.mail_servers import mail_server
from support.mock_portal import mock_portal

SECRET = "hush-hush-canary"


class Said(dict[str, Any]):
    """A JSON document, and what was printed beside it."""

    status: int


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    monkeypatch.chdir(tmp_path)

    def ask(text: str, *words: str) -> Said:
        Path("acme.toml").write_text(f'name = "acme"\n{text}', encoding="utf-8")
        status = main([*words, "-p", "acme.toml", "--format", "json"])
        said = Said(json.loads(capsys.readouterr().out))
        said.status = status
        return said

    return ask


def checks(said: Said) -> dict[str, tuple[str, str]]:
    return {one["name"]: (one["status"], one["detail"]) for one in said["checks"]}


def closed_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class TestCheck:
    def test_every_profile_is_looked_at(self, ask: Callable[..., Said]) -> None:
        text = '[profiles.production]\non_eror = "x"\n[profiles.production.backend]\nuse = "scimm"\n[profiles.fine]\n'
        said = ask(text, "pipeline", "check")
        assert said.status == 2
        assert said["valid"] is False
        found = [(one["origin"], one["path"], one["line"]) for one in said["mistakes"]]
        assert found == [
            ("acme.toml, profile production", "on_eror", 3),
            ("acme.toml, profile production", "backend.use", 5),
        ]

    def test_the_same_mistake_is_said_once(self, ask: Callable[..., Said]) -> None:
        said = ask('on_error = "x"\n[profiles.a]\n[profiles.b]\n', "pipeline", "check")
        assert [one["path"] for one in said["mistakes"]] == ["on_error"]

    def test_secrets_and_files_of_the_chosen_profile_must_be_there(
        self, ask: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        text = """
            [sheet.defaults]
            password = { file = "first.txt" }
            [profiles.production]
            [[profiles.production.groups]]
            name = "sites"
            use = "mapping"
            options = { field = "surname", file = "sites.csv" }
            [[profiles.production.notifiers]]
            name = "outbox"
            use = "smtp"
            options = { host = "mail.example", sender = "it@acme.example", ca = "own.pem" }
            [profiles.production.backend]
            use = "scim"
            options = { url = "https://portal.example", token = { env = "ACME_TOKEN" } }
        """
        monkeypatch.delenv("ACME_TOKEN", raising=False)
        chosen = ask(text, "pipeline", "check", "--profile", "production")
        assert chosen.status == 2
        assert [one["path"] for one in chosen["mistakes"]] == [
            "sheet.defaults.password",
            "backend.options.token",
            "groups[sites].options.file",
            "notifiers[outbox]",
        ]
        assert "ACME_TOKEN is not set" in chosen["mistakes"][1]["message"]
        Path("first.txt").write_text("Meadow-Kite-41\n", encoding="utf-8")
        other = ask(text, "pipeline", "check")
        assert (other.status, other["mistakes"]) == (0, [])
        assert {one["path"] for one in other["warnings"]} == {one["path"] for one in chosen["mistakes"][1:]}
        monkeypatch.setenv("ACME_TOKEN", SECRET)
        Path("sites.csv").write_text("Site,Groups\nNorth,Region|North\n", encoding="utf-8")
        make_certificate(Path()).path.rename("own.pem")
        assert ask(text, "pipeline", "check", "--profile", "production").status == 0

    def test_what_is_no_toml_is_a_mistake_with_its_line(self, ask: Callable[..., Said]) -> None:
        said = ask("confirm = True\n", "pipeline", "check")
        assert (said.status, said["valid"], said["error"]["code"]) == (2, False, "pipeline.unreadable")
        assert [one["line"] for one in said["mistakes"]] == [2]

    def test_an_empty_secret_is_none(self, ask: Callable[..., Said]) -> None:
        Path("first.txt").write_text("\n", encoding="utf-8")
        said = ask('sheet.defaults.password = { file = "first.txt" }\n', "pipeline", "check")
        assert "first.txt is empty" in said["mistakes"][0]["message"]

    def test_a_literal_secret_draws_a_warning(self, ask: Callable[..., Said]) -> None:
        text = f'backend = {{ use = "scim", options = {{ url = "https://x.example", token = "{SECRET}" }} }}\n'
        said = ask(text + f'sheet.defaults.password = "{SECRET}"\n', "pipeline", "check")
        assert said.status == 0
        assert {one["path"] for one in said["warnings"]} == {"backend.options.token", "sheet.defaults.password"}
        assert SECRET not in json.dumps(said)

    def test_set_belongs_to_the_chosen_profile(self, ask: Callable[..., Said]) -> None:
        text = '[profiles.other]\nbackend = { use = "memory" }\n'
        said = ask(text, "pipeline", "check", "--set", "backend.options.path=x.db")
        assert (said.status, said["mistakes"]) == (0, [])


class TestDoctor:
    def test_all_is_well_and_nothing_is_written(self, ask: Callable[..., Said], tmp_path: Path) -> None:
        said = ask("", "doctor")
        assert (said.status, said["error"]) == (0, None)
        found = checks(said)
        assert {status for status, _ in found.values()} == {"ok"}
        assert found["backend"][1].endswith("directory.db is not there yet; the first run makes it")
        assert "no job yet" in found["state"][1]
        assert [entry.name for entry in tmp_path.iterdir()] == ["acme.toml"]

    def test_each_is_one_line_of_text(self, ask: Callable[..., Said], capsys: pytest.CaptureFixture[str]) -> None:
        ask("", "doctor")
        assert main(["doctor", "-p", "acme.toml"]) == 0
        out, err = capsys.readouterr()
        assert [line.split()[:2] for line in out.splitlines()] == [
            ["ok", name] for name in ("pipeline:", "rules:", "backend:", "notifiers[outbox]:", "state:")
        ]
        assert err == ""
        assert main(["doctor", "-p", "acme.toml", "--quiet"]) == 0
        assert capsys.readouterr().out == ""

    def test_the_state_has_a_version_and_a_lock(self, ask: Callable[..., Said]) -> None:
        with Journal.open(Path(".musterroll"), "acme").lock():
            status, detail = checks(ask("", "doctor"))["state"]
        assert (status, "another musterroll is working on it" in detail) == ("warning", True)
        status, detail = checks(ask("", "doctor"))["state"]
        assert (status, ", version " in detail) == ("ok", True)
        Path(".musterroll/acme.journal").write_bytes(b"nonsense" * 100)
        said = ask("", "doctor")
        assert (said.status, said["error"]["code"]) == (2, "doctor.failed")
        assert "is no journal of musterroll, or is damaged" in checks(said)["state"][1]

    def test_a_mail_server_greets_and_gets_no_mail(
        self, ask: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        text = """
            [[notifiers]]
            name = "mail"
            use = "smtp"
            options = {{ host = "localhost", port = {port}, sender = "it@acme.example" }}
        """
        with mail_server() as server:
            said = ask(text.format(port=server.port), "doctor")
            assert checks(said)["notifiers[mail]"] == (
                "ok",
                f"localhost, port {server.port}: mail.test (in the clear)",
            )
            assert server.mails == []
        said = ask(text.format(port=closed_port()), "doctor")
        status, detail = checks(said)["notifiers[mail]"]
        assert (said.status, status) == (2, "failed")
        assert "cannot be reached: Connection refused; check host and port" in detail

    def test_a_portal_says_who_it_is(
        self, ask: Callable[..., Said], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ACME_TOKEN", SECRET)
        text = """
            [backend]
            use = "scim"
            options = {{ url = "{url}", token = {{ env = "ACME_TOKEN" }} }}
        """
        with mock_portal(tmp_path / "p.db", environment={"MUSTERROLL_PORTAL_TOKEN": SECRET}) as portal:
            said = ask(text.format(url=portal.url), "doctor")
            assert checks(said)["backend"] == (
                "ok",
                f"scim:{portal.url}, 0 users; it offers PATCH, filters, bulk, groups",
            )
            assert checks(said)["secrets"] == ("ok", "all there (1)")
            monkeypatch.setenv("ACME_TOKEN", "wrong-token-canary")
            said = ask(text.format(url=portal.url), "doctor")
            assert checks(said)["backend"][0] == "failed"
            assert "wrong-token-canary" not in json.dumps(said)
        said = ask(text.format(url=f"http://localhost:{closed_port()}/v2"), "doctor")
        status, detail = checks(said)["backend"]
        assert (said.status, status) == (2, "failed")
        assert "cannot be reached: Connection refused; check the url" in detail
        assert "\n" not in detail

    def test_what_needs_a_missing_secret_is_not_asked(self, ask: Callable[..., Said]) -> None:
        text = '[backend]\nuse = "scim"\noptions = { url = "http://localhost:1", token = { file = "no.txt" } }\n'
        found = checks(ask(text, "doctor"))
        assert found["backend.options.token"][0] == "failed"
        assert "backend" not in found

    def test_a_strangers_backend_that_breaks_is_one_line(self, ask: Callable[..., Said]) -> None:
        Path("own.py").write_text(
            "from musterroll import *\nfrom musterroll.testing import MemoryBackend\n"
            "class Own(MemoryBackend):\n"
            "    def examine(self): raise ZeroDivisionError('with ' + TOKEN)\n"
            "    def close(self): raise ValueError\n"
            "class OwnOptions(Options):\n    token: SecretRef\n"
            "def build(options, context):\n"
            "    global TOKEN\n    TOKEN = context.secret(options.token).reveal()\n    return Own()\n"
            "@hookimpl\ndef musterroll_user_backends():\n"
            "    yield UserBackendType(name='own', summary='', options=OwnOptions, build=build)\n",
            encoding="utf-8",
        )
        Path("token.txt").write_text(SECRET, encoding="utf-8")
        text = 'plugins = ["own.py"]\nbackend = { use = "own", options = { token = { file = "token.txt" } } }\n'
        status, detail = checks(ask(text, "doctor"))["backend"]
        assert (status, detail) == (
            "failed",
            "backend (plugin own.py) broke while being examined: ZeroDivisionError: with ***",
        )

    def test_mistakes_of_the_pipeline_come_first(self, ask: Callable[..., Said]) -> None:
        said = ask('confirm = "no"\n', "doctor")
        assert (said.status, said["error"]["code"], said["checks"]) == (2, "pipeline.invalid", [])


def test_every_built_in_backend_and_notifier_can_be_examined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    options = ["notifiers.c.use=csv", "notifiers.t.use=console", "notifiers.w.use=webhook"]
    options += ["notifiers.w.options.url=https://gateway.example/hunter2", "backend.use=memory"]
    found = {one.name: one.detail for one in examine(load_pipeline(None, sets=options, external_plugins=False))}
    assert found["notifiers[w]"] == "https://gateway.example; it is called only when there is something to send"
    assert found["notifiers[c]"].startswith("writes ")
    assert found["notifiers[t]"] == "shows messages in the terminal"
    assert "they vanish with the program" in found["backend"]
    assert list(tmp_path.iterdir()) == []
