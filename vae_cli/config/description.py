"""What was inferred about the user's own data, in three lines."""

from omegaconf import DictConfig

from vae_cli.config.construct import option_of
from vae_cli.config.suited import option
from vae_cli.data.dataset import Dataset
from vae_cli.data.kind import Kind
from vae_cli.errors import as_written
from vae_cli.likelihood.auto import SUITED, Choice

SUGGESTED = {choice.option for choice in SUITED.values()}
WORDS = {
    "binary": "binary images",
    "grey": "grey images",
    "shaded": "grey images with many shades",
    "colour": "colour images",
    "real": "images of real values",
}


def describe_inferred(cfg: DictConfig, dataset: Dataset, kind: Kind) -> dict[str, str]:
    """What the images are, how they are split and treated, and how they are modelled.

    Returns:
        Lines by name; none for a published set.
    """
    if not dataset.reading:
        return {}
    shape = dataset.train.shape
    sizes = {part: len(images) for part, images in dataset.parts.items()}
    top = 1 if dataset.levels is None else dataset.levels - 1
    values = f"values {kind.low * top:.3g} to {kind.high * top:.3g}"
    size = " x ".join(map(str, (*shape[1:], shape[0])))
    images = f"{sum(sizes.values())} {WORDS[kind.word]}"
    how = f"split by data.seed={cfg.data.seed}" if dataset.pooled else "as the files have them"
    classes = [f"{len(dataset.classes)} classes"] if dataset.classes else []
    treatment = f"binarize={cfg.data.binarize}" + ", dequantize" * cfg.data.dequantize
    parts = f"{sizes['train']} training, {sizes['validation']} validation, {sizes['test']} test"
    return {
        "data": ", ".join([images, size, f"{values} ({dataset.reading[0]})", *dataset.reading[1:]]),
        "split": "; ".join([parts, how, *classes, treatment]),
        "model": f"{_likelihood(cfg)}, batch {cfg.data.batch_size}, {_length(cfg)}",
    }


def _likelihood(cfg: DictConfig) -> str:
    """The likelihood, with those of its options that are not its usual ones."""
    name = option_of(cfg.likelihood)
    usual = option(Choice(name, {})) if name in SUGGESTED else {}
    others = [f"{k}={as_written(v)}" for k, v in cfg.likelihood.items() if usual.get(k, v) != v]
    return f"likelihood={name}" + (f" ({', '.join(others)})" if others else "")


def _length(cfg: DictConfig) -> str:
    steps = f"{cfg.derived.total_steps} steps"
    is_in_epochs = cfg.trainer.max_epochs is not None and not cfg.trainer.fast_dev_run
    return f"{cfg.trainer.max_epochs} epochs = {steps}" if is_in_epochs else steps
