"""No password and no token where somebody could read it: addresses, logs, errors, the state folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.mini_portal import MiniServer
from support.rest_portals import MINI
from support.rosters import roster, write_csv
from support.workplace import Ended, Workplace

CANARY, TOKEN, KEY = "Kanarienvogel-4711 ü", "Token-3f9a-Sesame", "Key-77-Sesame"


@pytest.mark.parametrize("day", ["quiet", pytest.param("bad", marks=pytest.mark.slow)])
def test_the_canary_is_found_nowhere(server: MiniServer, tmp_path: Path, day: str) -> None:
    place, portal = Workplace(tmp_path), server.portal(f"secrets-{day}")
    portal.refuses = "refused"
    if day == "bad":
        portal.busy, portal.busy_after, portal.reset_after = 0.1, 0.2, 0.1
    tables = (
        MINI.replace('department = "attributes.department"\n', "")
        .replace("[users", "[backend.options.users")
        .replace("[groups", "[backend.options.groups")
    )
    place.write(
        "musterroll.toml",
        f"""
        name = "acme"
        [password]
        on_existing = "reset"
        [backend]
        use = "rest"
        [backend.options]
        url = "{portal.url}"
        token = {{ env = "REST_TOKEN" }}
        headers = {{ X-Api-Key = {{ env = "REST_KEY" }} }}
        {tables}
        """,
    )
    rows = roster(6)
    for number, row in enumerate(rows):
        row[4] = CANARY
        row[1] = f"refused{number}" if number % 3 == 2 else row[1]
    sheet = write_csv(place.folder / "staff.csv", rows)
    secrets = {"REST_TOKEN": TOKEN, "REST_KEY": KEY}
    ended: list[Ended] = [
        place.run("plan", sheet, "--verbose", **secrets),
        place.run("run", sheet, "--verbose", **secrets),
        place.json("run", sheet, "--verbose", "--set", "backend.options.retries=1", **secrets),
        place.json("jobs", "show", "last", **secrets),
        place.run("pipeline", "check", **secrets),
        place.run("pipeline", "show", **secrets),
    ]
    sheet.unlink()
    assert any(CANARY in str(body) for body in portal.bodies)
    assert KEY in portal.keys
    if day == "quiet":
        assert "what is this?" in ended[1].out + ended[1].err
    for secret in (CANARY, CANARY[:12], TOKEN, KEY):
        for done in ended:
            assert secret not in done.out
            assert secret not in done.err
        assert not any(secret in address for address in portal.addresses)
        for file in place.folder.rglob("*"):
            if file.is_file():
                assert secret.encode() not in file.read_bytes(), file
