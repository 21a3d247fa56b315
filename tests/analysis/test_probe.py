import pytest
import torch
from model.linear_gaussian import LinearGaussian
from torch import Tensor

from vae_cli.analysis.probe import Probe
from vae_cli.data.dataset import StoredImages
from vae_cli.data.split import Split, Treatment

TRUTH = LinearGaussian(lengths=(2.0, 2.0))
AS_IS = Treatment("none", dequantize=False, levels=None)


def split(name: str, count: int, labels: Tensor | None = None, seed: int = 0) -> Split:
    """Images whose label tells on which side of 0 the first code lies, unless given."""
    batch = TRUTH.batch(count, seed)
    if labels is None:
        labels = (TRUTH.posterior_mean(batch.x)[:, 0] > 0).long()
    return Split(name, StoredImages(batch.x, labels), AS_IS)


def splits(count: int = 300) -> dict[str, Split]:
    names = ("train", "validation", "test")
    return {name: split(name, count, seed=seed) for seed, name in enumerate(names)}


def test_labels_that_a_line_parts_are_read_off() -> None:
    numbers = Probe().numbers(TRUTH.vae().float(), splits(), "test")
    assert numbers["linear_probe_accuracy"] > 0.97
    assert numbers["nearest_neighbors_accuracy"] > 0.9
    assert numbers["probe_images"] == 300
    p = numbers["nearest_neighbors_accuracy"]
    assert numbers["nearest_neighbors_accuracy_se"] == pytest.approx((p * (1 - p) / 300) ** 0.5)


def test_labels_of_chance_are_not() -> None:
    parts = splits(2000)
    for seed, name in enumerate(parts):
        generator = torch.Generator().manual_seed(seed)
        labels = torch.randint(4, (2000,), generator=generator)
        parts[name] = split(name, 2000, labels, seed)
    numbers = Probe().numbers(TRUTH.vae().float(), parts, "test")
    assert numbers["linear_probe_accuracy"] == pytest.approx(0.25, abs=0.05)
    assert numbers["nearest_neighbors_accuracy"] == pytest.approx(0.25, abs=0.05)


def test_training_images_are_measured_by_others() -> None:
    parts = splits()
    parts["validation"] = split("validation", 120, seed=1)
    assert Probe().numbers(TRUTH.vae().float(), parts, "train")["probe_images"] == 120


def test_images_without_a_label_do_not_count() -> None:
    parts = splits()
    labels = parts["train"].images.labels.clone()
    labels[::2] = -1
    parts["train"] = split("train", 300, labels)
    assert Probe(images=100).numbers(TRUTH.vae().float(), parts, "test")["probe_images"] < 100
    parts["train"] = split("train", 300, torch.full((300,), -1))
    assert Probe().numbers(TRUTH.vae().float(), parts, "test") == {}


def test_few_images_have_few_neighbors() -> None:
    numbers = Probe(images=4, neighbors=10).numbers(TRUTH.vae().float(), splits(), "test")
    assert numbers["probe_images"] == 4
