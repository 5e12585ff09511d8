"""Every example customer runs as it stands."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.workplace import Workplace

EXAMPLES = Path(__file__).parents[2] / "examples"
LEFTOVERS = shutil.ignore_patterns(".musterroll", "*.db", "outbox")


@pytest.fixture
def acme(tmp_path: Path) -> Workplace:
    shutil.copytree(EXAMPLES / "acme", tmp_path / "acme", ignore=LEFTOVERS)
    return Workplace(tmp_path / "acme")


def test_acme(acme: Workplace) -> None:
    assert acme.run("pipeline", "check").status == 0
    first = acme.json("run", "staff.xlsx")
    assert first.status == 0
    assert first.document["job"]["counts"]["created"] == 12
    assert first.document["problems"] == []
    assert len(acme.invites()) == 12
    again = acme.json("run", "staff.xlsx")
    assert again.document["job"]["counts"]["unchanged"] == 12
    assert len(acme.invites()) == 12


def test_acme_shows_the_mistakes_of_its_own_rule_among_the_others(acme: Workplace) -> None:
    done = acme.json("validate", "staff-mistakes.csv")
    assert done.status == 1
    assert done.codes == [
        ("email.invalid", "E4"),
        ("acme.staff_number", "A5"),
        ("username.required", "B5"),
        ("password.policy", "G6"),
        ("phone.trunk_prefix", "I6"),
        ("groups.invalid", "J6"),
        ("username.duplicate", "B7"),
        ("cell.precision_lost", "I7"),
        ("row.after_blank", None),
    ]


def test_acme_recognises_who_changed_the_username(acme: Workplace) -> None:
    acme.run("run", "staff.xlsx")
    headings = "Staff number,Login,Forename,Last name,Email,Department,Password,Calling Code,Phone,Groups\n"
    acme.write("married.csv", headings + "guidance\nA10015,anovak,Ana,Novak,,,,,,\n")
    (change,) = acme.json("run", "married.csv").document["changes"]
    assert change["action"] == "update"
    assert change["fields"] == {
        "username": {"before": "asilva", "after": "anovak"},
        "surname": {"before": "Silva", "after": "Novak"},
    }


def test_acme_switches_the_portal_by_the_profile(acme: Workplace) -> None:
    done = acme.json("run", "staff.xlsx", "--profile", "rehearsal")
    assert done.status == 0
    assert done.document["job"]["counts"]["created"] == 12
    assert not (acme.folder / "acme.db").exists()
    assert acme.invites() == []
    # The rehearsal does not count as having invited anybody.
    assert acme.json("run", "staff.xlsx").document["job"]["invites"]["sent"] == 12


def test_the_demo_runs(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES, tmp_path / "examples", ignore=LEFTOVERS)
    demo = [sys.executable, str(tmp_path / "examples" / "demo.py")]
    done = subprocess.run(demo, capture_output=True, encoding="utf-8", check=True, timeout=120)
    assert "12 created" in done.stdout
    assert "12 unchanged" in done.stdout
    assert "12 messages" in done.stdout
