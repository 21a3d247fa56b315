"""A player's step with the scaler of 16-mixed, which a CPU can run as well."""

from types import SimpleNamespace

import pytest
import torch
from pytorch_lightning.plugins.precision import MixedPrecision
from torch.amp import GradScaler

from vae_cli.objective.base import Player
from vae_cli.training.turn import Turn


def trained(is_scaled: bool, gradient_clip: float | None) -> tuple[torch.Tensor, int]:
    """The weights after three steps, and how many norms the last one gave."""
    torch.manual_seed(0)
    network = torch.nn.Linear(3, 2)
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    scaler = GradScaler("cpu", init_scale=1024.0)
    strategy = SimpleNamespace(
        precision_plugin=MixedPrecision("16-mixed", "cpu", scaler) if is_scaled else None,
        pre_backward=lambda loss: None,
        post_backward=lambda loss: None,
    )
    lightning = SimpleNamespace(
        optimizer=optimizer, _on_before_step=lambda: None, _on_after_step=lambda: None
    )
    player = Player("", list(network.parameters()), lambda *given: None)
    turn = Turn(0, player, lightning, strategy, True, [network.bias])
    norms: list[torch.Tensor] = []
    for _ in range(3):
        turn.compute_gradients(network(torch.ones(4, 3)).square().sum())
        norms = turn.take_step(gradient_clip)
    return network.weight.detach(), len(norms)


@pytest.mark.parametrize("gradient_clip", [None, 0.5])
def test_a_scaled_step_is_the_step(gradient_clip: float | None) -> None:
    plain, scaled = trained(False, gradient_clip), trained(True, gradient_clip)
    assert torch.equal(plain[0], scaled[0])  # the scale is a power of two
    assert (plain[1], scaled[1]) == (1, 0)
