"""Every remedy that a message about data gives works: the second command runs."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vae_cli.commands.train import main
from vae_cli.config.build import build
from vae_cli.config.compose import compose
from vae_cli.errors import ConfigError

GENERATOR = np.random.default_rng(0)
QUICK = [
    "network.hidden_dims=[8]", "latent_dim=2", "figure=[]", "metric=[]", "logger=none",
    "data.batch_size=10", "trainer.max_steps=30", "seed=0",
]  # fmt: skip
IMAGES = GENERATOR.random((40, 6, 6))
BYTES = GENERATOR.integers(0, 256, (40, 6, 6), np.uint8)


def folder_of_sizes() -> None:
    Path("sizes").mkdir()
    for number, pixels in enumerate(BYTES):
        Image.fromarray(pixels[: 4 + number % 3]).save(f"sizes/{number}.png")


def saved(array: np.ndarray) -> Callable[[], None]:
    return lambda: np.save("own.npy", array)


ARRAY = ["data=array", "data.path=own.npy"]
CASES: dict[str, tuple[Callable[[], object], list[str]]] = {
    "floats from 0 to 255": (saved(255 * IMAGES), ARRAY),
    "floats from 0 to 255, Gaussian": (saved(255 * IMAGES), [*ARRAY, "likelihood=gaussian"]),
    "floats from 0 to 16": (saved(16 * IMAGES), ARRAY),
    "floats from -1 to 1": (saved(2 * IMAGES - 1), ARRAY),
    "large floats of both signs": (saved(1e4 * (IMAGES - 0.5)), ARRAY),
    "floats from 0 to 255, binarized": (saved(255 * IMAGES), [*ARRAY, "data.binarize=dynamic"]),
    "negative floats, binarized": (saved(IMAGES - 0.5), [*ARRAY, "data.binarize=threshold"]),
    "16 bits": (saved((4095 * IMAGES).astype(np.uint16)), ARRAY),
    "negative whole numbers": (saved((9 * IMAGES).astype(int) - 4), ARRAY),
    "rows": (saved(BYTES.reshape(40, 36)), ARRAY),
    "rows that are no squares": (saved(BYTES.reshape(40, 36)[:, :35]), ARRAY),
    "axes in doubt": (saved(GENERATOR.integers(0, 256, (24, 3, 3, 3), np.uint8)), ARRAY),
    "a stack along the last axis": (saved(BYTES.transpose(1, 2, 0)), ARRAY),
    "few to validate": (saved(BYTES), [*ARRAY, "data.validation=0.001"]),
    "none to train": (saved(BYTES), [*ARRAY, "data.test=0.95"]),
    "none to test": (saved(BYTES), [*ARRAY, "data.test=0"]),
    "grey and binary": (saved(BYTES), [*ARRAY, "data.binarize=none"]),
    "dequantized floats": (saved(IMAGES), [*ARRAY, "data.dequantize=true"]),
    "dequantized bytes": (saved(BYTES), [*ARRAY, "data.dequantize=true"]),
    "pictures of many sizes": (folder_of_sizes, ["data=image_folder", "data.root=sizes"]),
    "a large batch": (saved(BYTES), [*ARRAY, "data.batch_size=500"]),
}


TRAINED = (
    "floats from 0 to 255, Gaussian",
    "large floats of both signs",
)  # where training may fail


def remedies(message: str) -> list[list[str]]:
    """The alternatives of the last ``Try`` of a message, each with its overrides."""
    _, found, text = message.rpartition("Try ")
    assert found, f"no remedy: {message}"
    alternatives = re.split(r",? or ", text.strip().rstrip("."))
    return [re.findall(r"[\w.]+=\S*[^\s,.]", each) for each in alternatives]


def problem(arguments: list[str], trains: bool, capsys: pytest.CaptureFixture[str]) -> str:
    """What a command says; empty if it runs."""
    if trains:
        code = main([*QUICK, *arguments])
        assert code in (0, 2)
        return capsys.readouterr().err if code else ""
    try:
        build(compose("train", [*QUICK, *arguments])[0])
    except ConfigError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("case", CASES)
def test_remedy_runs(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    make, command = CASES[case]
    make()
    waiting, done = [command], 0
    while waiting:
        arguments = waiting.pop()
        message = problem(arguments, case in TRAINED, capsys)
        if message:
            assert len(arguments) < len(command) + 4, f"in circles: {message}"
            waiting += [[*arguments, *remedy] for remedy in remedies(message) if remedy]
        else:
            done += 1
    assert done
