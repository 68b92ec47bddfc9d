"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
SHARED_DATA = "S2C_SHARED_DATA"

# The same examples in every run: a failure in CI is a failure on the desk.
hypothesis.settings.register_profile(
    "squeeze2c", deadline=None, derandomize=True, max_examples=60, database=None
)
hypothesis.settings.load_profile("squeeze2c")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever uses the fixture ``shared_data`` carries the marker of that name."""
    for item in items:
        if "shared_data" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.shared_data)


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The root of the source tree."""
    return CHECKOUT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of data that is measured with but not shipped; skips where it is absent."""
    named = os.environ.get(SHARED_DATA)
    folder = Path(named) if named else CHECKOUT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no measuring data at {folder}; {SHARED_DATA} may name the folder")
    return folder


@pytest.fixture(scope="session")
def build_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for compiled artefacts that the whole session shares."""
    return tmp_path_factory.mktemp("build")
