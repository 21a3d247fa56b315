"""From a node to the object that it describes: the only place that instantiates."""

from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from vae_cli.errors import ConfigError, VaeCliError


def construct(
    cfg: DictConfig, key: str, without: tuple[str, ...] = (), partial: bool = False, **extra: Any
) -> Any:
    """Instantiates a node, or returns None where there is none.

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
        raise _in_one_line(error, key, option_of(node)) from error


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


def _in_one_line(error: BaseException, key: str, option: str) -> VaeCliError:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ConfigError) and "." not in cause.key:
            return ConfigError(f"{key}.{cause.key}", cause.value, cause.rule, cause.remedy)
        if isinstance(cause, VaeCliError):
            return cause
        last, cause = cause, cause.__cause__
    return ConfigError(key, option, " ".join(str(last).split()) or type(last).__name__)
