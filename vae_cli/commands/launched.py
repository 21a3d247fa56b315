"""How the processes of a run find each other, or find out that there is only one."""

from vae_cli.commands.entry import prepare_libraries
from vae_cli.config.compose import compose, last_of_each
from vae_cli.config.trust import check_saved
from vae_cli.errors import ConfigError, VaeCliError
from vae_cli.launch.launch import Launch, clear_environment, find_launch
from vae_cli.launch.meeting import PATIENCE, Meeting
from vae_cli.launch.server import BRIEF
from vae_cli.run.folder import RunFolder


def meet(
    meeting: Meeting, config_name: str, chosen: list[str], config_dir: str | None, resumed: str
) -> Launch:
    """Finds out how this process was started, and finds the other processes of the run.

    Variables of another launch may be left in the environment. Nobody waits long for processes
    that the settings do not speak of.

    Args:
        meeting: With the other processes.
        config_name, chosen, config_dir: What was chosen, but for ``resume``.
        resumed: The value of ``resume``.

    Raises:
        ConfigError: If the environment contradicts itself or the settings.
    """
    launch, mistake = find_launch(), None
    clear_environment(launch, is_lone=launch.size == 1)
    if launch.may_have_others:
        asked = _devices(config_name, chosen, config_dir, resumed)
        try:
            is_lone = asked is not None and launch.check(*asked) == 1
            clear_environment(launch, is_lone)
            launch = find_launch()
        except ConfigError as error:
            mistake = error
    if launch.may_have_others:
        prepare_libraries()  # torch is needed to meet them
    try:
        meeting.join(launch, PATIENCE if mistake is None else BRIEF)
    except ConfigError as error:
        raise mistake or error from error
    return launch


def _devices(
    config_name: str, chosen: list[str], config_dir: str | None, resumed: str
) -> tuple[int | list[int], int] | None:
    """Devices and nodes of a run; None where its settings have a mistake, reported later."""
    try:
        saved = list[str]()
        if resumed not in ("", "null", "auto"):
            saved = RunFolder.existing(resumed).saved_overrides()
        saved = check_saved(saved, config_dir, trust=False)
        about = [text for text in saved if text.startswith("accelerator")]
        cfg, _ = compose(config_name, last_of_each([*about, *chosen]), config_dir)
        return cfg.accelerator.devices, cfg.accelerator.nodes
    except VaeCliError:
        return None
