import pytest

from vae_cli.run.settings import treatment_of
from vae_cli.terminal.quantity import number


@pytest.mark.parametrize(
    ("value", "error", "told"),
    [
        (-24.0312, 0.3301, "-24.03 ± 0.33"),
        (-1.83812, 0.00034, "-1.8381 ± 0.0003"),  # an error has its own digits
        (0.00021, 0.000013, "0.00021 ± 0.00001"),
        (0.5, 0.0, "0.50"),
        (3.0, 1e-12, "3.000000"),
        (12.5, 41.0, "12.50 ± 41.00"),
    ],
)
def test_numbers_show_what_their_error_leaves(value: float, error: float, told: str) -> None:
    assert number({"elbo": value, "elbo_se": error}, "elbo") == told


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ({"_target_": "vae_cli.data.digits.load"}, "digits"),
        ({"_target_": "vae_cli.data.mnist.load", "name": "FashionMNIST"}, "FashionMNIST"),
        ({"_target_": "vae_cli.data.plane.circles"}, "circles"),
        ({"_target_": "vae_cli.data.plane.spiral"}, "spiral"),
        ({"_target_": "mine.load"}, "mine"),
    ],
)
def test_sets_have_names_of_their_own(data: dict[str, str], name: str) -> None:
    treatment = treatment_of({"data": {**data, "binarize": "none", "dequantize": False}})
    assert treatment["data"] == name
