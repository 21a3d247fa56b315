"""What a step reports, where only some images have it."""

import pytest
import torch

from vae_cli.training.recorder import Recorder

NAN = float("nan")
ALL = torch.tensor([1.0, 2.0, 3.0, 6.0])
SOME = torch.tensor([4.0, NAN, 8.0, NAN])


def test_partial_quantities_are_averaged_over_those_that_have_them() -> None:
    recorder = Recorder(2)
    for step in range(2):
        reported = {"whole": ALL + step, "of_some": SOME + step}
        partial, gradient = frozenset({"of_some"}), torch.tensor(1.0)
        recorder.add(step, {"loss": torch.tensor(7.0)}, reported, partial, gradient)
    averages, error = recorder.read()
    assert error is None
    assert averages == {"loss": 7.0, "whole": 3.5, "of_some": 6.5}


@pytest.mark.parametrize("partial", [frozenset(), frozenset({"other"})])
def test_a_gap_elsewhere_is_an_error(partial: frozenset[str]) -> None:
    recorder = Recorder(1)
    recorder.add(0, {"loss": torch.tensor(7.0)}, {"of_some": SOME, "other": ALL}, partial)
    _, error = recorder.read()
    assert error is not None and "of_some is nan" in str(error)


def test_a_partial_quantity_may_still_be_infinite() -> None:
    recorder = Recorder(1)
    value = torch.tensor([NAN, float("inf")])
    recorder.add(3, {"loss": torch.tensor(7.0)}, {"of_some": value}, frozenset({"of_some"}))
    _, error = recorder.read()
    assert error is not None and "step 3: train/of_some is infinite" in str(error)
