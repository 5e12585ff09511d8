"""The line to PostgreSQL: encrypted, to a server whose certificate is trusted or is not, and through its socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.certificates import make_certificate
from support.evidence import Counterpart
from support.rosters import person, write_csv
from support.sql_servers import PASSWORD, Postgres, needs_postgres, postgres
from support.sql_tables import DESCRIBED, application, changed, options_text
from support.workplace import Inside, one_line

pytestmark = [needs_postgres, pytest.mark.slow]

COUNTERPART = ("sql", "PostgreSQL")
SEEN = Counterpart(*COUNTERPART)

_OPTIONS = changed(DESCRIBED, passwords="none", users={"password": None, "columns": {"department": None}})
_OPTIONS = changed(_OPTIONS, users={"constants": {"password": "!"}})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with postgres() as server:
        server.encrypt(make_certificate(tmp_path_factory.mktemp("certificate")))
        server.add_database("shop")
        yield server


class Shop:
    """A folder with a sheet of two users, and empty tables."""

    def __init__(self, place: Inside, server: Postgres) -> None:
        self.place, self.server = place, server
        rows = [person(1), person(2)]
        for row in rows:
            row[4] = ""  # no passwords
        write_csv(place.folder / "staff.csv", rows)
        server.do(
            "DROP SCHEMA public CASCADE",
            "CREATE SCHEMA public AUTHORIZATION importer",
            "SET ROLE importer",
            *application("postgresql"),
            database="shop",
        )

    def point(self, **options: Any) -> None:
        given = {"url": self.server.url("shop"), **options, **_OPTIONS}
        self.place.write(
            "musterroll.toml",
            'name = "shop"\npassword.required = "never"\ninvites.send_to = "none"\nbackend.use = "sql"\n'
            f'[backend.options]\npassword = {{ env = "SQL_PASSWORD" }}\n{options_text(given)}\n',
        )

    def users(self) -> int:
        return int(self.server.do("SELECT count(*) FROM accounts", database="shop")[0][0])


@pytest.fixture
def shop(inside: Inside, server: Postgres, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("SQL_PASSWORD", PASSWORD)
    return Shop(inside, server)


@pytest.fixture
def own_certificate(server: Postgres) -> str:
    return str(server.folder / "data" / "server.crt")


def test_a_certificate_that_nobody_trusts(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = make_certificate(tmp_path / "other")
    for options in (dict[str, str](), {"ca": str(other.path)}):
        shop.point(**options)
        for command in ("plan", "run", "doctor"):
            ended = shop.place.run(command, *["staff.csv"] * (command != "doctor"))
            said = ended.out if command == "doctor" else one_line(ended)
            assert "certificate verify failed" in said
            assert PASSWORD not in ended.out + ended.err
    assert shop.users() == 0


def test_a_certificate_of_an_own_authority(shop: Shop, own_certificate: str) -> None:
    """The server lets nobody in otherwise."""
    shop.point(ca=own_certificate)
    assert shop.place.json("run", "staff.csv").status == 0
    assert shop.users() == 2


def test_a_certificate_for_another_host(shop: Shop, server: Postgres, tmp_path: Path) -> None:
    """Who is trusted is trusted under its names only."""
    (tmp_path / "other").mkdir()
    other = make_certificate(tmp_path / "other", "DNS:db.example")
    own = tuple((server.folder / "data" / name).read_bytes() for name in ("server.crt", "server.key"))
    server.encrypt(other)
    try:
        shop.point(ca=str(other.path))
        one_line(shop.place.run("run", "staff.csv"), 'does not match host name "127.0.0.1"')
        assert shop.users() == 0
    finally:
        for path, content in zip((other.path, other.key), own, strict=True):
            path.write_bytes(content)
        server.encrypt(other)


@pytest.mark.parametrize("content", [None, "This is no certificate."])
def test_a_file_of_certificates_that_cannot_be_used(shop: Shop, tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    shop.point(ca=str(path))
    one_line(shop.place.run("run", "staff.csv"), "ca.pem")
    assert shop.users() == 0


def test_a_server_that_insists_on_an_encrypted_line(shop: Shop) -> None:
    shop.point(security="none")
    one_line(shop.place.run("run", "staff.csv"), "pg_hba.conf rejects", "no encryption")
    assert shop.users() == 0
    SEEN.quirk("can be told to let nobody in over a line that is not encrypted: its word for it is passed on")


def test_through_the_socket(shop: Shop) -> None:
    # The folder holds sockets by the server's port, which the address names.
    shop.point(url=f"postgresql://importer@:{shop.server.port}/shop", socket=str(shop.server.folder))
    assert shop.place.json("run", "staff.csv").status == 0
    again = shop.place.json("run", "staff.csv")
    assert again.document["job"]["counts"]["unchanged"] == 2
    assert shop.users() == 2


def test_a_socket_that_is_not_there(shop: Shop, tmp_path: Path) -> None:
    shop.point(url="postgresql://importer@/shop", socket=str(tmp_path), retries=0)
    one_line(shop.place.run("run", "staff.csv"), "No such file or directory")
