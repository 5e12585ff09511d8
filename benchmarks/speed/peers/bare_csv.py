"""Reads a csv file, and does nothing with it."""

from __future__ import annotations

import csv
import json
import sys

with open(sys.argv[1], newline="", encoding="utf-8") as file:  # noqa: PTH123 -- nothing that need not be loaded
    json.dump({"rows": sum(1 for _ in csv.reader(file)) - 2}, sys.stdout)
