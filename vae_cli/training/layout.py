"""Which curves stand where in TensorBoard."""

from typing import Any


def overview(monitor: str) -> dict[str, str]:
    """What the first group of charts shows, and which number that is.

    TensorBoard sorts groups by name, and charts in a group: ``overview`` comes before ``test``,
    ``train`` and ``validation``.

    Args:
        monitor: Name of the quantity that is maximised.
    """
    return {
        f"overview/{monitor}_train": f"train/{monitor}",
        f"overview/{monitor}_validation": f"validation/{monitor}",
        "overview/active_units": "validation/active_units",
        "overview/error": "validation/error",
        "overview/reconstruction_error": "validation/reconstruction_error",
        "overview/kl": "validation/kl",
        "overview/images_per_second": "train/images_per_second",
    }


def layout(monitor: str, has_prior: bool) -> dict[str, dict[str, Any]]:
    """The charts of the CUSTOM SCALARS tab: tags that belong together in one.

    Args:
        monitor: Name of the quantity that is maximised.
        has_prior: Whether the model has a prior, and a KL; else it has a code.
    """

    def both(name: str) -> list[Any]:
        return ["Multiline", [rf"(train|validation)/{name}$"]]

    def one(tag: str) -> list[Any]:
        return ["Multiline", [rf"{tag}$"]]

    of_z = {
        "Is the posterior collapsing?": {
            "KL: training and validation": both("kl"),
            "reconstruction against KL": one("validation/(reconstruction|kl)"),
            "active units": one("validation/active_units"),
            "KL of each dimension": one(r"validation_kl_per_dimension/\d+"),
            "weight of the KL": one("train/weight"),
        },
    }
    of_codes = {
        "What are the codes like?": {
            "‖z‖₁: training and validation": both("code_l1"),
            "‖∂z/∂x‖²: training and validation": both("squared_jacobian_norm"),
            "Σ |z_d| ‖∂E[x|z]/∂z_d‖: training and validation": both("image_l1"),
            "‖∂E[x|z]/∂x‖²: training and validation": both("image_jacobian_norm"),
            "squared error of reconstructions": one("validation/reconstruction_error"),
        },
    }
    return {
        "Is it learning?": {
            f"{monitor}: training and validation": both(monitor),
            "reconstruction: training and validation": both("reconstruction"),
            "loss, which the weight is part of": one("train/loss"),
        },
        **(of_z if has_prior else of_codes),
        "Does it tell the labels?": {
            "labels told wrongly": one("validation/error"),
            "calibration error": one("validation/calibration_error"),
            "entropy of q(y|x): training and validation": both("entropy"),
            "log q(y|x) of the labels": both("label_log_likelihood"),
            "bound with the label: training and validation": both("labelled_elbo"),
        },
        "How fast?": {
            "images a second": one("train/images_per_second"),
            "learning rate": one("train/lr"),
        },
    }
