"""The page of complaints and their tests are one."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "complaints.md"


def test_the_page_lists_every_test_and_no_other() -> None:
    tests = {
        name
        for file in HERE.glob("test_*.py")
        if file.name != Path(__file__).name
        for name in re.findall(r"^def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    }
    rows = re.findall(r"^\| .+ \| (.+) \| .+ \| `(test_\w+)` \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(name for _, name in rows) == sorted(tests)
    assert len(tests) >= 20
    for where, name in rows:
        (number,) = re.findall(r"#(\d+)", where)
        assert f"_{number}_" in name
