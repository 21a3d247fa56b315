import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with the real MNIST, Fashion-MNIST and static binarised MNIST; not to write in."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("VAE_CLI_DATA") or beside)
    if not (folder / "MNIST").is_dir():
        pytest.skip(f"no real datasets in {folder}; say where they are with VAE_CLI_DATA")
    return folder
