"""What all tests have in common."""

from __future__ import annotations

import gc
import os
import tomllib
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

from support.evidence import count_test
from support.pipelines import Work
from support.workplace import Inside

gc.set_threshold(200_000, 20, 20)  # as the program itself does: musterroll_cli/start.py

# Whoever runs the tests may have another language; programs that they start have this one, too.
os.environ["LANGUAGE"] = "en"

# So many examples make a run of all tests quick; HYPOTHESIS_PROFILE=thorough looks longer.
settings.register_profile("quick", max_examples=30, deadline=None)
settings.register_profile("thorough", max_examples=400, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


def pytest_collection_finish() -> None:
    """Modules and tests stay to the end: looking them through for garbage again and again took a tenth of the time."""
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Notes what was tested against a real counterpart."""
    report = yield
    count_test(item, report)
    return report


@pytest.fixture(autouse=True)
def no_terminal_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Output that is captured is as wide as it likes; readline, which test runners load, would say 80 columns."""
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.delenv("LINES", raising=False)


@pytest.fixture
def work(tmp_path: Path) -> Work:
    """A working folder of its own."""
    return Work(tmp_path)


@pytest.fixture
def scratch(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Inside:
    """A scratch folder with nothing in it; commands run in this very process, which is much quicker."""
    return Inside(tmp_path, capsys, monkeypatch)


@pytest.fixture
def inside(scratch: Inside) -> Inside:
    """A scratch folder with a pipeline."""
    scratch.pipeline()
    return scratch


@pytest.fixture
def lakeside_is_installed(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `pip install ./portal` does for that example, by what its pyproject.toml says."""
    portal = Path(__file__).parents[1] / "examples" / "lakeside" / "portal"
    project = tomllib.loads((portal / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    site = tmp_path_factory.mktemp("site")
    info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    points = "".join(f"{name} = {module}\n" for name, module in project["entry-points"]["musterroll"].items())
    (info / "entry_points.txt").write_text(f"[musterroll]\n{points}")
    monkeypatch.syspath_prepend(site)
    monkeypatch.syspath_prepend(portal / "src")
