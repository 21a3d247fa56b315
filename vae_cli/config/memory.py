"""Whether a model fits into the machine, found out without allocating it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from math import prod
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf
from torch import Size, Tensor
from torch.autograd.graph import saved_tensors_hooks

from vae_cli.config.agreement import FOUND
from vae_cli.data.batch import Batch
from vae_cli.errors import ConfigError, VaeCliError
from vae_cli.memory import as_bytes, is_overflow, machine_memory
from vae_cli.model.base import Model
from vae_cli.model.labelled import LabelledModel
from vae_cli.objective.base import Objective, Player

COPIES = 4  # of the weights: themselves, their gradients and two moments in the optimizer
SIZES = (
    "latent_dim",
    "network",
    "encoder",
    "decoder",
    "posterior",
    "objective",
    "data.size",
    "data.shape",
    "data.batch_size",
)


@contextmanager
def sizes_counted(cfg: DictConfig) -> Iterator[None]:
    """Within it, a tensor too large for its bytes to be counted is the configuration's fault.

    Raises:
        ConfigError: If there is one.
    """
    try:
        yield
    except (RuntimeError, VaeCliError) as error:
        if not is_overflow(error):
            raise
        key, value = _largest(cfg)
        rule = "takes more memory than any machine has"
        raise ConfigError(key, value, rule, f"Try a smaller {key}.") from error


def check_weights(cfg: DictConfig, model: Model) -> None:
    """Checks that a model's weights can be trained here.

    Args:
        cfg: Its configuration.
        model: On the meta device, where tensors have shapes but no values.
    """
    count = sum(p.numel() for p in model.parameters())
    needed = COPIES * sum(p.numel() * p.element_size() for p in model.parameters())
    _check(cfg, needed, machine_memory(), f"training its {count:.4g} weights")


def check_step(cfg: DictConfig, model: Model, objective: Objective[Any]) -> None:
    """Checks that one step of training fits: what the gradient needs of it is kept till its end.

    What an operation needs that the meta device does not know is not counted, nor what follows
    it: a lower bound.
    """
    on_gpu = cfg.accelerator.kind != "cpu" and torch.cuda.is_available()
    there = torch.cuda.get_device_properties(0).total_memory if on_gpu else machine_memory()
    if _step_bound(cfg, model) <= there:  # the rest takes a second, of which most is imports
        return
    size, shape = cfg.data.batch_size, Size(cfg.derived.shape)
    needed = max(_kept_bytes(player, model, size, shape) for player in objective.players(model))
    if cfg.accelerator.precision != "32-true":
        needed //= 2
    _check(cfg, needed // _processes(cfg), there, "one step of training")


def _step_bound(cfg: DictConfig, model: Model) -> int:
    """A generous bound on the bytes that a step keeps, without looking into the model.

    For each row of a batch a layer has at most as many outputs as weights, and a convolution so
    many at each position. Classes and draws multiply the rows.
    """
    positions = Size(cfg.derived.shape[1:]).numel()
    outputs = sum(p.numel() * (positions if p.ndim > 2 else 1) for p in model.parameters())
    sizes = [n for key, n in cfg.objective.items() if f"objective.{key}" not in FOUND]
    draws = prod(n for n in sizes if isinstance(n, int) and n > 1)
    classes = model.classes if isinstance(model, LabelledModel) else 1
    return 4 * cfg.data.batch_size * draws * classes * outputs


def _kept_bytes(player: Player[Any], model: Model, size: int, shape: Size) -> int:
    """Bytes that a player's loss keeps for its gradient, as far as the meta device knows them."""
    kept: dict[int, Tensor] = {}  # by storage: several views of one count once

    def keep(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage()._cdata] = tensor
        return tensor

    with torch.device("meta"), saved_tensors_hooks(keep, lambda tensor: tensor):
        x, number = torch.empty(size, *shape), torch.empty(size, dtype=torch.int64)
        try:
            player.loss(model, Batch(x, x, number, number), 1.0)
        except (RuntimeError, NotImplementedError) as error:
            if is_overflow(error):
                raise
    return sum(tensor.untyped_storage().nbytes() for tensor in kept.values())


def check_widths(key: str, widths: Sequence[int]) -> None:
    """Checks that hidden layers of these widths can be trained here.

    Raises:
        ConfigError: If not even the weights between them can.
    """
    count = sum(widths) + sum(a * b for a, b in pairwise(widths))
    needed, there = COPIES * 4 * count, machine_memory()
    if needed > there:
        rule = f"its weights take {as_bytes(needed)}, and there are {as_bytes(there)} of memory"
        raise ConfigError(key, list(widths), rule, f"Try a smaller {key}.")


def _processes(cfg: DictConfig) -> int:
    """Among which a step's images are shared out."""
    devices = cfg.accelerator.devices
    return cfg.accelerator.nodes * (devices if isinstance(devices, int) else len(devices))


def _check(cfg: DictConfig, needed: int, there: int, what: str) -> None:
    if needed > there:
        key, value = _largest(cfg)
        rule = f"{what} takes {as_bytes(needed)}, and there are {as_bytes(there)} of memory here"
        raise ConfigError(key, value, rule, f"Try a smaller {key}.")


def _largest(cfg: DictConfig) -> tuple[str, Any]:
    """The size in the configuration that is most to blame: the largest number of all."""
    found: list[tuple[int, str, Any]] = []
    for key in SIZES:
        node = OmegaConf.select(cfg, key)
        plain = OmegaConf.to_container(node) if OmegaConf.is_config(node) else node
        items = plain.items() if isinstance(plain, dict) else [("", plain)]
        for name, value in items:
            numbers = value if isinstance(value, list) else [value]
            dotted = f"{key}.{name!s}".rstrip(".")
            found += [(n, dotted, value) for n in numbers if isinstance(n, int)]
    _, key, value = max(found, key=lambda item: item[0])
    return key, value
