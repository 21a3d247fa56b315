"""Which of two overrides for one key a sweep follows."""

import pytest

from vae_cli.sweep.driver import _choices_of


@pytest.mark.parametrize("typed", ["seed=2", "++seed=2", "+seed=2"])
def test_the_last_value_of_a_key_counts_in_any_form(typed: str) -> None:
    (choice,) = _choices_of(["seed=0,1", typed])
    assert choice.input_line == typed
