"""What is made at night so that nobody waits in the morning: answers to what everybody asks, and the index of words."""

from pathlib import Path

from warehouse.answers import work_out
from warehouse.words import index_words


def work_ahead(root: Path) -> None:
    """Make what the current state lacks of both. Raises WarehouseError when another run holds the lock."""
    work_out(root)
    index_words(root)
