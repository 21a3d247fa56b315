"""Which curves stand where in TensorBoard."""

from typing import Any

PARTS = ("train", "validation")  # each is a run of TensorBoard's: one colour in all charts
NAMES = (
    "reconstruction", "kl", "active_units", "error", "reconstruction_error", "calibration_error",
    "code_l1", "squared_jacobian_norm", "image_l1", "image_jacobian_norm", "entropy",
    "label_log_likelihood", "labelled_elbo", "loss", "weight", "lr", "images_per_second",
)  # fmt: skip
TAG = "overview/"  # TensorBoard sorts groups by name: this comes before ``test`` and ``train``


def overview(monitor: str) -> list[str]:
    """The numbers of the first group of charts, which training and validation share.

    Args:
        monitor: Name of the quantity that is maximised.
    """
    return list(dict.fromkeys((monitor, *NAMES)))


def layout(monitor: str, has_prior: bool) -> dict[str, dict[str, Any]]:
    """The charts of the CUSTOM SCALARS tab: tags that belong together in one.

    Args:
        monitor: Name of the quantity that is maximised.
        has_prior: Whether the model has a prior, and a KL; else it has a code.
    """

    def chart(name: str) -> list[Any]:
        return ["Multiline", [f"^{TAG}{name}$"]]

    of_z = {
        "Is the posterior collapsing?": {
            "KL: training and validation": chart("kl"),
            "active units": chart("active_units"),
            "KL of each dimension": ["Multiline", [r"validation_kl_per_dimension/\d+$"]],
            "KL of each layer": ["Multiline", [r"validation_kl_per_layer/\d+$"]],
            "weight of the KL": chart("weight"),
        },
    }
    of_codes = {
        "What are the codes like?": {
            "‖z‖₁: training and validation": chart("code_l1"),
            "‖∂z/∂x‖²: training and validation": chart("squared_jacobian_norm"),
            "Σ |z_d| ‖∂E[x|z]/∂z_d‖: training and validation": chart("image_l1"),
            "‖∂E[x|z]/∂x‖²: training and validation": chart("image_jacobian_norm"),
            "squared error of reconstructions": chart("reconstruction_error"),
        },
    }
    return {
        "Is it learning?": {
            f"{monitor}: training and validation": chart(monitor),
            "reconstruction: training and validation": chart("reconstruction"),
            "loss, which the weight is part of": chart("loss"),
        },
        **(of_z if has_prior else of_codes),
        "Does it tell the labels?": {
            "labels told wrongly": chart("error"),
            "calibration error": chart("calibration_error"),
            "entropy of q(y|x): training and validation": chart("entropy"),
            "log q(y|x) of the labels": chart("label_log_likelihood"),
            "bound with the label: training and validation": chart("labelled_elbo"),
        },
        "How fast?": {
            "images a second": chart("images_per_second"),
            "learning rate": chart("lr"),
        },
    }
