"""How the processes of a run find each other, or find out that there is only one."""

from collections.abc import Callable

from vae_cli.config.compose import preset_value
from vae_cli.config.request import Request
from vae_cli.config.trust import check_saved
from vae_cli.errors import ConfigError, VaeCliError
from vae_cli.launch.launch import Launch, clear_environment, find_launch, is_first_process
from vae_cli.launch.libraries import prepare_libraries
from vae_cli.launch.meeting import PATIENCE, Meeting
from vae_cli.launch.server import BRIEF
from vae_cli.run.folder import RunFolder

AUTO = "auto"  # value of ``resume``: the run of this name or job, if there is one
FindRun = Callable[[str, str], str]  # of a key and its value


def resume_word(request: Request) -> str:
    """The value of ``resume``, from the command line or a preset of the user's; empty for none."""
    if request.names("resume"):
        word = request.value("resume")
    else:
        word = preset_value(request.config_name, request.texts, request.config_dir, "resume")
    return "" if word in (None, "null") else str(word)


def meet(request: Request, meeting: Meeting, find_run: FindRun) -> Launch:
    """Finds out how this process was started, and finds the other processes of the run.

    The environment may hold variables of another launch. Nobody waits long for processes that the
    settings do not have.

    Args:
        request: What the run is asked to be.
        meeting: With the other processes.
        find_run: Finds the folder that ``resume`` names.

    Raises:
        ConfigError: If the environment contradicts itself or the settings.
    """
    launch, mistake = find_launch(), None
    clear_environment(launch, is_lone=launch.size == 1)
    if launch.may_have_others:
        asked = _devices(request, find_run)
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


def _devices(request: Request, find_run: FindRun) -> tuple[int | list[int], int] | None:
    """Devices and nodes of a run; None if its settings have a mistake, which is reported later."""
    word, saved = resume_word(request), list[str]()
    try:
        if word not in ("", AUTO):
            path = find_run("resume", word) if is_first_process() else word
            saved = RunFolder.existing(path).saved_overrides()
        saved = check_saved(saved, request.config_dir, trust=False)
        about = Request.of(request.config_name, saved).within("accelerator").texts
        cfg, _ = request.without("resume").after(about).compose()
        return cfg.accelerator.devices, cfg.accelerator.nodes
    except VaeCliError:
        return None
