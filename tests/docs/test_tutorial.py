"""Every command of the tutorial is run, and comes to what the page says.

What the reader does between the commands stands in comments of the page:

    <!-- add to FILE -->             the block that follows is added to the file
    <!-- in FILE: OLD → NEW -->      a text of the file is replaced
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from support.workplace import Inside

PAGE = Path(__file__).parents[2] / "docs" / "tutorial.md"

_STEP = re.compile(
    r"<!-- add to (?P<grows>\S+) -->\n```\n(?P<rows>.*?)^```$"
    r"|<!-- in (?P<file>\S+): (?P<old>.+?) → (?P<new>.+?) -->"
    r"|^```\n(?P<session>\$ .*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_COMMAND = re.compile(r"^\$ musterroll (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
_QUESTION = re.compile(r"^About to .*?\nyes\n", re.MULTILINE | re.DOTALL)  # on a terminal only
_ID = re.compile(r"\d{8}-\d{6}-\w{4}")
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d")
_PATH = re.compile(r"\S*[/\\](?=staff\.)")


class Reader:
    """Somebody who does what the page says.

    Attributes:
        ids: the ids of the page and those of the jobs that they stand for.
    """

    def __init__(self, place: Inside) -> None:
        self.place = place
        self.ids: dict[str, str] = {}

    def does(self, step: re.Match[str]) -> None:
        if step["session"]:
            for words, shown in _COMMAND.findall(step["session"]):
                self.runs(words, _QUESTION.sub("", shown))
            return
        path = self.place.folder / (step["grows"] or step["file"])
        text = path.read_text(encoding="utf-8")
        if step["grows"]:
            text += step["rows"]
        else:
            assert step["old"] in text, step[0]
            text = text.replace(step["old"], step["new"])
        path.write_text(text, encoding="utf-8")

    def runs(self, words: str, shown: str) -> None:
        for page, real in self.ids.items():
            words = words.replace(page, real).replace(page[-4:], real[-4:])
        printed = self.place.run(*words.split()).out
        assert alike(printed) == alike(shown), words
        self.ids |= zip(_ID.findall(shown), _ID.findall(printed), strict=True)
        if words.startswith("init "):
            self.place = self.place.at(words.split()[1])


def alike(text: str) -> list[list[str]]:
    """The words of each line, without what differs from day to day."""
    for pattern, word in ((_ID, "ID"), (_TIME, "TIME"), (_PATH, "")):
        text = pattern.sub(word, text)
    return [line.split() for line in text.splitlines() if line.strip()]


def steps() -> Iterator[re.Match[str]]:
    return _STEP.finditer(PAGE.read_text(encoding="utf-8"))


def test_the_tutorial_says_what_happens(scratch: Inside) -> None:
    reader = Reader(scratch)
    for step in steps():
        reader.does(step)


def test_nothing_of_the_tutorial_is_left_out() -> None:
    """What looks like a command, or like a comment for the test, is one."""
    text = PAGE.read_text(encoding="utf-8")
    found = [step for step in steps() if step["session"]]
    assert text.count("\n$ musterroll ") == sum(step[0].count("\n$ musterroll ") for step in found)
    assert text.count("<!-- ") == sum(1 for step in steps() if not step["session"])


def test_the_first_run_of_the_readme_works_as_it_is_written(scratch: Inside) -> None:
    readme = (PAGE.parents[1] / "README.md").read_text(encoding="utf-8")
    block = re.search(r"^## A first run$.*?^```\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    assert block
    place = scratch
    for line in block[1].splitlines():
        words = re.split(r" {2,}", line)[0].split()
        if words[0] == "cd":
            place = place.at(words[1])
        else:
            assert words[0] == "musterroll"
            assert place.run(*words[1:]).status == 0, line
    assert place.users()
