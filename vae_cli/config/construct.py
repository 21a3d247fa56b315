"""From a node to the object that it describes: the only place that instantiates."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from vae_cli.config.folders import NETWORK
from vae_cli.errors import NAME, ConfigError, InvalidOption, VaeCliError


def construct(
    cfg: DictConfig, key: str, without: tuple[str, ...] = (), partial: bool = False, **extra: Any
) -> Any:
    """Instantiates a node, or returns None where it is missing.

    Args:
        cfg: The configuration.
        key: Of the node.
        without: Names within it that are not for the constructor.
        partial: Whether to leave the call of the constructor to whoever knows the rest.
        extra: More arguments.

    Raises:
        VaeCliError: With one line in place of what the constructor raised.
    """
    node = OmegaConf.select(cfg, key)
    if not node:
        return None
    names = [name for name in node if name not in without]
    try:
        return instantiate(
            OmegaConf.masked_copy(node, names), _convert_="all", _partial_=partial, **extra
        )
    except InstantiationException as error:
        raise _in_one_line(cfg, key, error) from error


def option_of(node: DictConfig) -> str:
    """What was chosen of a group, in a word: an option bears its module's name, a set its own.

    Of somebody else's class, all of its address.
    """
    target = str(node._target_)
    return str(node.get("name") or (word_of(target) if target.startswith("vae_cli.") else target))


def word_of(target: str) -> str:
    """The word of an address that tells.

    Of ``….digits.load`` and ``….planar.PlanarPosterior`` the module's name, of ``….plane.circles``
    the function's.
    """
    *_, module, member = ["", *target.split(".")]
    return module if member == "load" or not member.islower() else member


@contextmanager
def naming_keys(cfg: DictConfig, key: str) -> Iterator[None]:
    """Turns a mistake in the options of a node's object into one in the configuration."""
    try:
        yield
    except InvalidOption as error:
        raise _in_config(cfg, key, error) from error


def _in_config(cfg: DictConfig, key: str, error: InvalidOption) -> ConfigError:
    whole = error.within(key)
    found = _key_of(cfg, whole.name)
    value, node = whole.value, OmegaConf.select(cfg, found)
    if isinstance(node, DictConfig) and "_target_" in node:  # the part itself is wrong
        value = option_of(node)
        found += "._target_" * (value == node._target_)
    remedy = NAME.sub(lambda name: _key_of(cfg, name[1]), whole.remedy)
    return ConfigError(found, value, whole.rule, remedy)


def _key_of(cfg: DictConfig, name: str) -> str:
    """Where an option is set: those of a model's parts are in the groups that it takes them from.

    Args:
        cfg: The configuration.
        name: Of the option, below the node that it belongs to.
    """
    first, _, rest = name.partition(".")
    part, _, option = rest.partition(".")
    node = OmegaConf.select(cfg, f"{first}.{part}") if part else None
    if first != "model" or not isinstance(node, DictConfig):
        return name
    group = next((each for each in (part, NETWORK) if cfg.get(each) == node), f"{first}.{part}")
    return f"{group}.{option}".rstrip(".")


def _in_one_line(cfg: DictConfig, key: str, error: BaseException) -> VaeCliError:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, InvalidOption):
            return _in_config(cfg, key, cause)
        if isinstance(cause, VaeCliError):
            return cause
        last, cause = cause, cause.__cause__
    option = option_of(OmegaConf.select(cfg, key))
    return ConfigError(key, option, " ".join(str(last).split()) or type(last).__name__)
