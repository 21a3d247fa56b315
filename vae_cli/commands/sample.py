"""vae-sample: pictures of a trained model."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig, OmegaConf

from vae_cli.commands.entry import Parser, command, prepare_libraries
from vae_cli.config.compose import compose
from vae_cli.config.help import help_of
from vae_cli.config.path_words import as_path
from vae_cli.errors import ConfigError, VaeCliError
from vae_cli.folders import check_name
from vae_cli.run.files import check_writable

if TYPE_CHECKING:
    from rich.console import Console

    from vae_cli.figure.base import Drawing, Figure
    from vae_cli.run.subject import Subject

NEEDED = {"run": "RUN_DIR", "what": "samples"}  # keys, and what they may be


@command("vae-sample")
def main(arguments: list[str]) -> int:
    """Runs the command."""
    own = Parser("sample").read(arguments)
    if own.help:
        print(help_of("sample"))
        return 0
    given = dict(text.split("=", 1) for text in own.overrides if text.startswith(("run=", "what=")))
    missing = [key for key in NEEDED if not given.get(key)]
    if missing:
        example = " ".join(f"{key}={NEEDED[key]}" for key in missing)
        raise VaeCliError(f"{' and '.join(missing)}: not given. Try {example}.")
    others = [text for text in own.overrides if not text.startswith(("run=", "what="))]
    what = given["what"].strip("[]")
    try:
        cfg, _ = compose("sample", [f"figure=[{what}]", *others], own.config_dir)
    except ConfigError as error:
        if error.key != "figure":
            raise
        remedy = error.remedy.replace("figure=", "what=").replace("[", "").replace("]", "")
        raise ConfigError("what", error.value, error.rule, remedy) from error
    OmegaConf.resolve(cfg)
    if cfg.count is not None and (what != "samples" or cfg.format not in ("png", "npz")):
        rule = "goes with what=samples and format=png or npz"
        raise ConfigError("count", cfg.count, rule, "Leave it out.")
    if cfg.label is not None and cfg.count is None:
        raise ConfigError(
            "label", cfg.label, "goes with count", "Add count=100, or try what=styles."
        )
    if cfg.beside is not None and (cfg.count is not None or cfg.format == "gif"):
        rule = "goes with pictures as png, svg, pdf or npz"
        raise ConfigError("beside", cfg.beside, rule, "Leave it out.")
    prepare_libraries()
    from vae_cli.console import make_console
    from vae_cli.run.fit import say
    from vae_cli.run.subject import load_subject

    console, subject = make_console(), load_subject(as_path(given["run"]), cfg)
    for note in subject.notes:
        say(console, note)
    folder = _named_folder(cfg.output) if cfg.output else _own_folder(subject, cfg.beside)
    write = _write_pictures if cfg.count is None else _write_samples
    write(subject, cfg, folder, console)
    return 0


def _own_folder(subject: "Subject", beside: str | None) -> Path:
    """Where in a run's folder its pictures go; those with another run's are not its own."""
    figures = subject.folder.figures
    if beside is None:
        return figures
    name = Path(beside).resolve().name
    check_name("beside", name)
    return figures / f"beside_{name}"


def _named_folder(output: str) -> Path:
    """The folder that the user names, which may be a link."""
    folder = Path(output)
    return folder.resolve() if folder.is_symlink() else folder


def _write_pictures(subject: "Subject", cfg: DictConfig, folder: Path, console: "Console") -> None:
    from vae_cli.config.build import build_each
    from vae_cli.console import print_line
    from vae_cli.run.fit import say
    from vae_cli.run.pictures import draw_all, in_motion, write_picture

    figures = build_each(cfg, "figure")
    drawings = draw_all(subject, figures, cfg.seed)
    if cfg.beside is not None:
        drawings = _beside(subject, drawings, figures, cfg)
    if cfg.format == "gif":
        drawings = in_motion(drawings, subject.folder.path, partial(say, console))
    _make(folder)
    for name, drawing in drawings.items():
        path = folder / f"{name}.{cfg.format}"
        write_picture(drawing, path)
        print_line(console, path)


def _beside(
    subject: "Subject",
    drawings: "Mapping[str, Drawing]",
    figures: "Mapping[str, Figure]",
    cfg: DictConfig,
) -> "dict[str, Drawing]":
    """The pictures, each with that of another run beside it."""
    from vae_cli.figure.beside import beside
    from vae_cli.run.pictures import draw_all
    from vae_cli.run.subject import load_subject

    try:
        other = load_subject(cfg.beside, cfg)
        others = draw_all(other, figures, cfg.seed)
    except ConfigError as error:
        if error.key == "run":
            raise ConfigError("beside", error.value, error.rule, error.remedy) from error
        rule = f"no {error.value} is to be had of it: it {error.rule}"
        raise ConfigError("beside", cfg.beside, rule, error.remedy) from error
    names = (str(subject.folder.path), str(other.folder.path))
    return {name: beside(names, (drawings[name], others[name])) for name in drawings}


def _write_samples(subject: "Subject", cfg: DictConfig, folder: Path, console: "Console") -> None:
    from vae_cli.console import print_line
    from vae_cli.figure.points import are_points
    from vae_cli.progress import progress
    from vae_cli.run.pictures import (
        label_of,
        prior_of,
        sample_chunks,
        write_arrays,
        write_images,
    )

    prior_of(subject.model, cfg.count)  # told before anything is written
    shape = subject.splits[subject.measured].images.shape
    if are_points(shape) and cfg.format == "png":
        rule = "samples are points of the plane, not images"
        raise ConfigError("format", cfg.format, rule, "Try format=npz, or leave out count.")
    temperature = cfg.figure.samples.temperature
    label = None if cfg.label is None else label_of(subject, str(cfg.label))
    chunks = sample_chunks(subject, cfg.count, temperature, cfg.seed, label)
    _make(folder)
    if cfg.format == "npz":
        path = folder / "samples.npz"
        written = write_arrays(chunks, cfg.count, subject.model.latent_dim, shape, path)
    else:
        path = folder / "samples"
        written = write_images(chunks, path, subject.splits[subject.measured].treatment.limits)
    done = 0
    with progress("samples", cfg.count, "images", console) as advance:
        for count in written:
            done += count
            advance(done)
    print_line(console, path)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        rule = f"can't be made ({error.strerror})"
        raise ConfigError("output", folder, rule, "Try output=SOME_WRITABLE_FOLDER.") from error
    check_writable("output", folder, "Try output=SOME_WRITABLE_FOLDER.")
