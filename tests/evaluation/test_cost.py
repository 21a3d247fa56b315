"""What an evaluation costs, told before it is made."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from omegaconf import DictConfig, OmegaConf

from vae_cli.evaluation.cost import describe_cost
from vae_cli.metric.base import Evaluation

FIXED, EACH = 0.1, 0.002  # seconds of a batch, and of a draw for it


@pytest.fixture
def subject(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Whose clock goes by the draws that are made."""
    found: Any = SimpleNamespace(
        now=0.0, measured="test", model=SimpleNamespace(device="cpu", encode=lambda _: None)
    )

    def add(self: Evaluation, *_: object) -> None:
        draws = max(getattr(metric, "samples", 0) for metric in self.metrics.values())
        found.now += FIXED + EACH * draws

    class Images:
        device = torch.device("cpu")

        def __len__(self) -> int:
            return 10_000

        def batch(self, index: torch.Tensor) -> None:
            assert len(index) == 100

    monkeypatch.setattr(Evaluation, "add", add)
    found.splits = {"test": Images()}
    return found


def options(samples: int, own: int | None = None) -> DictConfig:
    node = {"_target_": "vae_cli.metric.importance.ImportanceSampling", "adapts": False}
    metric = {"importance_sampling": {**node, "samples": own or samples}}
    return OmegaConf.create({"samples": samples, "seed": 0, "metric": metric})


@pytest.mark.parametrize(
    ("cfg", "images", "said"),
    [
        (options(5000), 10_000,  # 100 batches of 10.1 seconds
         "log p(x), S = 5000: about 17 min for 10000 images. samples=500 takes about 1 min 50 s."),
        (options(5000), 2_000, "log p(x), S = 5000: about 3 min 20 s for 2000 images. "
         "samples=500 takes about 22 s."),
        (options(700, own=5000), 10_000, "importance_sampling: about 17 min for 10000 images."),
        (options(600), 10_000, "log p(x), S = 600: about 2 min 10 s for 10000 images."),
        (options(5000), 100, None),  # soon done
        (options(20), 10_000, None),  # less than what would be timed: the first batches tell
        (options(5000), 0, None),
    ],
)  # fmt: skip
def test_two_small_numbers_of_draws_tell(
    subject: Any, cfg: DictConfig, images: int, said: str | None
) -> None:
    assert describe_cost(subject, cfg, [*cfg.metric], images, lambda _: subject.now) == said
    assert subject.now < 3  # seconds until it is said
