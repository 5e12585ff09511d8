"""`make demo`: runs the main job of the example customer in a scratch folder, and shows what happened."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
FOLDER = HERE.parent / "demo"


def musterroll(*arguments: str) -> None:
    """Runs the command as a person would."""
    print(f"\n$ musterroll {' '.join(arguments)}", flush=True)
    subprocess.run([sys.executable, "-m", "musterroll_cli", *arguments], cwd=FOLDER, check=False)  # noqa: S603 -- our own


def main() -> None:
    """Validates, plans, runs, and runs again."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    leftovers = shutil.ignore_patterns(".musterroll", "*.db", "outbox", "__pycache__")
    shutil.copytree(HERE / "acme", FOLDER, ignore=leftovers)
    musterroll("validate", "staff-mistakes.csv")
    musterroll("run", "staff.xlsx", "--yes")
    musterroll("run", "staff.xlsx", "--yes")
    print("\nUsers in demo/acme.db:")
    with sqlite3.connect(FOLDER / "acme.db") as directory:
        for username, groups in directory.execute(
            "SELECT u.username, group_concat(g.path, '; ') FROM users AS u "
            "LEFT JOIN user_groups AS g ON g.username = u.username GROUP BY u.username"
        ):
            print(f"  {username:<10} {groups or ''}")
    invites = sorted(path.name for path in (FOLDER / "outbox").glob("*.eml"))
    print(f"\nInvites in demo/outbox: {len(invites)} messages. Look around in the folder demo.")


if __name__ == "__main__":
    main()
