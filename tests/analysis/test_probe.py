import numpy as np
import pytest
import torch
from linear_gaussian import LinearGaussian
from sklearn.neighbors import KNeighborsClassifier
from torch import Tensor
from torch.distributions import Distribution

from vae_cli.analysis.probe import Probe, accuracy_of, linear_probe
from vae_cli.data.batch import Batch
from vae_cli.data.dataset import StoredImages
from vae_cli.data.split import Split, Treatment
from vae_cli.distribution.flow import FlowDistribution
from vae_cli.distribution.planar import PlanarFlow
from vae_cli.model.vae import VAE

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
    labels[torch.arange(300) % 25 != 0] = -1  # 12 of 300 are left
    parts["train"] = split("train", 300, labels)
    for most, used in ((100, 12), (8, 8)):
        numbers = Probe(images=most).numbers(TRUTH.vae().float(), parts, "test")
        assert numbers["probe_images"] == used
    parts["train"] = split("train", 300, torch.full((300,), -1))
    assert Probe().numbers(TRUTH.vae().float(), parts, "test") == {}


def test_few_images_have_few_neighbors() -> None:
    numbers = Probe(images=4, neighbors=10).numbers(TRUTH.vae().float(), splits(), "test")
    assert numbers["probe_images"] == 4


def test_dimensions_that_say_nothing_stay_small() -> None:
    """Of 60 dimensions 58 are noise of a hundredth of the others' scale."""
    generator = torch.Generator().manual_seed(0)
    y = torch.randint(4, (900,), generator=generator)
    x = 0.01 * torch.randn(900, 60, generator=generator)
    angle = y * torch.pi / 2
    x[:, :2] = torch.stack([angle.cos(), angle.sin()], 1) + 0.3 * torch.randn(
        900, 2, generator=generator
    )
    x, y = x.numpy(), y.numpy()
    accuracy = accuracy_of(KNeighborsClassifier(10), x[:300], y[:300], x[300:], y[300:])
    of_two = accuracy_of(KNeighborsClassifier(10), x[:300, :2], y[:300], x[300:, :2], y[300:])
    assert accuracy == pytest.approx(of_two, abs=0.01)
    # Distances and the penalty do not depend on where the codes are or what unit they have.
    moved = 1e3 * x + 5
    for probe in (KNeighborsClassifier(10), linear_probe()):
        each = [accuracy_of(probe, c[:300], y[:300], c[300:], y[300:]) for c in (x, moved)]
        assert each[0] == pytest.approx(each[1], abs=0.002)


def test_codes_of_one_value_have_a_scale_too() -> None:
    x, y = np.ones((10, 3)), np.arange(10) % 2
    assert accuracy_of(linear_probe(), x, y, x, y) == 0.5


def test_error_of_drawn_codes_is_stated_and_falls_with_the_draws() -> None:
    errors = []
    for samples in (16, 256):
        numbers = Probe(samples=samples).numbers(Bent.of(TRUTH.vae().float()), splits(), "test")
        errors.append(numbers["probe_code_error"])
    assert 0 < errors[1] < 0.5 * errors[0] < 0.5
    assert "probe_code_error" not in Probe().numbers(TRUTH.vae().float(), splits(), "test")


class Bent(VAE):
    """A VAE whose posterior goes through a strong planar map."""

    @classmethod
    def of(cls, vae: VAE) -> VAE:
        vae.__class__ = cls
        return vae

    def encode(self, batch: Batch) -> Distribution:
        w, u = torch.tensor([[[2.0, 0.5]], [[1.0, -2.0]]])
        return FlowDistribution(super().encode(batch), [PlanarFlow(w, u, torch.zeros(1))])
