"""What TensorBoard's HPARAMS tab tells runs apart by."""

import json
from pathlib import Path

import pytest

from vae_cli.run.board import varied
from vae_cli.run.folder import RunFolder

CHOSEN = ["posterior=planar", "optimizer.lr=1e-2", "seed=1", "objective.closed_form_kl=false"]
WITHOUT_EFFECT = ["hydra.run.dir=x", "figure=[]", "trainer.progress=false", "run_id=a"]


@pytest.mark.parametrize(
    ("jobs", "expected"),
    [
        (None, {"posterior": "planar", "optimizer.lr": 0.01, "seed": 1,
                "objective.closed_form_kl": False}),
        ({"a": CHOSEN, "b": [*CHOSEN[:2], "seed=2", CHOSEN[3]]}, {"seed": 1}),
        ({"a": CHOSEN, "b": CHOSEN[:3]}, {"objective.closed_form_kl": False}),
        ({"a": CHOSEN, "b": 3, "c": [[], {}]}, None),
        ([], None),
    ],
    ids=["alone", "seeds", "missing", "damaged", "not a list of jobs"],
)  # fmt: skip
def test_settings_that_vary(
    jobs: object, expected: dict[str, object] | None, tmp_path: Path
) -> None:
    folder = RunFolder(tmp_path / "a")
    folder.path.mkdir()
    folder.overrides.write_text(json.dumps([*CHOSEN, *WITHOUT_EFFECT]))
    if jobs is not None:
        (tmp_path / "jobs.yaml").write_text(json.dumps(jobs))
    found = varied(folder)
    assert found == expected or (expected is None and set(found) >= {"posterior", "seed"})
