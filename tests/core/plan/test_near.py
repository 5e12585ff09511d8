from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musterroll.plan.near_names import NearPaths, is_slip

_NAMES = st.text(st.sampled_from("ab1 n"), min_size=1, max_size=8) | st.sampled_from(
    ["north", "nroth", "nort", "norths", "team 1", "team 2", "team a", "taem 1", "sales uk", "sales ua", "level ii"]
)
_PATHS = st.lists(_NAMES, min_size=1, max_size=3).map(tuple)


@given(st.lists(_PATHS, unique=True, max_size=30), _PATHS)
def test_the_index_finds_what_comparing_with_each_finds(paths: list[tuple[str, ...]], path: tuple[str, ...]) -> None:
    near = NearPaths(paths)
    first = next((number for number, other in enumerate(paths) if is_slip(path, other)), None)
    assert near.find(path) == first
    slips = {n for n, one in enumerate(paths) for other in paths if is_slip(one, other)}
    assert slips <= near.alike()


def edits(text: str) -> set[str]:
    """What one slip makes of a text, told otherwise than the code does."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    splits = [(text[:i], text[i:]) for i in range(len(text) + 1)]
    return (
        {a + b[1:] for a, b in splits if b}
        | {a + b[1] + b[0] + b[2:] for a, b in splits if len(b) > 1}
        | {a + c + b[1:] for a, b in splits if b for c in letters}
        | {a + c + b for a, b in splits for c in letters}
    ) - {text}


@pytest.mark.parametrize("name", ["marketing", "north", "human resources"])
def test_every_single_slip_is_near_both_ways(name: str) -> None:
    near = NearPaths([("region", name)])
    for other in edits(name):
        if is_slip((name,), (other,)):
            assert near.find(("region", other)) == 0
            assert is_slip((other,), (name,))
    assert sum(is_slip((name,), (other,)) for other in edits(name)) > 0.95 * len(edits(name))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("team 1", "team 2"),
        ("team a", "team b"),
        ("sales uk", "sales ua"),
        ("level ii", "level iii"),
        ("class 7ab", "class 7ac"),
        ("nord", "nort"),
        ("north", "south"),
        ("north", "north"),
    ],
)
def test_series_and_other_names_are_not_near(one: str, other: str) -> None:
    assert not is_slip((one,), (other,))
    assert NearPaths([(one,)]).find((other,)) is None


def test_a_slip_is_in_one_level() -> None:
    near = NearPaths([("region", "north"), ("region north",)])
    assert near.find(("regoin", "north")) == 0
    assert near.find(("regoin", "nroth")) is None
    assert near.find(("regionnorth",)) == 1
    assert NearPaths([("ab", "north")]).find(("a", "bnorth")) is None


@pytest.mark.slow
def test_it_grows_with_the_groups_and_not_with_their_square() -> None:
    def seconds(count: int) -> float:
        chance = random.Random(count)
        names = [("".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=10)),) for _ in range(2 * count)]
        began = time.process_time()
        near = NearPaths(names[:count])
        for name in names[count:]:
            near.find(name)
        return time.process_time() - began

    assert seconds(40_000) < 20 * seconds(4_000)


def test_names_that_share_all_but_one_character_do_not_take_for_ever() -> None:
    names = [(f"north{chr(0x4E00 + number)}",) for number in range(20_000)]
    near = NearPaths(names)
    began = time.process_time()
    for name in names[:2_000]:
        near.find(name)
    assert time.process_time() - began < 5
