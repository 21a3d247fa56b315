"""Which curves stand where in TensorBoard."""

import re
from collections.abc import Iterable
from typing import Any

from vae_cli.metric.base import Metric
from vae_cli.number import OF_TRAINING, Number

PARTS = ("train", "validation")  # each is a run of TensorBoard's: one colour in all charts
TAG = "overview/"  # TensorBoard sorts groups by name: this comes before ``test`` and ``train``


def curves_of(metrics: Iterable[Metric], monitor: str) -> list[Number]:
    """The numbers with charts in the overview: of training and of metrics, and the monitored one.

    Args:
        metrics: Measured at validations.
        monitor: Name of the quantity that is maximised.
    """
    declared = [*(number for metric in metrics for number in metric.declares), *OF_TRAINING]
    found = {number.name: number for number in declared if number.group}
    return [found.pop(monitor, Number(monitor)), *found.values()]


def curve_name(number: Number) -> str:
    """The name of a number's curve, which training and validation share."""
    return number.name.removeprefix("train/")


def layout(numbers: Iterable[Number]) -> dict[str, dict[str, Any]]:
    """The charts of the CUSTOM SCALARS tab, by group: tags that belong together in one."""
    charts: dict[str, dict[str, Any]] = {}
    for number in numbers:
        name = re.escape(curve_name(number))
        is_family = name.endswith("/")
        tag = rf"validation_{name}\w+$" if is_family else f"^{TAG}{name}$"
        charts.setdefault(number.group, {})[number.label] = ["Multiline", [tag]]
    return charts
