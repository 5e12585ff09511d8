"""Digests of a sheet are kept many together, and told one by one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musterroll.errors import StateError
from musterroll.journal.journal import Journal
from musterroll.journal.sheet_parts import DIGEST, SheetPart, add_sheet_part, rows_of_one_user, sheet_digests

_HALF = DIGEST // 2
# Few of them, and some that begin alike: as digests never do by accident.
_digests = st.builds(lambda one, other: one * _HALF + other * _HALF, *[st.sampled_from([b"a", b"b", b"c"])] * 2)
_sheets = st.lists(st.lists(st.tuples(_digests, _digests), max_size=5), max_size=4)


@given(_sheets)
def test_they_are_told_by_whose_they_are(sheet: Sequence[Sequence[tuple[bytes, bytes]]]) -> None:
    least, rows = dict[bytes, bytes](), defaultdict[bytes, list[int]](list)
    with closing(Journal.temporary()) as journal:
        number = 1
        for part in sheet:
            numbers = range(number, number + 2 * len(part), 2)  # blank rows are left out
            sides = [b"".join(one[side] for one in part) for side in (0, 1)]
            add_sheet_part(journal, "j", SheetPart(numbers, sides[0], sides[1]))
            for row, (who, digest) in zip(numbers, part, strict=True):
                least[who] = min(digest, least.get(who, digest))
                rows[who].append(row)
            number += 2 * len(part) + 1
        add_sheet_part(journal, "other", SheetPart([1, 2], b"a" * 2 * DIGEST, b"a" * 2 * DIGEST))
        assert list(sheet_digests(journal, "j")) == sorted(least.items())
        assert list(rows_of_one_user(journal, "j")) == [several for several in rows.values() if len(several) > 1]


@pytest.mark.parametrize(
    ("rows", "who"),
    [("[1,2]", b"a" * DIGEST), ("[1]", "a" * DIGEST), ("nothing", b"a" * DIGEST), ("[1]", b"a" * (DIGEST - 1))],
)
def test_what_makes_no_sense_is_a_damaged_journal(rows: str, who: object) -> None:
    with closing(Journal.temporary()) as journal:
        journal.execute(
            "INSERT INTO sheet_part (job, rows, who, digest) VALUES ('j', ?, ?, ?)", (rows, who, b"a" * DIGEST)
        )
        with pytest.raises(StateError, match="damaged"):
            list(sheet_digests(journal, "j"))
