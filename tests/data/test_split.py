from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from vae_cli import noise
from vae_cli.data.dataset import Images, StoredImages, split_by_seed
from vae_cli.data.split import Split, Treatment

LEVELS = torch.arange(256, dtype=torch.uint8)
GREY = torch.arange(0, 256, 5, dtype=torch.uint8)  # grey levels, one each image
IMAGES = GREY.view(-1, 1, 1, 1).expand(-1, 1, 40, 40)


class OnDisk(Images):
    """Images that are not in memory."""

    in_memory = False

    def __init__(self, stored: StoredImages) -> None:
        self.stored, self.shape, self.labels = stored, stored.shape, stored.labels
        self.names = stored.names

    def take(self, index: Tensor) -> Tensor:
        return self.stored.take(index)

    def to(self, device: torch.device) -> "OnDisk":
        return self

    def subset(self, index: Tensor) -> "OnDisk":
        return OnDisk(self.stored.subset(index))

    def joined(self, others: Sequence["OnDisk"]) -> "OnDisk":
        return OnDisk(self.stored.joined([each.stored for each in others]))

    def digests(self) -> np.ndarray:
        return self.stored.digests()


def split(name: str, binarize: str, dequantize: bool = False, disk: bool = False) -> Split:
    stored = StoredImages(IMAGES, torch.arange(len(IMAGES)))
    images = OnDisk(stored) if disk else stored
    return Split(name, images, Treatment(binarize, dequantize, levels=256))


def fresh(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


ALL = torch.arange(len(IMAGES))
ONCE = [  # split, binarize, dequantize: noise that is drawn only once
    ("train", "static", False),
    ("validation", "static", False),
    ("validation", "dynamic", False),
    ("test", "dynamic", False),
    ("test", "none", True),
]


def test_dynamic_draws_are_bits_with_the_grey_value_as_mean() -> None:
    train = split("train", "dynamic")
    assert train.draws_anew
    draws = torch.stack([train.batch(ALL, fresh(seed)).x for seed in range(5)])
    assert set(draws.unique().tolist()) == {0.0, 1.0}
    error = draws.mean((0, 2, 3, 4)) - GREY / 255
    assert error.abs().max() < 5 * 0.5 / (5 * 1600) ** 0.5  # five standard errors
    assert draws[:, 0].sum() == 0  # black stays black
    assert draws[:, -1].mean() == 1  # and white white


@pytest.mark.parametrize("levels", [2, 3, 16, 256, None], ids=lambda levels: f"{levels} levels")
def test_the_chance_of_a_one_is_the_grey_value(
    levels: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    every_draw = torch.arange(-(2**15), 2**15).to(torch.int16)
    monkeypatch.setattr(noise, "draw_int16", lambda shape, source: every_draw.expand(shape))
    pixels = torch.linspace(0, 1, 1001) if levels is None else LEVELS[:levels]
    treatment = Treatment("dynamic", False, levels)
    ones = treatment.draw(pixels[:, None].expand(-1, 2**16), fresh(0)).double().mean(1)
    grey = treatment.grey(pixels).double()
    assert (ones - grey).abs().max() <= 2**-17 + 1e-7  # float32 of the grey value itself
    assert ones[0] == 0
    assert ones[-1] == 1


def test_every_level_has_its_frequency() -> None:
    pixels = LEVELS[:, None].expand(-1, 40_000)
    ones = Treatment("dynamic", False, 256).draw(pixels, fresh(0)).double().mean(1)
    grey = LEVELS.double() / 255
    spread = (grey * (1 - grey) / 40_000).sqrt()
    score = ((ones - grey) / spread.clamp(min=1e-12)).square()
    assert score.max() < 4.5**2
    # 254 levels are random: the sum of squared scores is chi-squared.
    assert abs(score.sum() - 254) < 4 * (2 * 254) ** 0.5


def test_dynamic_draws_follow_the_generator() -> None:
    train = split("train", "dynamic")
    first, again, other = (train.batch(ALL, fresh(seed)).x for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(("name", "binarize", "dequantize"), ONCE)
def test_noise_drawn_once_belongs_to_the_image(name: str, binarize: str, dequantize: bool) -> None:
    kept = split(name, binarize, dequantize)
    disk = split(name, binarize, dequantize, disk=True)
    assert not kept.draws_anew
    whole = kept.batch(ALL).x
    index = torch.tensor([7, 3, 50, 3])
    assert torch.equal(kept.batch(index).x, whole[index])
    assert torch.equal(disk.batch(index).x, whole[index])
    assert torch.equal(torch.cat([kept.batch(part).x for part in ALL.split(16)]), whole)


def test_parts_have_noise_of_their_own() -> None:
    validation, test = (split(name, "static").batch(ALL).x for name in ("validation", "test"))
    assert not torch.equal(validation, test)


@pytest.mark.parametrize("name", ["train", "test"])
def test_dequantized_values_stay_at_their_level(name: str) -> None:
    x = split(name, "none", dequantize=True).batch(ALL, fresh(0)).x
    assert torch.equal((x * 256).floor(), IMAGES.float())
    assert (x * 256 - IMAGES).mean() == pytest.approx(0.5, abs=0.01)


def test_dequantized_values_are_below_one() -> None:
    treatment = Treatment("none", dequantize=True, levels=256)
    assert treatment(torch.tensor([255], dtype=torch.uint8), torch.tensor([1 - 2**-24])) < 1
    assert treatment.draw(LEVELS[-1:].expand(2**20), fresh(0)).max() < 1


@pytest.mark.parametrize("binarize", ["dynamic", "static", "threshold", "none"])
@pytest.mark.parametrize("name", ["train", "test"])
def test_binary_images_stay_as_they_are(name: str, binarize: str) -> None:
    bits = (IMAGES > 99).byte()
    treated = Split(name, StoredImages(bits), Treatment(binarize, False, levels=2))
    assert not treated.draws_anew
    assert torch.equal(treated.batch(ALL).x, bits.float())


@pytest.mark.parametrize("name", ["train", "test"])
@pytest.mark.parametrize(("binarize", "dequantize"), [("dynamic", False), ("none", True)])
def test_grey_values_go_to_the_encoder_alone(name: str, binarize: str, dequantize: bool) -> None:
    treatment = Treatment(binarize, dequantize, levels=256, encode="grey")
    shown = Split(name, StoredImages(IMAGES), treatment).batch(ALL, fresh(0))
    plain = split(name, binarize, dequantize).batch(ALL, fresh(0))
    assert torch.equal(shown.x, plain.x)
    assert torch.equal(shown.input, IMAGES / 255)
    assert torch.equal(plain.input, plain.x)
    assert not torch.equal(shown.x, shown.input)


def test_threshold_is_at_one_half() -> None:
    x = Treatment("threshold", False, 256)(torch.tensor([0, 127, 128, 255]).byte(), None)
    assert x.tolist() == [0, 0, 1, 1]


def test_values_that_are_not_levels_are_modelled_as_they_are() -> None:
    values = torch.tensor([-1.5, 0.2, 3.0])
    assert torch.equal(Treatment("none", False, None)(values, None), values)


def test_grey_is_before_treatment() -> None:
    assert torch.equal(split("train", "dynamic").grey(ALL), IMAGES / 255)


def test_batch_says_labels_and_positions() -> None:
    batch = split("test", "none").batch(torch.tensor([4, 2]))
    assert batch.input is batch.x
    assert batch.y.tolist() == batch.index.tolist() == [4, 2]


def test_split_by_seed() -> None:
    parts = split_by_seed(100, 20, 10, seed=3)
    assert [len(part) for part in parts] == [70, 20, 10]
    assert sorted(torch.cat(parts).tolist()) == list(range(100))
    assert all(map(torch.equal, parts, split_by_seed(100, 20, 10, seed=3)))
    assert not torch.equal(parts[2], split_by_seed(100, 20, 10, seed=4)[2])
