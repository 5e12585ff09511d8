"""Real database servers, each in a folder and at a free loopback port of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from support.certificates import Certificate
from support.ldap_servers import BreakableLine
from support.programs import needs
from support.scim_servers import free_port, wait_until

# Debian keeps servers where a person's shell does not look.
_PLACES = os.pathsep.join(
    (
        os.environ.get("PATH", ""),
        "/usr/sbin",
        *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)),
    )
)
POSTGRES, INITDB = (shutil.which(name, path=_PLACES) for name in ("postgres", "initdb"))
MARIADBD, INSTALL_DB = (shutil.which(name, path=_PLACES) for name in ("mariadbd", "mariadb-install-db"))

# What the machine loses is no concern here.
_CARELESS = ("--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync", "--skip-log-bin")
PASSWORD = "Service-Account-1"
_ENCRYPTED_ONLY = "hostnossl all importer all reject\n"


def _missing(drivers: Sequence[str], programs: Sequence[str | None], product: str) -> str | None:
    if any(find_spec(name) is None for name in ("sqlalchemy", *drivers)):
        return "the extra musterroll[sql] is not installed"
    return None if all(programs) else f"{product} is not installed"


needs_sql = needs(_missing((), (), ""))
needs_postgres = needs(_missing(("psycopg",), (POSTGRES, INITDB), "PostgreSQL"))
needs_mariadb = needs(_missing(("pymysql",), (MARIADBD, INSTALL_DB), "MariaDB"))


@dataclass
class DatabaseServer:
    """A server with an account `importer`, and databases of the tests' own.

    Attributes:
        folder: where it keeps everything.
    """

    folder: Path
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    scheme, title = "", ""

    def url(self, database: str, user: str = "importer", port: int | None = None) -> str:
        """The address of a database."""
        return f"{self.scheme}://{user}@127.0.0.1:{port or self.port}/{database}"

    def start(self) -> None:
        """Starts it and waits until it answers."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command(), stdout=log, stderr=log)
        wait_until(self._answers)

    def kill(self) -> None:
        """Ends it, without a chance to say good-bye."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ends it, quickly and in order."""
        self._end(signal.SIGTERM)

    def cpu_seconds(self) -> float:
        """How much it has worked so far, with all processes of its own, in hundredths of a second."""
        assert self._process is not None
        own = Path(f"/proc/{self._process.pid}")
        children = (own / "task" / own.name / "children").read_text(encoding="ascii").split()
        worked = 0
        for process in (own, *map(Path("/proc").joinpath, children)):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended, and counts for the server
                words = (process / "stat").read_text(encoding="ascii").rpartition(")")[2].split()
                worked += sum(map(int, words[11:15]))
        return worked / os.sysconf("SC_CLK_TCK")

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(how)
            self._process.wait(20)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"{type(self).__name__} does not start in {self.folder}"
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            self.do("SELECT 1")
        except Exception:
            return False
        return True

    def add_database(self, name: str, *statements: str) -> None:
        """Makes a database of which `importer` may do everything, and does something in it."""
        raise NotImplementedError

    def empty_database(self) -> str:
        """Returns a database of the importer's with nothing in it; what was in it is gone."""
        raise NotImplementedError

    def do(self, *statements: str, database: str | None = None) -> list[tuple[Any, ...]]:
        """Does something as the administrator; returns what the last statement answers."""
        raise NotImplementedError

    def _command(self) -> list[str]:
        raise NotImplementedError


class Postgres(DatabaseServer):
    """PostgreSQL."""

    scheme, title = "postgresql", "PostgreSQL"

    def prepare(self) -> None:
        """Makes what it starts with."""
        assert INITDB is not None
        if os.getuid() == 0:  # it does not run as root
            shutil.chown(self.folder, "postgres", "postgres")
        words = ["-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8", "-U", "root"]
        made = subprocess.run(
            [*self._as_user(), INITDB, "-D", str(self.folder / "data"), *words],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
        )
        assert made.returncode == 0, made.stderr
        rules = self.folder / "data" / "pg_hba.conf"
        asked = "host all importer 127.0.0.1/32 scram-sha-256\nhost all reader 127.0.0.1/32 scram-sha-256\n"
        rules.write_text(asked + rules.read_text(encoding="utf-8"), encoding="utf-8")
        self.start()
        for account in ("importer", "reader"):
            self.do(f"CREATE ROLE {account} LOGIN PASSWORD '{PASSWORD}'")

    def _as_user(self) -> list[str]:
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []

    def _command(self) -> list[str]:
        assert POSTGRES is not None
        settings = ["-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={self.folder}"]
        settings += ["-c", "fsync=off", "-c", "autovacuum=off"]  # what the machine loses is no concern here
        return [*self._as_user(), POSTGRES, "-D", str(self.folder / "data"), "-p", str(self.port), *settings]

    def stop(self) -> None:
        """Ends it without waiting for those who are connected."""
        self._end(signal.SIGINT)

    def do(self, *statements: str, database: str | None = None) -> list[tuple[Any, ...]]:
        """Does something as the administrator."""
        import psycopg

        found: list[tuple[Any, ...]] = []
        where = f"host=127.0.0.1 port={self.port} user=root dbname={database or 'postgres'}"
        with psycopg.connect(where, autocommit=True) as line:
            for statement in statements:
                cursor = line.execute(statement)
                found = cursor.fetchall() if cursor.description else []
        return found

    def add_database(self, name: str, *statements: str) -> None:
        """Makes a database."""
        self.do(f"CREATE DATABASE {name} OWNER importer")
        self.do(*statements, database=name)

    def empty_database(self) -> str:
        """Keeps the database: to make one takes a second."""
        if not self.do("SELECT 1 FROM pg_database WHERE datname = 'emptied'"):
            self.add_database("emptied")
        self.do(
            "DROP SCHEMA public CASCADE",
            "CREATE SCHEMA public AUTHORIZATION importer",
            database="emptied",
        )
        return "emptied"

    def encrypt(self, certificate: Certificate) -> None:
        """Lets nobody in as `importer` any more but over an encrypted line."""
        data = self.folder / "data"
        for place, name in ((certificate.path, "server.crt"), (certificate.key, "server.key")):
            shutil.copy(place, data / name)
            (data / name).chmod(0o600)
            if os.getuid() == 0:
                shutil.chown(data / name, "postgres", "postgres")
        rules = data / "pg_hba.conf"
        others = rules.read_text(encoding="utf-8").removeprefix(_ENCRYPTED_ONLY)
        rules.write_text(_ENCRYPTED_ONLY + others, encoding="utf-8")
        before = self.do("SELECT pg_conf_load_time()")
        self.do("ALTER SYSTEM SET ssl = on", "SELECT pg_reload_conf()")
        wait_until(lambda: self.do("SELECT pg_conf_load_time()") != before)

    def version(self) -> str:
        """Which one it is."""
        return str(self.do("SHOW server_version")[0][0]).split()[0]


class MariaDb(DatabaseServer):
    """MariaDB."""

    scheme, title = "mariadb", "MariaDB"

    def prepare(self) -> None:
        """Makes what it starts with."""
        assert INSTALL_DB is not None
        words = ["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]
        made = subprocess.run(
            [INSTALL_DB, *words, f"--datadir={self.folder / 'data'}", *self._user()],
            capture_output=True,
            text=True,
            check=False,
        )
        assert made.returncode == 0, made.stderr
        self.start()
        for account in ("importer", "reader"):
            self.do(f"CREATE USER {account}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'")

    def _user(self) -> list[str]:
        return ["--user=root"] if os.getuid() == 0 else []

    def _command(self) -> list[str]:
        assert MARIADBD is not None
        settings = [f"--datadir={self.folder / 'data'}", f"--port={self.port}", "--bind-address=127.0.0.1"]
        settings += [f"--socket={self.folder / 's'}", f"--pid-file={self.folder / 'pid'}", *self._user()]
        return [MARIADBD, "--no-defaults", "--character-set-server=utf8mb4", *_CARELESS, *settings]

    def do(self, *statements: str, database: str | None = None) -> list[tuple[Any, ...]]:
        """Does something as the administrator."""
        import pymysql

        found: list[tuple[Any, ...]] = []
        line = pymysql.connect(unix_socket=str(self.folder / "s"), user="root", database=database, autocommit=True)
        with line, line.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
                found = list(cursor.fetchall())
        return found

    def add_database(self, name: str, *statements: str) -> None:
        """Makes a database."""
        self.do(f"CREATE DATABASE {name}", f"GRANT ALL ON {name}.* TO importer@'127.0.0.1'")
        self.do(*statements, database=name)

    def empty_database(self) -> str:
        """Makes it anew."""
        self.do("DROP DATABASE IF EXISTS emptied")
        self.add_database("emptied")
        return "emptied"

    def version(self) -> str:
        """Which one it is."""
        return str(self.do("SELECT version()")[0][0]).split("-")[0]


@contextlib.contextmanager
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server in a folder of its own: it does not run as root, and pytest's are closed to others."""
    with tempfile.TemporaryDirectory(prefix="musterroll-postgres-") as folder:
        server = Postgres(Path(folder))
        try:
            server.prepare()
            yield server
        finally:
            server.stop()


@contextlib.contextmanager
def mariadb(folder: Path) -> Iterator[MariaDb]:
    """A MariaDB server."""
    server = MariaDb(folder)
    try:
        server.prepare()
        yield server
    finally:
        server.stop()


class CommitLine(BreakableLine):
    """Cuts the line once before the answer to a COMMIT gets through."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self._committed = False

    def _hears(self, chunk: bytes) -> None:
        self._committed = b"COMMIT" in chunk

    def _tells_of_writing(self, chunk: bytes) -> bool:
        return self._committed
