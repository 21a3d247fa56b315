"""How fast vae-train trains, beside a bare torch loop and other ways to do the same.

    python benchmarks/throughput.py [--rounds 5] [--steps 400] [--precision bf16-mixed] [KEY=VALUE]

All contenders train a 784-400-20 VAE on the same pixels in the same process, in turns, with batches
of 128. They binarize anew in each epoch and use fused Adam, all but pythae's trainer, which has
its own model and settings and draws nothing: compare it with vae-train's "threshold". The bare loop
draws with ``torch.bernoulli``, as most code does; a second one with the faster ``torch.rand(...) <
grey``. What is printed are medians over the rounds. The pixels are random: speed does not depend on
what they show.
"""

import argparse
import contextlib
import io
import logging
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from rich.console import Console

from vae_cli.launch.libraries import prepare_libraries

prepare_libraries()  # as the command does, before torch is loaded
# ruff: noqa: E402

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.utils.data import DataLoader, TensorDataset

from vae_cli.config.build import build
from vae_cli.config.compose import compose
from vae_cli.run.fit import TrainingRun, fit
from vae_cli.run.folder import RunFolder
from vae_cli.training.signals import Signals

IMAGES, BATCH, WARMUP = 50_000, 128, 10


class PlainVae(nn.Module):
    """The model as one writes it without a framework."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, 40))
        self.decoder = nn.Sequential(nn.Linear(20, 400), nn.ReLU(), nn.Linear(400, 784))

    def loss(self, x: Tensor, precision: str) -> Tensor:
        """The negative bound, nats an image."""
        with torch.autocast(x.device.type, torch.bfloat16, enabled=precision == "bf16-mixed"):
            loc, log_scale = self.encoder(x).float().chunk(2, -1)
            z = loc + log_scale.exp() * torch.randn_like(loc)
            logits = self.decoder(z).float()
        error = binary_cross_entropy_with_logits(logits, x, reduction="sum")
        kl = 0.5 * (loc.square() + (2 * log_scale).exp() - 1 - 2 * log_scale).sum()
        return (error + kl) / len(x)


def train_steps(batches: Callable[[], Tensor], steps: int, precision: str, device: str) -> float:
    """Images a second of a bare loop over what ``batches`` gives, after a warm-up."""
    model = PlainVae().to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    start = 0.0
    for step in range(steps + WARMUP):
        if step == WARMUP:
            start = now(device)
        optimizer.zero_grad()
        model.loss(batches(), precision).backward()
        optimizer.step()
    return steps * BATCH / (now(device) - start)


def now(device: str) -> float:
    """The clock, once the device is done."""
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def faster_bernoulli(grey: Tensor) -> Tensor:
    """What ``torch.bernoulli`` does, in less time."""
    return (torch.rand(grey.shape, device=grey.device) < grey).float()


def bare_loop(
    pixels: Tensor,
    steps: int,
    precision: str,
    device: str,
    binarize: Callable[[Tensor], Tensor] = torch.bernoulli,
) -> float:
    """Pixels on the device, gathered by index."""
    stored = pixels.to(device).flatten(1)
    order = iter(torch.randint(len(stored), (steps + WARMUP, BATCH), device=device))
    return train_steps(
        lambda: binarize(stored.index_select(0, next(order)) / 255), steps, precision, device
    )


def tensor_dataset(pixels: Tensor, steps: int, precision: str, device: str) -> float:
    """TensorDataset and DataLoader, as in most examples."""
    loader = DataLoader(TensorDataset(pixels.flatten(1)), BATCH, shuffle=True, drop_last=True)

    def forever() -> Iterator[list[Tensor]]:
        while True:
            yield from loader

    stream = forever()

    return train_steps(
        lambda: torch.bernoulli(next(stream)[0].to(device) / 255), steps, precision, device
    )


def vae_train(
    path: Path, steps: int, precision: str, device: str, binarize: str, given: Sequence[str]
) -> float:
    """vae-train's own path: the same objects that the command builds."""
    kind = "gpu" if device == "cuda" else "cpu"
    overrides = [
        "data=array", f"data.path={path}", f"data.batch_size={BATCH}", f"data.binarize={binarize}",
        "likelihood=bernoulli", "latent_dim=20", "network.hidden_dims=[400]", f"accelerator={kind}",
        f"accelerator.precision={precision}", f"trainer.max_steps={steps + WARMUP}",
        "trainer.progress=false", "trainer.validate_every=1000", *given,
    ]  # fmt: skip
    cfg, _ = compose("train", overrides)
    with tempfile.TemporaryDirectory() as name:
        folder = RunFolder(name)
        folder.prepare()
        speed = fit(
            TrainingRun(build(cfg), folder, ["benchmark"], Console(quiet=True), Signals())
        ).images_per_second
    assert speed is not None
    return speed


def pythae_trainer(pixels: Tensor, steps: int, precision: str, device: str) -> float:
    """pythae's trainer with its own VAE and settings; one epoch of as many images."""
    from pythae.data.datasets import BaseDataset
    from pythae.models import VAE, VAEConfig
    from pythae.trainers import BaseTrainer, BaseTrainerConfig

    count = steps * BATCH
    x = pixels[torch.arange(count) % len(pixels)].float() / 255
    config = VAEConfig(input_dim=(1, 28, 28), latent_dim=20, reconstruction_loss="bce")
    with tempfile.TemporaryDirectory() as name:
        trainer = BaseTrainer(
            VAE(config),
            BaseDataset(x, torch.ones(count)),
            training_config=BaseTrainerConfig(
                output_dir=name, num_epochs=1, per_device_train_batch_size=BATCH,
                no_cuda=device == "cpu",
            ),
        )  # fmt: skip
        trainer.prepare_training()
        start = now(device)
        trainer.train_step(1)
        return count / (now(device) - start)


def main() -> None:
    """Lets the contenders take turns and prints a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=400, help="a round")
    parser.add_argument("--precision", default="32-true", choices=["32-true", "bf16-mixed"])
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("given", nargs="*", metavar="KEY=VALUE", help="for vae-train alone")
    args = parser.parse_args()
    logging.disable(logging.WARNING)
    warnings.filterwarnings("ignore")
    pixels = torch.randint(0, 256, (IMAGES, 1, 28, 28), dtype=torch.uint8)
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "pixels.npz")
        few = pixels[:256].numpy()
        np.savez(path, train=pixels.numpy(), validation=few, test=few)
        contenders: dict[str, Callable[[], float]] = {
            "bare loop, 32-true": lambda: bare_loop(pixels, args.steps, "32-true", args.device),
            "bare loop, torch.rand, 32-true": lambda: bare_loop(
                pixels, args.steps, "32-true", args.device, faster_bernoulli
            ),
            f"vae-train, {args.precision}": lambda: vae_train(
                path, args.steps, args.precision, args.device, "dynamic", args.given
            ),
            f"vae-train, {args.precision}, threshold": lambda: vae_train(
                path, args.steps, args.precision, args.device, "threshold", args.given
            ),
            "TensorDataset + DataLoader, 32-true": lambda: tensor_dataset(
                pixels, args.steps, "32-true", args.device
            ),
        }
        if args.precision != "32-true":
            contenders[f"bare loop, {args.precision}"] = lambda: bare_loop(
                pixels, args.steps, args.precision, args.device
            )
        with contextlib.suppress(ImportError):
            import pythae  # noqa: F401

            contenders["pythae's trainer, 32-true"] = lambda: pythae_trainer(
                pixels, args.steps, "32-true", args.device
            )
        speeds: dict[str, list[float]] = {name: [] for name in contenders}
        for _ in range(args.rounds):
            for contender, run in contenders.items():
                with contextlib.redirect_stderr(io.StringIO()):
                    speeds[contender].append(run())
    threads, rounds = torch.get_num_threads(), args.rounds
    print(f"{args.device}, {threads} threads, median of {rounds} rounds of {args.steps} steps")
    bare = speeds["bare loop, 32-true"]
    for contender, values in speeds.items():
        ratio = statistics.median(v / b for v, b in zip(values, bare, strict=True))
        print(f"{contender:<38}{statistics.median(values):>9,.0f} images/s   {ratio:.2f} of bare")


if __name__ == "__main__":
    main()
