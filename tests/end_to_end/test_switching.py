"""One sheet through a directory, the mock portal on a bad day, and a real SCIM server: the same users and groups."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from musterroll import UserKey
from musterroll.pipeline.loader import load_pipeline
from support.mock_portal import mock_portal
from support.scim_servers import Server
from support.workplace import Inside, Workplace

LIGHTHOUSE = Path(__file__).parents[2] / "examples" / "lighthouse"
FAULTS = ("--fault", "429:0.1", "--fault", "reset-after-commit:0.05", "--ignore-filters", "--duplicate-status", "500")


@pytest.fixture
def lighthouse(scratch: Inside) -> Inside:
    shutil.copytree(LIGHTHOUSE, scratch.folder / "lighthouse")
    return scratch.at("lighthouse")


@pytest.fixture
def real_portal() -> Iterator[str]:
    server = Server()
    yield server.portal("lighthouse").url
    server.stop()


def contents(place: Workplace, profile: str, *sets: str) -> tuple[dict[str, Any], set[str]]:
    """Users by username, and the paths of all groups, read through the backend itself."""
    backend = load_pipeline(place.folder / "musterroll.toml", profile=profile, sets=sets).build_backend(read_only=True)
    try:
        paths = {group.ref: "|".join(group.path) for group in backend.groups()}
        with (place.folder / "staff.csv").open(encoding="utf-8") as file:
            names = [row["Username"] for row in csv.DictReader(file)][1:]
        found = backend.lookup([UserKey.of("username", name) for name in names])
        users = {
            user.username: (
                {name: text for name, text in user.fields.items() if text},
                user.active,
                {paths[ref] for ref in user.groups},
            )
            for matches in found.values()
            for user in matches
        }
    finally:
        backend.close()
    return users, set(paths.values())


@pytest.mark.slow
def test_switching_the_portal_changes_nothing_else(
    lighthouse: Workplace, real_portal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIGHTHOUSE_STAGING_TOKEN", "rehearsal")
    monkeypatch.setenv("LIGHTHOUSE_TOKEN", "unused")
    environment = {"MUSTERROLL_PORTAL_TOKEN": "rehearsal"}
    staging = mock_portal(lighthouse.folder / "staging.db", "--seed", "5", "--passwords", "none", *FAULTS,
                          environment=environment)  # fmt: skip
    with staging as portal:
        profiles = {
            "mock": (),
            "staging": (f"backend.options.url={portal.url}",),
            "production": (f"backend.options.url={real_portal}",),
        }
        changes, seen = [], []
        for profile, sets in profiles.items():
            flags = [word for text in sets for word in ("--set", text)]
            first = lighthouse.json("run", "staff.csv", "--profile", profile, "--yes", *flags)
            assert first.status == 0, first.out
            assert first.document["job"]["counts"]["created"] == 5
            changes.append((first.document["changes"], first.document["groups_to_create"]))
            again = lighthouse.json("run", "staff.csv", "--profile", profile, "--yes", *flags)
            assert again.document["job"]["counts"]["unchanged"] == 5
            assert again.document["job"]["invites"]["sent"] == 0
            seen.append(contents(lighthouse, profile, *sets))
    assert changes[0] == changes[1] == changes[2]
    assert seen[0] == seen[1] == seen[2]
    users, groups = seen[0]
    assert users["jon"][2] == {"Region|North|Islands", "Keepers"}
    assert users["straße"][0]["department"] == "Finance"
    assert groups == {
        "Region", "Region|North", "Region|North|Islands", "Region|South", "Keepers", "Sales ; Marketing"
    }  # fmt: skip
    # Each portal has a ledger of its own: a rehearsal does not count as having invited anybody.
    assert len(lighthouse.invites()) == 3 * 4


def test_production_wants_an_agreement(lighthouse: Workplace, real_portal: str) -> None:
    url = f"backend.options.url={real_portal}"
    refused = lighthouse.run("run", "staff.csv", "--profile", "production", "--set", url, LIGHTHOUSE_TOKEN="unused")
    assert refused.status == 3
    assert "--yes" in refused.err
