import hashlib

import pytest
import torch
from torch import Size

from vae_cli import noise

SHAPE = Size([2, 5, 4])


def test_streams_have_seeds_of_their_own() -> None:
    streams = [(kind, seed, step) for kind in "ab" for seed in range(20) for step in range(200)]
    streams += [(), ("a",), ("a", "1"), ("a", 1), ("a1",), ("a", None), ("a", (0, 0)), ("a", 0)]
    seeds = [noise.stream_seed(*stream) for stream in streams]
    assert len(set(seeds)) == len(streams)
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert max(seeds) > 2**62  # all the bits are used
    assert sum(seed % 2 for seed in seeds) / len(seeds) > 0.45


def test_seeds_are_the_same_on_every_machine() -> None:
    # What was trained in one place must resume in another.
    digest = hashlib.blake2b(b"('train', 0, 1)", digest_size=8).digest()
    expected = sum(byte << 8 * place for place, byte in enumerate(digest)) // 2
    assert noise.stream_seed("train", 0, 1) == expected


def test_generators_repeat() -> None:
    first, again, other = (
        torch.rand(100, generator=noise.generator("cpu", "x", seed)) for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not (first == other).any()


def test_seed_draws_points_the_default_generator() -> None:
    cpu = torch.device("cpu")
    noise.seed_draws(cpu, "x", 3)
    drawn = torch.rand(100)
    torch.rand(7)
    noise.seed_draws(cpu, "x", 3)
    assert torch.equal(torch.rand(100), drawn)
    assert torch.equal(torch.rand(100, generator=noise.generator(cpu, "x", 3)), drawn)
    torch.manual_seed(noise.stream_seed("x", 3))
    assert torch.equal(torch.rand(100), drawn)


def test_a_stream_leaves_the_generator_as_it_was() -> None:
    cpu = torch.device("cpu")
    torch.manual_seed(1)
    undisturbed = torch.rand(2)
    torch.manual_seed(1)
    first = torch.rand(1)
    with pytest.raises(ValueError, match="x"), noise.stream(cpu, "x", 3):
        drawn = torch.rand(4)
        with noise.stream(cpu, "y"):
            torch.rand(5)
        assert torch.equal(
            torch.cat([drawn, torch.rand(4)]),
            torch.rand(8, generator=noise.generator(cpu, "x", 3)),
        )
        raise ValueError("x")
    assert torch.equal(torch.cat([first, torch.rand(1)]), undisturbed)


def test_fixed_uniform_belongs_to_the_image() -> None:
    whole = noise.fixed_uniform(torch.arange(50), SHAPE, "pixels", 0)
    assert whole.shape == (50, *SHAPE)
    assert whole.dtype == torch.float32
    for index in ([7], [3, 49, 3], list(range(49, -1, -1))):
        part = noise.fixed_uniform(torch.tensor(index), SHAPE, "pixels", 0)
        assert torch.equal(part, whole[index])
    assert not (noise.fixed_uniform(torch.arange(50), SHAPE, "pixels", 1) == whole).any()
    assert noise.fixed_uniform(torch.arange(0), SHAPE, "pixels", 0).shape == (0, *SHAPE)


def test_fixed_uniform_is_uniform() -> None:
    draws = noise.fixed_uniform(torch.arange(2000), SHAPE, "pixels", 0).double()
    n = draws.numel()
    assert draws.min() >= 0
    assert draws.max() < 1
    assert abs(draws.mean() - 0.5) < 4 * (1 / 12 / n) ** 0.5
    assert abs(draws.var() - 1 / 12) < 4 * (1 / 180 / n) ** 0.5
    counts = torch.histc(draws, 20, 0, 1)
    assert ((counts - n / 20).abs() < 5 * (n / 20 * 0.95) ** 0.5).all()


def test_neighbouring_images_are_independent() -> None:
    draws = noise.fixed_uniform(torch.arange(2000), Size([40]), "pixels", 0).double() - 0.5
    n = draws[1:].numel()
    for lag in (1, 2, 64):
        correlation = 12 * (draws[lag:] * draws[:-lag]).mean()
        assert abs(correlation) < 4 / n**0.5


@pytest.mark.parametrize("count", [1, 4, 7, 784])
def test_draws_of_int16_have_any_shape(count: int) -> None:
    draws = noise.draw_int16(torch.Size([2, count]), noise.generator("cpu", "test"))
    assert draws.shape == (2, count)
    assert draws.dtype == torch.int16


def test_draws_of_int16_take_every_value_equally_often() -> None:
    count = 2**24
    draws = noise.draw_int16(torch.Size([count]), noise.generator("cpu", "test"))
    values = torch.bincount(draws.int() + 2**15, minlength=2**16).double()
    chi_squared = ((values - 256) ** 2 / 256).sum()
    assert abs(chi_squared - 2**16) < 5 * (2 * 2**16) ** 0.5


def test_the_four_draws_of_a_word_are_independent() -> None:
    draws = noise.draw_int16(torch.Size([2**20, 4]), noise.generator("cpu", "test"))
    correlation = torch.corrcoef(draws.T.double())
    assert (correlation - torch.eye(4)).abs().max() < 5 / 2**10
