from pathlib import Path

import pytest
from landing_samples import land_numbers

from warehouse.catalogue import publish


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder without a warehouse."""
    return tmp_path / "warehouse"


@pytest.fixture
def empty(root: Path) -> Path:
    """A published warehouse in which nothing was landed."""
    publish(root)
    return root


@pytest.fixture
def small(root: Path) -> Path:
    """Three contracts from one run."""
    land_numbers(root, "r1", range(3))
    return root


@pytest.fixture(scope="session")
def held(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as `small`, for tests that only read."""
    root = tmp_path_factory.mktemp("held")
    land_numbers(root, "r1", range(3))
    return root


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as `empty`, for tests that only read."""
    return publish(tmp_path_factory.mktemp("bare")).parent
