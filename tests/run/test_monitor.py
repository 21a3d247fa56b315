"""The checkpoint that is tested is the best one by what was trained for, or by what was asked."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from vae_cli.commands.train import main

BRIEF = ("kl_schedule.weight=0.1", "trainer.max_epochs=4", "optimizer.lr=0.01", "logger=csv")


@pytest.mark.parametrize(
    ("choice", "monitored"), [("objective", "weighted_elbo"), ("elbo", "elbo")]
)
def test_best_is_by_what_is_monitored(
    choice: str, monitored: str, vae_train: Callable[..., Path]
) -> None:
    folder = vae_train(*BRIEF, f"trainer.monitor={choice}", "metric=[]", "figure=[]")
    results = json.loads((folder / "results.json").read_text())
    with (folder / "metrics.csv").open() as file:
        column = f"validation/{monitored}"
        found = [float(row[column]) for row in csv.DictReader(file) if row.get(column)]
    assert len(found) == 4
    assert results["monitor"] == column
    assert results[column] == pytest.approx(max(found), rel=1e-6)
    assert {"test/elbo", "test/weighted_elbo"} <= results.keys()


def test_what_has_no_bound_is_not_followed_by_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["model=autoencoder", "trainer.monitor=elbo"]) == 2
    line = "trainer.monitor=elbo: the objective has no bound, but a reconstruction"
    assert line in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
