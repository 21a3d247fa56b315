"""Everything that a run's folder tells of itself."""

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from yaml import YAMLError

from vae_cli.errors import ConfigError
from vae_cli.report.curves import Curve, read_curves
from vae_cli.run.folder import RunFolder
from vae_cli.run.settings import plain, settings, treatment_of

PNG = b"\x89PNG\r\n\x1a\n"  # how such a file begins
TESTED = "test/"


@dataclass(frozen=True)
class RunRecord:
    """A run, as far as it has come.

    Attributes:
        name: Its folder, as the user named it.
        results: ``results.json``; empty while it is unfinished.
        evaluation: ``evaluation.json``, by split.
        settings: Its configuration by dotted keys; its group's own key names the class.
        config: The same as a yaml.
        overrides: What the user chose.
        commands: The command lines, that of each resume too.
        environment: Versions, platform, commits.
        curves: By name.
        pictures: By name, as ``data:`` addresses.
        comparable: The numbers that runs are compared by, with the data that they depend on; only
            the latter while there are none.
    """

    name: str
    results: dict[str, Any]
    evaluation: dict[str, dict[str, Any]]
    settings: dict[str, Any]
    config: str
    overrides: list[str]
    commands: list[str]
    environment: str
    curves: dict[str, Curve]
    pictures: dict[str, str]
    comparable: dict[str, Any]


def read_run(path: str) -> RunRecord:
    """Reads a run's folder.

    Raises:
        ConfigError: If it is none, or something in it can't be read.
    """
    folder = RunFolder.existing(path, key="run")
    file = folder.path
    try:
        config = OmegaConf.create(folder.config.read_text(encoding="utf-8"))
        if not isinstance(config, DictConfig):
            raise TypeError("config.yaml holds no keys")
        results = json.loads(_text(folder.results) or "{}")
        evaluation = json.loads(_text(folder.evaluation) or "{}")
        return RunRecord(
            name=path,
            results=results,
            evaluation=evaluation,
            settings=_settings(config),
            config=OmegaConf.to_yaml(config),
            overrides=folder.saved_overrides(),
            commands=_text(file / "command.txt").splitlines(),
            environment=_text(file / "environment.txt"),
            curves=read_curves(file),
            pictures=_pictures(folder.figures),
            comparable=_comparable(config, results, evaluation),
        )
    except (YAMLError, ValueError, TypeError, AttributeError, KeyError, OSError) as error:
        rule = f"a file in it can't be read ({' '.join(str(error).split())[:120]})"
        raise ConfigError("run", path, rule, "Is it whole, and a run of vae-train?") from error


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def _settings(config: DictConfig) -> dict[str, Any]:
    return {"model": config.model._target_.rpartition(".")[2], **settings(plain(config))}


def _pictures(folder: Path) -> dict[str, str]:
    found = {}
    for file in sorted(folder.glob("*.png")):
        content = file.read_bytes()
        if content.startswith(PNG):
            found[file.stem] = f"data:image/png;base64,{base64.b64encode(content).decode()}"
    return found


def _comparable(
    config: DictConfig, results: dict[str, Any], evaluation: dict[str, Any]
) -> dict[str, Any]:
    """Of vae-eval where it has been, else of the test at the end of training."""
    if "test" in evaluation:
        return evaluation["test"]
    tested = {k.removeprefix(TESTED): v for k, v in results.items() if k.startswith(TESTED)}
    path = config.data.get("path")
    images = {"data_path": path, "images_sha256": results.get("data/images_sha256")}
    return {**treatment_of(plain(config)), **images, "split": "test", **tested}
