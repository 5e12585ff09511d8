"""The program of the page on unattended imports does what it is said to do."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.workplace import COMMAND, Workplace

PAGE = Path(__file__).parents[2] / "docs" / "unattended.md"
HEADINGS = "Email,Username,Forename,Surname,Password,Calling Code,Phone,Groups\nguidance\n"


@pytest.mark.slow
def test_the_nightly_import_says_what_is_to_be_done(tmp_path: Path) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    place = Workplace(tmp_path)
    place.write("nightly.py", code)
    place.pipeline('on_error = "skip"\nlimits.create = 1')

    place.write("staff.csv", f"{HEADINGS},ana,Ana,,Harbour-Lamp-77,,,\n")
    assert nightly(place, status=0) == []

    place.write("staff.csv", f"{HEADINGS},ana,Ana,,Harbour-Lamp-77,,,\nbo@,bo,Bo,,Harbour-Lamp-78,,,\n")
    first, problem, rejected = nightly(place, status=1)
    assert first == "problems"
    assert problem.startswith("A4 email.invalid ")
    assert rejected.startswith("to be corrected and run: ")

    two = "".join(f",{name},X,,Harbour-Lamp-78,,,\n" for name in ("cem", "dora"))
    place.write("staff.csv", HEADINGS + two)
    (line,) = nightly(place, status=3)
    assert line.startswith("refused nothing was written: create: 2 users would be created")


def nightly(place: Workplace, *, status: int) -> list[str]:
    path = os.pathsep.join([str(COMMAND.parent), os.environ["PATH"]])
    done = subprocess.run(
        [sys.executable, "nightly.py"],
        cwd=place.folder,
        env={**os.environ, "PATH": path, "PYTHONIOENCODING": "utf-8"},
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    assert done.returncode == status
    return [line.strip() for line in done.stdout.splitlines()]
