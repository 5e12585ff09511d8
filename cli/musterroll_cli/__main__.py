"""`python -m musterroll_cli`."""

from __future__ import annotations

import sys

from musterroll_cli.start import main

if __name__ == "__main__":
    sys.exit(main())
