"""Commands of plugins whose options are a model, as those of all other plugins."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field, model_validator

from musterroll import CommandType, Options, SecretRef
from musterroll.registry.registry import Registry
from musterroll_cli.main import main


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class PaintOptions(Options):
    """What can be painted."""

    wall: Path = Field(title="WALL", description="Which wall.")
    layers: int = Field(1, ge=1, description="How many.")
    colour: Colour = Colour.RED
    finish: Literal["matt", "gloss"] = "matt"
    spots: tuple[Annotated[str, Field(min_length=2)], ...] = Field((), title="SPOT", description="Where to begin.")
    dry_run: bool = Field(False, description="Paint nothing.")
    primer: bool = Field(True, description="Prime it first.")
    key: SecretRef | None = None
    height: float | None = None

    @model_validator(mode="after")
    def _affordable(self) -> PaintOptions:
        if self.layers > 5 and self.colour is Colour.BLUE:
            raise ValueError("blue is too dear for more than 5 layers")
        return self


@pytest.fixture
def painted(monkeypatch: pytest.MonkeyPatch) -> list[PaintOptions]:
    """Makes `musterroll paint` a command; here is what it was called with."""
    done: list[PaintOptions] = []

    def paint(options: PaintOptions) -> int:
        done.append(options)
        return 3

    def load() -> Callable[[PaintOptions], int]:
        return paint

    record = CommandType(
        name="paint",
        summary="Paints a wall.",
        help="All of it.",
        load=load,
        options=PaintOptions,
        arguments=("wall",),
        example="musterroll paint north --layers 2",
    )
    monkeypatch.setattr(Registry, "find", lambda self, kind, use: record)
    return done


def test_what_is_not_given_is_as_the_model_says(painted: list[PaintOptions]) -> None:
    assert main(["paint", "north"]) == 3
    assert painted == [PaintOptions(wall=Path("north"))]


def test_every_kind_of_option_arrives_checked(painted: list[PaintOptions]) -> None:
    words = "paint north --layers 2 --colour blue --finish gloss --spots here --spots there --dry-run --no-primer"
    assert main([*words.split(), "--key", "canary", "--height=-1.5"]) == 3
    (options,) = painted
    assert options.key is not None
    assert options.key.resolve().reveal() == "canary"
    expected = {
        "wall": Path("north"),
        "layers": 2,
        "colour": Colour.BLUE,
        "finish": "gloss",
        "spots": ("here", "there"),
        "dry_run": True,
        "primer": False,
        "height": -1.5,
    }
    assert options.model_dump(exclude={"key"}) == expected


def test_all_mistakes_are_told_at_once_without_what_was_typed(
    painted: list[PaintOptions], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["paint", "north", "--layers", "canary", "--colour", "gren", "--spots", "a", "--finish", "glos"]) == 2
    assert painted == []
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "error: --layers: should be a whole number",
        'error: --colour: must be "red" or "blue"',
        'error: --finish: must be "matt" or "gloss", did you mean "gloss"?',
        "error: --spots: must have at least 2 characters",
    ]
    assert main(["paint", "north", "--layers", "6", "--colour", "blue"]) == 2
    assert capsys.readouterr().err == "error: blue is too dear for more than 5 layers\n"
    assert main(["paint"]) == 2
    assert "WALL" in capsys.readouterr().err


def test_the_help_is_made_of_the_model(painted: list[PaintOptions], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["paint", "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "Paints a wall. All of it." in text
    assert "--layers N How many. [default: 1]" in text
    assert "--colour red|blue [default: red]" in text
    assert "--finish matt|gloss [default: matt]" in text
    assert "--spots SPOT Where to begin." in text
    assert "--dry-run Paint nothing." in text
    assert "--primer / --no-primer Prime it first." in text
    assert "WALL" in text
    assert text.endswith("Example: musterroll paint north --layers 2")
    assert painted == []
