"""Trains, measures and shows variational autoencoders from one line of configuration."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vae_cli.evaluation.trained import TrainedModel, load

__all__ = ["TrainedModel", "__version__", "load"]
__version__ = "0.2.0"


def __getattr__(name: str) -> Any:
    """``load`` and what it gives, which take torch along: not before they are asked for."""
    if name not in ("TrainedModel", "load"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from vae_cli.evaluation import trained

    return getattr(trained, name)
