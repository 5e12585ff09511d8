"""The command as people start it: with TLS, and what it refuses of that; the example of a unit."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

import httpx2 as httpx
import pytest

from support.certificates import make_certificate
from support.programs import needs_program
from support.web_server import SHEET, Visitor, web_process, words_of
from support.workplace import Inside, Workplace, one_line

UNIT = Path(__file__).parents[3] / "docs" / "examples" / "musterroll-web.service"


def test_it_serves_with_tls_and_stops_in_order(tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    place.pipeline()
    own = make_certificate(tmp_path)
    trusting = ssl.create_default_context(cafile=own.path)
    with web_process(place, "--tls-certificate", own.path, "--tls-key", own.key) as server:
        assert server.url.startswith("https://")
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            server.client().get("/health")
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(server.url.replace("https:", "http:") + "/health")
        client = server.client(verify=trusting)
        entered = client.get("/start", params={"token": server.token or ""})
        cookie = entered.headers["set-cookie"]
        assert cookie.startswith(f"__Host-musterroll-{server.url.rpartition(':')[2]}=")
        assert "Secure" in cookie
        assert entered.headers["strict-transport-security"] == "max-age=31536000"
        visitor = Visitor(client)
        assert "Completed" in words_of(visitor.import_(SHEET, invites="none"))
        gone = client.post("/sign-out", data={"csrf": visitor.csrf()}).headers["set-cookie"]
        assert gone.startswith(cookie.partition("=")[0])
        assert "Max-Age=0" in gone
        assert "Secure" in gone  # or the browser keeps it, for its name begins with __Host-
        server.stop()
        assert server.process.returncode == 0
    assert place.users().keys() == {"ana", "bo"}


def test_a_certificate_that_is_none_is_refused_in_a_line(inside: Inside) -> None:
    own = make_certificate(inside.folder)
    locked = inside.folder / "locked.pem"
    command = ["openssl", "rsa", "-in", str(own.key), "-aes128", "-passout", "pass:secret", "-out", str(locked)]
    subprocess.run(command, check=True, capture_output=True)
    text = inside.write("text.pem", "no certificate")
    for certificate, key, word in (
        ("nothing.pem", own.key, "--tls-certificate: nothing.pem cannot be read"),
        (own.path, "nothing.pem", "--tls-key: nothing.pem cannot be read"),
        (inside.folder, own.key, "cannot be read"),
        (text, own.key, "no certificate and its key"),
        (own.key, own.path, "no certificate and its key"),
        (own.path, locked, "without a passphrase"),
    ):
        ended = inside.run("web", "--port", 0, "--tls-certificate", certificate, "--tls-key", key)
        one_line(ended, word)


@needs_program("systemd-analyze", "systemd")
def test_the_unit_is_one(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text("utf-8").replace("/opt/musterroll/bin/musterroll", shutil.which("true") or ""))
    found = subprocess.run(["systemd-analyze", "verify", str(unit)], check=False, capture_output=True, text=True)
    assert (found.returncode, found.stdout + found.stderr) == (0, "")


def test_every_mistake_of_a_folder_of_pipelines_is_said_with_its_line(inside: Inside) -> None:
    inside.write("ana/musterroll.toml", 'name = "ana"\n\non_eror = "skip"\n')
    inside.write("bo.toml", 'name = "bo"\nconfirm = "no"\n')
    inside.write("cy.toml", 'name = "cy"\nmatch = [\n')
    ended = inside.run("web", ".", "--port", "0")
    assert ended.status == 2
    lines = ended.err.splitlines()
    assert 'error: ana/musterroll.toml: on_eror: unknown option, did you mean "on_error"?' in lines
    assert "    3 | on_eror = …" in lines
    assert "error: bo.toml: confirm: should be true or false; write false" in lines
    assert any(line.startswith("error: cy.toml: line 2, column 9: ") for line in lines)
