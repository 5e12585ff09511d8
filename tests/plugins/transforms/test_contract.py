"""Every built-in transform keeps the published contract."""

from __future__ import annotations

from types import ModuleType
from typing import Any, ClassVar

from musterroll import Field, Transform
from musterroll.testing import TransformContract, build_transform, make_context
from musterroll_plugins.transforms import ascii, case, date, default, map, replace, split  # noqa: A004 -- modules

OWN = make_context(*(Field(name=name, heading=name.title()) for name in ("born", "department", "full")))


def built(module: ModuleType, name: str, **options: Any) -> Transform:
    return build_transform(module, name, OWN, **options)


class TestCase(TransformContract):
    row: ClassVar = {"forename": "ANA-MARIA", "surname": "McKay"}
    changes: ClassVar = {"forename": "Ana-Maria", "surname": "McKay"}

    def transform(self) -> Transform:
        return built(case, "case", fields=["forename", "surname"], to="title")


class TestAscii(TransformContract):
    row: ClassVar = {"surname": "Müller-Łuński"}
    changes: ClassVar = {"surname": "Mueller-Lunski"}

    def transform(self) -> Transform:
        return built(ascii, "ascii", fields=["surname"])


class TestReplace(TransformContract):
    row: ClassVar = {"phone": "077 123-456"}
    changes: ClassVar = {"phone": "077123456"}

    def transform(self) -> Transform:
        return built(replace, "replace", fields=["phone"], pattern="[ -]")


class TestSplit(TransformContract):
    row: ClassVar = {"full": "Silva, Ana"}
    changes: ClassVar = {"surname": "Silva", "forename": "Ana"}

    def transform(self) -> Transform:
        return built(split, "split", field="full", pattern="(?P<surname>[^,]+), *(?P<forename>.+)")


class TestMap(TransformContract):
    row: ClassVar = {"department": "10"}
    changes: ClassVar = {"department": "Sales"}

    def transform(self) -> Transform:
        return built(map, "map", field="department", values={"10": "Sales"})


class TestDate(TransformContract):
    row: ClassVar = {"born": "1.3.2010"}
    changes: ClassVar = {"born": "2010-03-01"}

    def transform(self) -> Transform:
        return built(date, "date", fields=["born"], forms=["DD.MM.YYYY"])


class TestDefault(TransformContract):
    row: ClassVar = {"username": "ana"}
    changes: ClassVar = {"email": "ana@acme.example"}

    def transform(self) -> Transform:
        return built(default, "default", field="email", value="{username}@acme.example")
