"""How whole numbers and truth values are spelt in fields, for portals that keep them as such."""

from __future__ import annotations

import re

TRUTHS = {"true": True, "false": False}
INTEGER = re.compile(r"-?[0-9]{1,18}")
