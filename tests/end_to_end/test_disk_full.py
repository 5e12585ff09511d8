"""No room, no right to write, a damaged journal: a clean stop in one line, nothing lost, and on it goes afterwards."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from support.rosters import roster, write_csv
from support.workplace import COMMAND, Ended, Inside, Workplace

USERS = 200
PIPELINE = """name = "test"
backend.use = "directory"
backend.options = { path = "directory.db", passwords = "none" }
"""


class Disk:
    """A small file system of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def resize(self, kilobytes: int, *, first: bool = False) -> None:
        options = f"{'' if first else 'remount,'}size={kilobytes}k"
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.folder)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"this account may not mount a small file system: {done.stderr.strip()}")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    if sys.platform != "linux":
        pytest.skip("small file systems are mounted on Linux only")
    folder = tmp_path / "disk"
    folder.mkdir()
    small = Disk(folder)
    small.resize(100_000, first=True)
    yield small
    subprocess.run(["umount", str(folder)], check=True)


def _stopped_cleanly(ended: Ended) -> None:
    assert ended.status in (2, 4), ended.err
    errors = [line for line in ended.err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, ended.err
    assert len(errors[0]) < 400


def _everything_is_there(place: Workplace) -> None:
    """Each user once, nobody invited twice, and the same sheet again changes nothing."""
    again = place.json("run", "staff.csv")
    assert again.status == 0, again.out
    counts = again.document["job"]["counts"]
    assert (counts["unchanged"], counts["rows"]) == (USERS, USERS)
    assert len(place.users()) == USERS
    recipients = Counter(line for file in place.invites() for line in _recipients(file))
    assert set(recipients.values()) <= {1}


def _recipients(file: Path) -> list[str]:
    return [line for line in file.read_text("utf-8").splitlines() if line.startswith("To: ")]


# Room for the sheet; for the journal as well; for all but the directory; for all but some invites.
@pytest.mark.parametrize("room", [40, 200, 500, 900])
def test_the_disk_is_full(disk: Disk, room: int, inside: Inside) -> None:
    place = replace(inside, folder=disk.folder)
    place.write("musterroll.toml", PIPELINE)
    write_csv(disk.folder / "staff.csv", roster(USERS))
    used = sum(file.stat().st_blocks for file in disk.folder.iterdir()) // 2 + 8
    disk.resize(used + room)
    first = place.run("run", "staff.csv")
    if first.status == 0:
        pytest.fail(f"{room} kB were enough")
    _stopped_cleanly(first)
    second = place.run("jobs", "resume", "last")  # still no room
    assert second.status in (0, 2, 4), second.err
    disk.resize(100_000)
    resumed = place.run("jobs", "resume", "last")
    if "there are no jobs" not in resumed.err:
        assert resumed.status in (0, 4), resumed.err  # 4: an invite is held
    else:  # nothing was written at all
        assert not place.directory.exists()
        assert place.run("run", "staff.csv").status == 0
    _everything_is_there(place)


@pytest.mark.skipif(os.name == "nt", reason="this system has no ulimit")
@pytest.mark.parametrize("blocks", [8, 200])
def test_a_file_may_not_grow(inside: Inside, blocks: int) -> None:
    """A quota looks like this, or a file system that cannot hold large files."""
    place = inside
    write_csv(place.folder / "staff.csv", roster(USERS))
    limited = subprocess.run(
        ["/bin/sh", "-c", f"ulimit -f {blocks}; exec {shlex.quote(str(COMMAND))} run staff.csv"],
        cwd=place.folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    assert "Traceback" not in limited.stderr
    _stopped_cleanly(Ended(limited.returncode, limited.stdout, limited.stderr))
    resumed = place.run("jobs", "resume", "last")
    if resumed.status == 2:
        assert "there are no jobs" in resumed.err
        assert place.run("run", "staff.csv").status == 0
    _everything_is_there(place)


@pytest.mark.parametrize("what", ["state", "directory", "outbox"])
def test_a_folder_is_read_only(disk: Disk, what: str, inside: Inside) -> None:
    place = replace(inside, folder=disk.folder.parent)
    places = {"state": "state", "directory": "backend.options.path", "outbox": "notifiers.outbox.options.folder"}
    path = f"{disk.folder}/users.db" if what == "directory" else f"{disk.folder}/{what}"
    place.write("musterroll.toml", PIPELINE)
    write_csv(place.folder / "staff.csv", roster(USERS))
    subprocess.run(["mount", "-o", "remount,ro", str(disk.folder)], check=True)
    refused = place.run("run", "staff.csv", "--set", f"{places[what]}={path}")
    if what == "outbox":  # that is written to when the users are in: every invite says why it failed
        assert refused.status == 4
        assert str(disk.folder) in refused.out
    else:
        _stopped_cleanly(refused)
        assert refused.status == 2
        assert str(disk.folder) in refused.err
        assert not place.directory.exists()
    subprocess.run(["mount", "-o", "remount,rw", str(disk.folder)], check=True)
    words = ("jobs", "resume", "last") if what == "outbox" else ("run", "staff.csv")
    done = place.run(*words, *(() if what == "outbox" else ("--set", f"{places[what]}={path}")))
    assert done.status == 0, done.err


def _flipped(journal: Path) -> bytes:
    content = bytearray(journal.read_bytes())
    for at in range(16_384, len(content), 16_384):
        content[at : at + 64] = bytes(64)
    return bytes(content)


@pytest.mark.parametrize("damage", ["flipped", "cut", "text", "empty page", "another database"])
def test_a_damaged_journal_is_refused_and_kept(inside: Inside, damage: str) -> None:
    place = inside
    write_csv(place.folder / "staff.csv", roster(20))
    assert place.run("run", "staff.csv").status == 0
    (journal,) = (place.folder / ".musterroll").glob("*.journal")
    for wal in (place.folder / ".musterroll").glob("*.journal-*"):
        wal.unlink()
    damaged = {
        "flipped": lambda: _flipped(journal),
        "cut": lambda: journal.read_bytes()[: journal.stat().st_size // 2],
        "text": lambda: b"These are my notes, not a journal.\n" * 100,
        "empty page": lambda: bytes(16_384),
        "another database": inside.directory.read_bytes,
    }[damage]()
    journal.write_bytes(damaged)
    before = place.users()
    for words in (("jobs", "list"), ("run", "staff.csv"), ("jobs", "resume", "last"), ("jobs", "show", "last")):
        refused = place.run(*words)
        _stopped_cleanly(refused)
        assert refused.status == 2
        assert journal.name in refused.err
    assert journal.read_bytes() == damaged
    assert place.users() == before
