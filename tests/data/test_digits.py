import torch

from vae_cli.data import digits


def test_digits() -> None:
    dataset = digits.load()
    parts = (dataset.train, dataset.validation, dataset.test)
    assert [len(part) for part in parts] == [1437, 180, 180]
    assert {(part.shape, part.pixels.dtype) for part in parts} == {((1, 8, 8), torch.uint8)}
    assert dataset.levels == 17
    assert max(part.pixels.max() for part in parts) == 16
    assert all(set(part.labels.tolist()) == set(range(10)) for part in parts)
    # No two of the 1797 images are alike, so none is in two parts.
    assert len(torch.cat([part.pixels for part in parts]).flatten(1).unique(dim=0)) == 1797
    assert torch.equal(digits.load().test.pixels, dataset.test.pixels)
