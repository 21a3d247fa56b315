"""Presets whose data can't be fetched here, on a file of the published form."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.io import savemat


def test_frey_faces(vae_train: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "data" / "frey_faces").mkdir(parents=True)
    faces = np.random.default_rng(0).integers(0, 256, (560, 1965), np.uint8)
    savemat(tmp_path / "data" / "frey_faces" / "frey_rawface.mat", {"ff": faces})
    folder = vae_train(
        "experiment=kingma2014_frey_faces", f"data.root={tmp_path / 'data'}",
        "trainer.max_steps=15", "trainer.validate_every=1", "figure=[manifold]",
    )  # fmt: skip
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    # 560-200-(2 + 2) and 2-200-(560 + 560)
    assert results["parameters"] == 561 * 200 + 201 * 4 + 3 * 200 + 201 * 1120
    assert results["train/epochs"] == 1
    assert [picture.name for picture in (folder / "figures").iterdir()] == ["manifold.png"]
