"""What somebody else's run may make a command do: build a model and train it, nothing more."""

from pathlib import PurePath

from omegaconf import DictConfig, OmegaConf

from vae_cli.config.signature import signature_of
from vae_cli.errors import ConfigError

# A wider list would let a configuration call torch.hub.load or, through a module's own imports,
# os.system.
PARTS = ("data", "model", "network", "posterior", "prior", "likelihood", "distribution")
MODEL = (*(f"vae_cli.{part}." for part in PARTS), "torch.nn.")
TRAINING = (
    *MODEL,
    *(f"vae_cli.{part}." for part in ("objective", "kl_schedule", "metric", "figure")),
    "vae_cli.training.options.", "vae_cli.training.csv_logger.", "torch.optim.",
    "pytorch_lightning.loggers.",
)  # fmt: skip


def check_targets(node: object, allowed: tuple[str, ...], rule: str) -> None:
    """Checks what a configuration would instantiate, before it does.

    Args:
        node: Of the configuration: dicts and lists.
        allowed: How the names of those things may begin.
        rule: To be told where one does not.

    Raises:
        ConfigError: If so.
    """
    if isinstance(node, dict):
        target = node.get("_target_")
        trusted = str(target).startswith(allowed) and signature_of(str(target)) is not None
        if target is not None and not trusted:
            raise ConfigError("_target_", target, rule, "If you trust the run, try trust=true.")
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            check_targets(child, allowed, rule)


def check_training(cfg: DictConfig) -> None:
    """Checks that a run that is gone on with is made of known parts, unless ``trust`` says so.

    Raises:
        ConfigError: If not.
    """
    if not cfg.trust:
        rule = "a run may only be made of this package's parts and torch's"
        check_targets(OmegaConf.to_container(cfg), TRAINING, rule)


def check_paths(cfg: DictConfig) -> None:
    """Checks that a run's curves stay within its folder.

    Raises:
        ConfigError: If they would not.
    """
    for name, value in (cfg.get("logger") or {}).items():
        path = PurePath(value) if isinstance(value, str) else PurePath()
        if path.is_absolute() or ".." in path.parts:
            rule = "leads out of the run's folder"
            raise ConfigError(f"logger.{name}", value, rule, "Leave it out.")
