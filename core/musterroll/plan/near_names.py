"""Finds groups whose names differ by one slip of the pen, among hundreds of thousands."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import pairwise

from musterroll.contract.late_patterns import late_pattern
from musterroll.contract.text import is_one_slip
from musterroll.contract.users import GroupPath

_WORD = late_pattern(r"\d+|[^\W\d]+")
_SHORTEST_WORD = 4  # a letter more or less in a shorter one makes another one: UK and UA, II and III
_SHORTEST_NAME = 5  # in which one letter can stand for another
_LONGEST = 500  # characters of all levels together; nobody types longer ones by hand
_MOST = 100  # so many names with all but one character in common are looked at
_BETWEEN, _ANY = "\x1f", "\0"
_SHARES = 64
_INDEX_BITS, _HASH_BITS = 24, 40
_INDEX, _HASH = (1 << _INDEX_BITS) - 1, (1 << _HASH_BITS) - 1


class NearPaths:
    """Many groups, to find those that are one slip of the pen away from another.

    For every character of every name there is an entry of eight bytes: a hash of the name without that character.
    So memory and time grow with what is written, and not with the square of the groups.

    Args:
        paths: folded, each once.
    """

    def __init__(self, paths: Iterable[GroupPath]) -> None:
        self._paths = list(paths)
        self._texts = {_BETWEEN.join(path): index for index, path in enumerate(self._paths)}
        shares = [array("Q") for _ in range(_SHARES)]
        for text, index in self._texts.items():
            for place in _places(text):
                share, key = _hashed(text[:place] + _ANY + text[place + 1 :])
                shares[share].append(key | index)
        self._shares = [array("Q", sorted(share)) for share in shares]

    def find(self, path: GroupPath) -> int | None:
        """Returns the number of the first group that is one slip away from this folded one; None where none is."""
        found = (index for index in self._candidates(_BETWEEN.join(path)) if is_slip(path, self._paths[index]))
        return min(found, default=None)

    def alike(self) -> set[int]:
        """Returns the numbers of all groups that may be near another one of them: most are not, and need no `find`."""
        found = set[int]()
        for share in self._shares:
            for key, following in pairwise(share):
                if key >> _INDEX_BITS == following >> _INDEX_BITS:
                    found.update((key & _INDEX, following & _INDEX))
        for text, index in self._texts.items():
            for other in self._shorter_or_swapped(text):
                if other != index:
                    found.update((index, other))
        return found

    def __getitem__(self, index: int) -> GroupPath:
        return self._paths[index]

    def _candidates(self, text: str) -> Iterator[int]:
        if len(text) > _LONGEST:
            return
        yield from self._shorter_or_swapped(text)
        another = [text[:place] + _ANY + text[place + 1 :] for place in _places(text)]
        longer = [text[:place] + _ANY + text[place:] for place in range(len(text) + 1)]
        yield from self._matching(another + longer)

    def _shorter_or_swapped(self, text: str) -> Iterator[int]:
        texts = self._texts
        for place, character in enumerate(text if len(text) <= _LONGEST else ""):
            if character == _BETWEEN:
                continue
            before, after = text[:place], text[place + 1 :]
            if (shorter := before + after) in texts:
                yield texts[shorter]
            if (swapped := before + after[:1] + character + after[1:]) in texts:
                yield texts[swapped]

    def _matching(self, patterns: Iterable[str]) -> Iterator[int]:
        shares = self._shares
        for pattern in patterns:
            share, key = _hashed(pattern)
            keys = shares[share]
            place = bisect_left(keys, key)
            if place == len(keys) or keys[place] >> _INDEX_BITS != key >> _INDEX_BITS:
                continue
            for found in keys[place : place + _MOST]:
                if found >> _INDEX_BITS != key >> _INDEX_BITS:
                    break
                yield found & _INDEX


def _places(text: str) -> Iterator[int]:
    if len(text) <= _LONGEST:
        yield from (place for place, character in enumerate(text) if character != _BETWEEN)


def _hashed(pattern: str) -> tuple[int, int]:
    number = hash(pattern)
    return (number >> _HASH_BITS) % _SHARES, (number & _HASH) << _INDEX_BITS


def is_slip(one: GroupPath, other: GroupPath) -> bool:
    """Whether two folded groups differ in one level only, and there by one slip of the pen.

    That is a letter more or less, another letter, or two neighbours in the wrong order. Names that differ in numbers
    or in short words only, as Team 1 and Team 2 do, are a series.
    """
    if len(one) != len(other):
        return False
    pairs = [(level, another) for level, another in zip(one, other, strict=True) if level != another]
    if len(pairs) != 1:
        return False
    name, another = pairs[0]
    is_long = len(name) != len(another) or len(name) >= _SHORTEST_NAME
    return is_long and is_one_slip(name, another) and _stem(name) != _stem(another)


def _stem(name: str) -> list[str]:
    return [word for word in _WORD.findall(name) if len(word) >= _SHORTEST_WORD and not word.isdigit()]
