"""A SCIM server for all tests here, of which each gets portals of its own, and database servers likewise."""

from __future__ import annotations

import itertools
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.scim_backends import Opened, Workbench
from support.scim_servers import Portal, Server
from support.sql_servers import DatabaseServer, mariadb, postgres

_numbers = itertools.count()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[DatabaseServer]:
    with postgres() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DatabaseServer]:
    with mariadb(tmp_path_factory.mktemp("mariadb")) as server:
        yield server


@pytest.fixture
def new_portal(server: Server) -> Callable[..., Portal]:
    """Makes another empty portal: `new_portal(provider)`."""
    return lambda provider=None: server.portal(f"p{next(_numbers)}", provider)


@pytest.fixture
def portal(new_portal: Callable[..., Portal]) -> Portal:
    """An empty portal."""
    return new_portal()


@pytest.fixture
def make_certificate() -> Callable[[Path], tuple[Path, Path]]:
    """Makes a certificate for 127.0.0.1 that nobody trusts, in a folder: `certificate, key`."""

    def make(folder: Path) -> tuple[Path, Path]:
        if shutil.which("openssl") is None:
            pytest.skip("openssl is not installed")
        certificate, key = folder / "certificate.pem", folder / "key.pem"
        command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
        names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
        subprocess.run([*command.split(), *names], check=True, capture_output=True)
        return certificate, key

    return make


@pytest.fixture
def opened() -> Iterator[Opened]:
    """Opens backends: `opened(portal.url, bulk="never")`."""
    opened = Opened()
    yield opened
    opened.close()


@pytest.fixture
def bench(new_portal: Callable[..., Portal], opened: Opened) -> Workbench:
    """An empty portal, and backends on it."""
    return Workbench(new_portal, opened)
