"""What a sheet's first rows tell of the others: nearly all cells of a column have one of a few start tags."""

from __future__ import annotations

from collections.abc import Sequence, Set

from musterroll_plugins.readers.package.skimming import Found, NotPlainError

_MOST_TAGS = 4  # in a column; each takes time in every cell
_MOST_LESSONS = 20  # from which something new was learnt; each makes another pattern, which takes time as well


class KnownTags:
    """What stands in the start tags of the cells of each column.

    Attributes:
        is_enough: whether rows are looked for in which there is nothing else.
    """

    def __init__(self) -> None:
        self.is_enough = False
        self._tags: dict[int, tuple[str, ...] | None] = {}
        self._lessons = 0

    def of(self, width: int) -> list[tuple[str, ...] | None]:
        """The tags of each column that is expected; None where they may be any."""
        return [self._tags.get(column) if self.is_enough else None for column in range(width)]

    def learn(self, tags: Sequence[Set[str] | None], *, is_whole: bool) -> None:
        """Hears of what stands in the start tags of each column.

        Args:
            tags: None where they may be any.
            is_whole: whether all rows were plain.
        """
        if self.is_enough or self._lessons == _MOST_LESSONS:
            return
        before = self._tags.copy()
        for column, more in enumerate(tags):
            known = self._tags.get(column, ())
            if known is not None:
                together = None if more is None else tuple(sorted({*known, *more}))
                self._tags[column] = None if together is None or len(together) > _MOST_TAGS else together
        has_learnt = self._tags != before
        self._lessons += has_learnt
        self.is_enough = is_whole or has_learnt

    def refuse_others(self, found: Found, stride: int) -> None:
        """Looks for any tags from now on, if those that are known were not enough to find all rows.

        Raises:
            NotPlainError: they were not.
        """
        if self.is_enough and has_gaps(found, stride):
            self.is_enough = False
            raise NotPlainError


def has_gaps(found: Found, stride: int) -> bool:
    """Whether there is more than plain rows."""
    return bool("".join(found[::stride]).strip())


def is_open(tag: str) -> bool:
    """Whether a start tag does not end its element as well."""
    return not tag.endswith("/")
