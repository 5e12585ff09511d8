"""Nothing of ours needs a signal, a module, a mode or a rename that Windows does not have.

There is no Windows here, so the names that it lacks are taken away before the program starts; what
the library of the lock needs stays, as it has other code there.
"""

from __future__ import annotations

import json
import subprocess
import sys

from support.rosters import roster, write_csv
from support.workplace import Workplace

_WITHOUT = """
import os, signal, sys
for name in ("SIGHUP", "SIGKILL", "SIGALRM", "SIGUSR1", "SIGUSR2", "SIGQUIT", "pthread_sigmask", "setitimer", "alarm"):
    delattr(signal, name)
for name in ("chown", "fchown", "fork", "getuid", "geteuid", "getgid", "getegid", "getppid", "killpg",
             "mkfifo", "openpty", "setsid", "statvfs", "O_DIRECTORY", "O_SYNC", "uname"):
    if hasattr(os, name):
        delattr(os, name)

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name == "numpy":  # openpyxl takes it where it happens to be, and it knows by sys.platform that this is Linux
            raise ModuleNotFoundError("no numpy", name=name)
        if name in ("pwd", "grp", "termios", "resource", "tty", "pty", "readline", "syslog"):
            raise ModuleNotFoundError(f"no {name} on Windows", name=name)
for name in ("pwd", "grp", "termios", "resource"):
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Missing())

rename = os.rename
def rename_like_windows(source, target, **more):
    if os.path.exists(target):
        raise FileExistsError(17, "Cannot create a file when that file already exists", target)
    rename(source, target, **more)
os.rename = rename_like_windows

import warnings
warnings.simplefilter("ignore")  # of the lock, which makes do with a file
from musterroll_cli.start import main
sys.exit(main())
"""


def program(place: Workplace, *words: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT, *words], cwd=place.folder, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


def test_the_main_job_and_its_way_back(place: Workplace) -> None:
    place.pipeline('on_error = "skip"')
    rows = roster(3)
    rows[1][0] = "no address"
    write_csv(place.folder / "staff.csv", rows)
    for _ in range(2):  # the second time every file is there already
        status, out, err = program(place, "run", "staff.csv", "--format", "json")
        assert status == 1, out + err
        assert json.loads(out)["job"]["counts"]["rejected"] == 1
    assert program(place, "plan", "staff.csv", "-o", "staff.plan")[0] == 1
    assert program(place, "plan", "staff.csv", "-o", "staff.plan", "--force")[0] == 1
    assert program(place, "template", "-o", "blank.xlsx")[0] == 0
    assert program(place, "template", "-o", "blank.xlsx", "--force")[0] == 0
    assert program(place, "jobs", "list")[0] == 0
    status, out, err = program(place, "jobs", "undo", "last", "--format", "json")
    assert status == 3, err  # the last one changed nothing
    assert program(place, "jobs", "prune", "--yes")[0] == 0
