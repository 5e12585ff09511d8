"""Canaille, a real identity portal, in a process of its own."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from support.programs import needs
from support.scim_servers import free_port, wait_until


def _canaille() -> str | None:
    """The program: in the path, or where MUSTERROLL_CANAILLE says, as it needs an environment of its own."""
    return os.environ.get("MUSTERROLL_CANAILLE") or shutil.which("canaille")


needs_canaille = needs(
    None if _canaille() else "Canaille is not installed (MUSTERROLL_CANAILLE names its program)",
)
CANAILLE_TOKEN = "let-me-in"
CANAILLE_SECRET = "a-secret-of-the-client"
CANAILLE_PASSWORD = "Meadow-Kite-41"

ProgramRunner = Callable[..., None]


@contextlib.contextmanager
def canaille(folder: Path) -> Iterator[str]:
    """Starts Canaille with an empty database, and stops it; yields the address of its SCIM service."""

    def fill(run: ProgramRunner) -> None:
        run("create", "client", "--client-id", "importer", "--client-name", "importer", "--client-secret", "x")
        token = ["create", "token", "--token-id", "t1", "--access-token", CANAILLE_TOKEN, "--client", "importer"]
        lasting = ["--issue-date", "2026-01-01T00:00:00+00:00", "--lifetime", "99999999"]
        run(*token, "--type", "access_token", "--scope", "openid", *lasting)

    port = free_port()
    with _running(folder, port, fill):
        yield f"http://127.0.0.1:{port}/scim/v2"


@contextlib.contextmanager
def canaille_provider(folder: Path, port: int, back: str, people: Mapping[str, Sequence[str]]) -> Iterator[None]:
    """Starts Canaille as the OpenID provider of a client `musterroll`, and stops it.

    Args:
        folder: for its database.
        port: the port that it listens at; its issuer is `http://localhost:PORT`.
        back: where it sends people back to.
        people: their groups, by their name, which is that before the `@` of their address, too.
    """
    groups = sorted({group for of_one in people.values() for group in of_one})
    models = {
        "user": [
            {
                "id": name,
                "user_name": name,
                "password": CANAILLE_PASSWORD,
                "family_name": name.capitalize(),
                "formatted_name": name.capitalize(),
                "emails": [f"{name}@example.com"],
                "groups": of_one,
            }
            for name, of_one in people.items()
        ],
        "group": [
            {"id": group, "display_name": group, "members": [name for name, of in people.items() if group in of]}
            for group in groups
        ],
        "client": [
            {
                "id": "musterroll",
                "client_id": "musterroll",
                "client_secret": CANAILLE_SECRET,
                "client_name": "musterroll",
                "audience": ["musterroll"],
                "redirect_uris": [back],
                "grant_types": ["authorization_code"],
                "response_types": ["code"],
                "token_endpoint_auth_method": "client_secret_basic",
                "scope": ["openid", "profile", "email", "groups"],
            }
        ],
        **{kind: [] for kind in ("authorizationcode", "token", "consent", "webauthncredential")},
    }
    with _running(folder, port, lambda run: run("restore", said=json.dumps(models))):
        yield


@contextlib.contextmanager
def _running(folder: Path, port: int, fill: Callable[[ProgramRunner], None]) -> Iterator[None]:
    program = _canaille()
    assert program is not None, "Canaille is not installed"
    settings = folder / "canaille.toml"
    settings.write_text(
        'SECRET_KEY="x"\n[CANAILLE]\nDATABASE="sql"\n'
        f'[CANAILLE_SQL]\nDATABASE_URI="sqlite:///{(folder / "canaille.db").as_posix()}"\n'
        "[CANAILLE_SCIM]\nENABLE_SERVER=true\n",
        encoding="utf-8",
    )
    environment = {**os.environ, "CANAILLE_CONFIG": str(settings)}

    def run(*arguments: str, said: str | None = None) -> None:
        subprocess.run(
            [program, *arguments], env=environment, check=True, capture_output=True, input=said, encoding="utf-8"
        )

    run("install")
    fill(run)
    process = subprocess.Popen(
        [program, "run", "--bind", f"127.0.0.1:{port}"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: _answers(port))
        yield
    finally:
        process.terminate()
        process.wait(20)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
        connection.request("GET", "/.well-known/openid-configuration")
        return connection.getresponse().status == 200
    return False
