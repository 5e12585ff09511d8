"""`kill -9` at any time loses nothing that was answered."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from musterroll import Context, CreateUser, Desired, FieldSet, Status, UserBackend, UserKey
from musterroll_plugins.backends.directory import DirectoryOptions, build

USERS = 200_000  # more than are created before the kill
_CHILD = """
import sys
from pathlib import Path
from musterroll import Context, CreateUser, Desired, FieldSet
from musterroll_plugins.backends.directory import DirectoryOptions, build

options = DirectoryOptions(path=Path(sys.argv[1]), passwords="none")
backend = build(options, Context(instance="backend", fields=FieldSet([]), read_only=False))
ops = (CreateUser(id=f"op{n}", user=Desired(username=f"user{n}", fields={})) for n in range(int(sys.argv[2])))
for result in backend.execute(ops):
    sys.stdout.write(result.op + "\\n")
    sys.stdout.flush()
"""


def _open(path: Path, *, read_only: bool) -> UserBackend:
    context = Context(instance="backend", fields=FieldSet([]), read_only=read_only)
    return build(DirectoryOptions(path=path, passwords="none"), context)


@pytest.mark.parametrize("delay", [0.0, 0.03, 0.11])
def test_killed_while_writing(tmp_path: Path, delay: float) -> None:
    path = tmp_path / "users.db"
    with subprocess.Popen([sys.executable, "-c", _CHILD, str(path), str(USERS)], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        seen = [child.stdout.readline()]
        time.sleep(delay)
        child.kill()
        seen += child.stdout.readlines()
    answered = {line.decode().strip() for line in seen if line.endswith(b"\n")}
    assert 0 < len(answered) < USERS

    for read_only in (True, False):
        backend = _open(path, read_only=read_only)
        count = backend.count_users()
        assert count is not None
        assert count >= len(answered)
        keys = [UserKey.of("username", op.replace("op", "user")) for op in answered]
        assert {user.key for users in backend.lookup(keys).values() for user in users} == answered
        ops = [CreateUser(id=f"op{n}", user=Desired(username=f"user{n}", fields={})) for n in range(count + 2000)]
        statuses = [result.status for result in backend.resolve(ops)]
        assert statuses == [Status.DONE] * count + [Status.NOT_DONE] * 2000  # whole transactions, in order
        backend.close()
    assert [file.name for file in tmp_path.iterdir()] == ["users.db"]
