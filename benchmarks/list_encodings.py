"""How many lists of names come out right, by language, encoding and size.

    python benchmarks/list_encodings.py [LISTS]

For every language and every encoding that people there save lists in, so many lists (default 20) with 1, 10 and 100
names that are not ASCII are drawn at random and read. A list is right where every letter is, wrong where not, and
refused where the reader says that it cannot tell. Nothing may be wrong without a warning.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.languages import OTHER, WESTERN, WESTERN_ENCODINGS
from support.lists import Verdict, list_of, read_list

SIZES = (1, 10, 100)


def main() -> None:
    """Prints the table."""
    lists = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    languages = {name: (WESTERN_ENCODINGS, words) for name, words in WESTERN.items()} | OTHER
    totals: dict[int, Counter[Verdict]] = {size: Counter() for size in SIZES}
    print("right/wrong with a warning/refused/WRONG WITHOUT A WARNING")
    print(f"{'language':22} {'encoding':12}" + "".join(f"{size:>16}" for size in SIZES))
    with tempfile.TemporaryDirectory() as folder:
        for language, (encodings, words) in languages.items():
            for encoding in encodings:
                cells = []
                for size in SIZES:
                    draw = random.Random(f"{language} {encoding} {size}")  # noqa: S311 -- the same lists every time
                    found: Counter[Verdict] = Counter()
                    for _ in range(lists):
                        found[read_list(Path(folder), list_of(words.split(), encoding, size, draw), encoding)] += 1
                    totals[size] += found
                    cells.append("/".join(str(found[verdict]) for verdict in Verdict))
                print(f"{language:22} {encoding:12}" + "".join(f"{cell:>16}" for cell in cells), flush=True)
    print(f"{'together':35}" + "".join(f"{'/'.join(str(totals[size][v]) for v in Verdict):>16}" for size in SIZES))


if __name__ == "__main__":
    main()
