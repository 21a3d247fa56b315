"""A run whose numbers go wrong ends in one line, and leaves no such weights behind."""

from pathlib import Path

import pytest
import torch

from vae_cli.commands.train import main

BROKEN = [  # what breaks it, and what is said of it
    (["optimizer.lr=1e30"], ["step 1:", "train/"]),
    (["optimizer.lr=1e30", "trainer.log_every=1"], ["step 1:", "train/"]),
    (["optimizer.lr=1e30", "trainer.max_steps=1"], ["step 1:", "validation/"]),
    (["optimizer.lr=1e30", "likelihood=gaussian", "posterior=planar"], ["step 1:", "train/"]),
]


@pytest.mark.parametrize(("overrides", "said"), BROKEN)
def test_nan_stops_the_run(
    overrides: list[str],
    said: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VAE_CLI_RUN_FOLDER", raising=False)
    brief = ["trainer.max_steps=5", "hydra.run.dir=run", "logger=none", "figure=[]", "metric=[]"]
    assert main([*brief, "trainer.progress=false", *overrides]) == 2
    message = capsys.readouterr().err
    assert "Traceback" not in message and len(message.splitlines()) <= 2
    for part in [*said, "optimizer.lr"]:
        assert part in message
    for path in (tmp_path / "run" / "checkpoints").iterdir():
        state = torch.load(path, weights_only=True)["state_dict"]
        assert all(weight.isfinite().all() for weight in state.values())
    assert not (tmp_path / "run" / "results.json").exists()
