"""What the pipeline file calls text, number or truth value is never taken for another of them, in any option."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Load

Mistakes = Callable[..., list[str]]

OWN = """
import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path
from typing import Annotated, Literal
from pydantic import BaseModel, BeforeValidator, model_validator
from musterroll import Options, SecretRef, ValidatorType, hookimpl

class Level(IntEnum):
    LOW = 1
    HIGH = 2

class Colour(Enum):
    RED = "red"

class Careless(BaseModel):
    number: int = 1

@dataclass
class Record:
    number: int = 1

def sized(value):
    return int(value.removesuffix("kB")) * 1000 if isinstance(value, str) and value.endswith("kB") else value

class Own(Options):
    number: int = 1
    share: float = 1.0
    on: bool = True
    text: str = ""
    maybe: int | None = None
    many: tuple[int, ...] = ()
    unique: frozenset[str] = frozenset()
    table: dict[str, int] = {}
    careless: Careless = Careless()
    record: Record = Record()
    list_of: list[Careless] = []
    path: Path = Path("x")
    colour: Colour = Colour.RED
    level: Level = Level.LOW
    one_of: Literal[1, 2] = 1
    either: int | bool = 1
    exact: Decimal = Decimal(1)
    wait: dt.timedelta = dt.timedelta(seconds=1)
    day: dt.date = dt.date(2026, 1, 1)
    size: Annotated[int, BeforeValidator(sized)] = 1
    token: SecretRef | None = None

    @model_validator(mode="before")
    @classmethod
    def looked_at(cls, data):
        return data

class Built:
    def __init__(self, options, context):
        self.options = options
    def check(self, row):
        return ()

@hookimpl
def musterroll_validators():
    yield ValidatorType(name="own", summary="", options=Own, build=Built)
"""


@pytest.fixture(autouse=True)
def own(folder: Path) -> None:
    (folder / "own.py").write_text(OWN, encoding="utf-8")


def using(option: str) -> str:
    return f'plugins = ["own.py"]\n[[validators]]\nname = "own"\nuse = "own"\noptions.{option}\n'


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ('number = "5"', "number: should be a whole number; write 5"),
        ("number = 1.0", "number: should be a whole number; write 1"),
        ("number = true", "number: should be a whole number"),
        ('number = "hush-hush"', "number: should be a whole number"),
        ('share = "0.5"', "share: should be a number"),
        ("share = true", "share: should be a number"),
        ('on = "no"', "on: should be true or false; write false"),
        ("on = 1", "on: should be true or false; write true"),
        ("text = 5", "text: should be text, in quotation marks"),
        ("text = true", "text: should be text, in quotation marks"),
        ('maybe = "5"', "maybe: should be a whole number; write 5"),
        ('many = ["1"]', "many[0]: should be a whole number; write 1"),
        ("many = 1", "many: should be a list, in square brackets"),
        ("unique = [1]", "unique[0]: should be text, in quotation marks"),
        ('table = { a = "1" }', "table.a: should be a whole number; write 1"),
        ('careless = { number = "1" }', "careless.number: should be a whole number; write 1"),
        ('record = { number = "1" }', "record.number: should be a whole number; write 1"),
        ('list_of = [{ number = "1" }]', "list_of[0].number: should be a whole number; write 1"),
        ("path = 5", "path: should be a path, as text"),
        ("colour = 1", 'colour: must be "red"'),
        ('level = "1"', "level: must be 1 or 2"),
        ("level = true", "level: must be 1 or 2"),
        ("one_of = true", "one_of: must be 1 or 2"),
        ("one_of = 1.0", "one_of: must be 1 or 2"),
        ('either = "1"', "either: should be a whole number; write 1, or true or false; write true"),
        ("wait = true", "wait: is not a valid time"),
        ("day = 20260101", "day: is not a valid date"),
        ("size = 1.5", "size: should be a whole number"),
        ('size = "5"', "size: should be a whole number; write 5"),
        ("token = 5", 'token: write { env = "NAME" }, { file = "PATH" } or { command = ["PROGRAM", …] }'),
    ],
)
def test_options_of_any_plugin_are_strict(mistakes: Mistakes, option: str, said: str) -> None:
    assert mistakes(head='name = "acme"\n', text=using(option)) == [f"acme.toml: validators[own].options.{said}"]


def test_what_toml_has_no_words_for_is_made_of_text_and_lists(load: Load) -> None:
    options = """
    options.share = 1
    options.many = [1, 2]
    options.unique = ["a", "b"]
    options.path = "y"
    options.colour = "red"
    options.level = 2
    options.exact = "1.5"
    options.wait = "PT5S"
    options.day = 2026-02-03
    options.size = "5kB"
    options.either = false
    options.careless = { number = 2 }
    options.token = { env = "TOKEN" }
    """.replace("    ", "")
    pipeline = load(head='name = "acme"\n', text=using("number = 7") + options)
    own = pipeline.validators[-1].options
    assert (own.number, own.share, own.many, own.unique) == (7, 1.0, (1, 2), {"a", "b"})  # type: ignore[attr-defined]
    assert (own.level, own.size, own.wait.seconds, own.either) == (2, 5000, 5, False)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ('confirm = "no"', "confirm: should be true or false; write false"),
        ("confirm = 0", "confirm: should be true or false; write false"),
        ('sheet.first_row = "5"', "sheet.first_row: should be a whole number; write 5"),
        ("sheet.first_row = 5.0", "sheet.first_row: should be a whole number; write 5"),
        ("invites.valid_days = true", "invites.valid_days: should be a whole number"),
        ("limits.create = 5.0", "limits.create: should be a whole number, or a percentage as text"),
        ("limits.create = true", "limits.create: should be a whole number, or a percentage as text"),
        ("sheet.worksheet = 5", "sheet.worksheet: should be text, in quotation marks"),
        ('notifiers = [{ name = "outbox", enabled = "false" }]', "notifiers[outbox].enabled: should be true or false"),
        (
            'sheet.fields = [{ name = "surname", required = "false", max_length = "5" }]',
            "sheet.fields[surname].required: should be true or false; write false",
        ),
    ],
)
def test_settings_are_strict(mistakes: Mistakes, setting: str, said: str) -> None:
    assert mistakes(setting)[0].startswith(f"acme.toml: {said}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("notifiers.outbox.enabled=no", "notifiers[outbox].enabled: should be true or false; write false"),
        ("confirm=True", "confirm: should be true or false; write true"),
        ("sheet.first_row=five", "sheet.first_row: should be a whole number"),
        ("match=email", "match: should be a list, in square brackets"),
        ("validators.own.options.on=off", "validators[own].options.on: should be true or false; write false"),
        ("validators.own.options.number='5'", "validators[own].options.number: should be a whole number; write 5"),
        ("validators.own.options.many=1", "validators[own].options.many: should be a list, in square brackets"),
    ],
)
def test_a_text_of_set_is_held_to_the_type_of_its_key(mistakes: Mistakes, text: str, said: str) -> None:
    found = mistakes(head='name = "acme"\n', text=using("number = 7"), sets=[text])
    assert found == [f"--set: {said}"]


def test_a_key_of_text_takes_the_characters_of_set_as_they_are(load: Load) -> None:
    sets = [
        "name=007",
        "sheet.worksheet=true",
        "sheet.defaults.calling_code=44",
        "limits.update=20%",
        "limits.create=5",
        "sheet.first_row=7",
        "validators.own.options.text=[1]",
        'validators.own.options.unique=["a"]',
        "validators.own.options.token=12345",
        "validators.own.options.path=2026-01-01",
        "validators.own.options.colour=red",
        "validators.own.options.wait=PT9S",
    ]
    pipeline = load(head='name = "acme"\n', text=using("number = 7"), sets=sets)
    settings, own = pipeline.settings, pipeline.validators[-1].options
    assert (settings.name, settings.sheet.worksheet, settings.sheet.first_row) == ("007", "true", 7)
    assert (settings.limits.update, settings.limits.create) == ("20%", 5)
    assert settings.sheet.defaults == {"calling_code": "44"}
    assert (own.text, own.unique, own.path.name) == ("[1]", {"a"}, "2026-01-01")  # type: ignore[attr-defined]
    assert own.token.resolve().reveal() == "12345"  # type: ignore[attr-defined]


def test_the_plugin_itself_may_be_chosen_by_set(load: Load) -> None:
    sets = ['plugins=["own.py"]', "validators.late.use=own", "validators.late.options.text=1.0"]
    pipeline = load(sets=sets)
    assert pipeline.validators[-1].options.text == "1.0"  # type: ignore[attr-defined]
