"""How fast vae-eval estimates log p(x), beside the matrix products that it can't do without.

    python benchmarks/evaluation.py [--rounds 5] [--images 100] [--samples 5000] [--flow-length 10]

The model is a VAE on 784 pixels with 40 latent dimensions and two hidden layers of 400 on each
side, with a diagonal posterior and with planar maps. "Decoder products" are the decoder's linear
layers alone, applied to as many rows as there are draws; pythae's get_nll is timed with the same
layers and as many planar maps, on a tenth of the images. All take turns in one process; what is
printed are medians over the rounds. The pixels and weights are random: speed does not depend on
what they are.
"""

import argparse
import contextlib
import itertools
import statistics
import time
from collections.abc import Callable
from functools import partial

import torch
from torch import Size, Tensor, nn
from torch.nn.functional import linear

from vae_cli.data.batch import Batch
from vae_cli.launch.libraries import prepare_libraries
from vae_cli.likelihood.bernoulli import BernoulliLikelihood
from vae_cli.model.importance import ROWS, evidence_estimate
from vae_cli.model.vae import VAE
from vae_cli.network.mlp import MLP
from vae_cli.posterior.base import Posterior
from vae_cli.posterior.diagonal import DiagonalPosterior
from vae_cli.posterior.planar import PlanarPosterior
from vae_cli.prior.standard import StandardPrior

SHAPE, LATENT_DIM, HIDDEN = Size([1, 28, 28]), 40, [400, 400]


def our_model(posterior: Callable[..., Posterior]) -> VAE:
    """The model as ``vae-train network.hidden_dims=[400,400]`` builds it."""
    network = partial(MLP, hidden_dims=HIDDEN, activation="relu")
    parts = (network, network, posterior, StandardPrior, BernoulliLikelihood)
    return VAE(SHAPE, LATENT_DIM, *parts).eval()


def ours(model: VAE, x: Tensor, samples: int) -> None:
    """The estimate, as vae-eval makes it of each batch of images."""
    for start in range(0, len(x), 100):
        part = x[start : start + 100]
        unknown = torch.full((len(part),), -1)
        batch = Batch(part, part, unknown, torch.arange(len(part)))
        evidence_estimate(model, batch, model.encode(batch), samples)


def decoder_products(model: VAE, images: int, samples: int) -> None:
    """The linear layers of the decoder, on one row a draw."""
    sizes = [LATENT_DIM, *HIDDEN, SHAPE.numel()]
    layers = [(torch.randn(o, i), torch.randn(o)) for i, o in itertools.pairwise(sizes)]
    z = torch.randn(ROWS, LATENT_DIM)
    for _ in range(-(-images * samples // ROWS)):
        h = z
        for weight, bias in layers:
            h = linear(h, weight, bias)


def pythae_get_nll(flow_length: int) -> Callable[[Tensor, int], object]:
    """pythae's estimate with the same layers."""
    from pythae.models import VAE_LinNF, VAE_LinNF_Config
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder

    def stack(sizes: list[int]) -> nn.Sequential:
        pairs = itertools.pairwise(sizes)
        layers = [layer for i, o in pairs for layer in (nn.Linear(i, o), nn.ReLU())]
        return nn.Sequential(*layers[:-1])

    class Encoder(BaseEncoder):
        def __init__(self) -> None:
            super().__init__()
            self.layers = stack([SHAPE.numel(), *HIDDEN, 2 * LATENT_DIM])

        def forward(self, x: Tensor) -> ModelOutput:
            mean, log_variance = self.layers(x.flatten(1)).chunk(2, -1)
            return ModelOutput(embedding=mean, log_covariance=log_variance)

    class Decoder(BaseDecoder):
        def __init__(self) -> None:
            super().__init__()
            self.layers = stack([LATENT_DIM, *HIDDEN, SHAPE.numel()])

        def forward(self, z: Tensor) -> ModelOutput:
            return ModelOutput(reconstruction=self.layers(z).sigmoid().unflatten(-1, SHAPE))

    config = VAE_LinNF_Config(
        input_dim=tuple(SHAPE), latent_dim=LATENT_DIM, reconstruction_loss="bce",
        flows=["Planar"] * flow_length,
    )  # fmt: skip
    model = VAE_LinNF(config, encoder=Encoder(), decoder=Decoder()).eval()
    return lambda x, samples: model.get_nll(x, n_samples=samples)


def seconds(run: Callable[[], object]) -> float:
    """How long it takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


@torch.no_grad()
def main() -> None:
    """Lets the contenders take turns and prints a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--samples", type=int, default=5000, help="draws an image")
    parser.add_argument("--flow-length", type=int, default=10)
    args = parser.parse_args()
    prepare_libraries()  # as the command does
    x = (torch.rand(args.images, *SHAPE) > 0.5).float()
    plain = our_model(DiagonalPosterior)
    planar = our_model(partial(PlanarPosterior, flow_length=args.flow_length))
    few = x[: -(-args.images // 10)]
    base = "decoder products"
    contenders: dict[str, tuple[int, Callable[[], object]]] = {
        base: (len(x), lambda: decoder_products(plain, len(x), args.samples)),
        "vae-eval, diagonal": (len(x), lambda: ours(plain, x, args.samples)),
        f"vae-eval, planar {args.flow_length}": (len(x), lambda: ours(planar, x, args.samples)),
    }
    with contextlib.suppress(ImportError):
        get_nll = pythae_get_nll(args.flow_length)
        contenders[f"pythae's get_nll, planar {args.flow_length}"] = (
            len(few),
            lambda: get_nll(few, args.samples),
        )
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(args.rounds):
        for name, (images, run) in contenders.items():
            times[name].append(seconds(run) / images)
    print(f"{torch.get_num_threads()} threads, S = {args.samples}, median of {args.rounds} rounds")
    for name, values in times.items():
        ratio = statistics.median(v / b for v, b in zip(values, times[base], strict=True))
        print(f"{name:<30}{1e3 * statistics.median(values):>8.2f} ms an image   {ratio:.2f}")


if __name__ == "__main__":
    main()
