"""Entry point."""


def main() -> None:
    """Runs."""
