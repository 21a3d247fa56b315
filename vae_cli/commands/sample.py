"""vae-sample: pictures of trained models."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig, OmegaConf

from vae_cli.commands.entry import command, prepare_libraries
from vae_cli.commands.parser import Parser
from vae_cli.commands.runs import parted, run_folders
from vae_cli.config.compose import compose
from vae_cli.config.grammar import quoted
from vae_cli.config.help import help_of
from vae_cli.config.path_words import as_path
from vae_cli.errors import ConfigError, VaeCliError
from vae_cli.run.files import check_writable

if TYPE_CHECKING:
    from rich.console import Console

    from vae_cli.run.subject import Subject

NEEDED = {"run": "RUN_DIR", "what": "samples"}  # keys, and what they may be
SHORT = {  # keys that are an option of one picture, and that option
    "draw": "figure.samples.draw",
    "from": "figure.interpolations.start",
    "to": "figure.interpolations.end",
}
ENDS = ("from", "to")


@command("vae-sample")
def main(arguments: list[str]) -> int:
    """Runs the command."""
    try:
        return _run(arguments)
    except ConfigError as error:
        short = next((key for key, whole in SHORT.items() if whole == error.key), error.key)
        raise ConfigError(short, error.value, error.rule, error.remedy) from error


def _run(arguments: list[str]) -> int:
    own = Parser("sample").read(arguments)
    if own.help:
        print(help_of("sample"))
        return 0
    named, others = parted(own.overrides)
    given = dict(text.split("=", 1) for text in others if "=" in text)
    given |= {"run": ",".join(filter(None, named))}
    missing = [key for key in NEEDED if not given.get(key)]
    if missing:
        example = " ".join(f"{key}={NEEDED[key]}" for key in missing)
        raise VaeCliError(f"{' and '.join(missing)}: not given. Try {example}.")
    if "beside" in given:
        word = shlex.quote(f"run={given['run']},{given['beside']}")
        raise ConfigError("beside", given["beside"], "is now a further run", f"Try {word}.")
    others = [text for text in others if not text.startswith("what=")]
    cfg, usual = _composed(given["what"].strip("[]"), others, own.config_dir)
    paths = run_folders(named, "vae-sample")
    _check(cfg, given, len(paths))
    prepare_libraries()
    from vae_cli.config.build import build_each
    from vae_cli.console import make_console
    from vae_cli.run.fit import say
    from vae_cli.run.subject import load_subject

    figures = {} if cfg.count is not None else build_each(cfg, "figure")
    console, subjects = make_console(), []
    for path in paths:
        subject = load_subject(
            path, cfg, lambda model: any(each.needs_images(model) for each in figures.values())
        )
        subjects.append(subject)
        for note in subject.notes:
            say(console, note)
    folder = _named_folder(cfg.output) if cfg.output else _own_folder(subjects)
    write = _write_pictures if cfg.count is None else _write_samples
    write(subjects, cfg, usual, folder, console)
    return 0


def _composed(
    what: str, overrides: Sequence[str], config_dir: str | None
) -> tuple[DictConfig, DictConfig]:
    """The configuration that the user asks for, and the one without further wishes."""
    figures = f"figure=[{what}]"
    chosen = [name.strip() for name in what.split(",")]
    whole = [_expanded(text, chosen) for text in overrides]
    try:
        cfg, _ = compose("sample", [figures, *whole], config_dir)
        usual, _ = compose("sample", [figures], config_dir) if whole else (cfg, "")
    except ConfigError as error:
        if error.key != "figure":
            raise
        remedy = error.remedy.replace("figure=", "what=").replace("[", "").replace("]", "")
        raise ConfigError("what", error.value, error.rule, remedy) from error
    for each in (cfg, usual):
        OmegaConf.resolve(each)
    return cfg, usual


def _expanded(text: str, chosen: Sequence[str]) -> str:
    """An override with a short key as the one that it stands for."""
    key, _, value = text.partition("=")
    if key not in SHORT:
        return text
    figure = SHORT[key].split(".")[1]
    if figure not in chosen:
        raise ConfigError(key, value, f"goes with what={figure}", "Leave it out.")
    word = as_path(value)
    is_path = key in ENDS and not word.lstrip("-").isdigit()
    return f"{SHORT[key]}={quoted(word) if is_path else word}"


def _check(cfg: DictConfig, given: dict[str, str], runs: int) -> None:
    """Raises ConfigError for the first key that does not go with the others."""
    if cfg.count is not None and (given["what"] != "samples" or cfg.format not in ("png", "npz")):
        rule = "goes with what=samples and format=png or npz"
        raise ConfigError("count", cfg.count, rule, "Leave it out.")
    if cfg.label is not None and cfg.count is None:
        rule = "goes with count"
        raise ConfigError("label", cfg.label, rule, "Add count=100, or try what=styles.")
    if runs > 1 and (cfg.count is not None or cfg.format == "gif"):
        key = "format" if cfg.count is None else "count"
        rule = f"goes with one run, and run= names {runs}"
        raise ConfigError(key, cfg[key], rule, "Try a picture as png, svg or pdf.")
    if alone := [key for key in ENDS if key in given and not {*ENDS} <= {*given}]:
        other = next(key for key in ENDS if key not in alone)
        raise ConfigError(alone[0], given[alone[0]], "needs the other end", f"Add {other}=87.")


def _own_folder(subjects: "Sequence[Subject]") -> Path:
    """Where in the first run's folder pictures go; those with other runs are not its own."""
    from vae_cli.run.pictures import names_of

    figures = subjects[0].folder.figures
    if len(subjects) == 1:
        return figures
    return figures / "_".join(["with", *names_of(subjects)[1:]]).replace("/", "_")[:100]


def _named_folder(output: str) -> Path:
    """The folder that the user names, which may be a link."""
    folder = Path(output)
    return folder.resolve() if folder.is_symlink() else folder


def _write_pictures(
    subjects: "Sequence[Subject]", cfg: DictConfig, usual: DictConfig, folder: Path,
    console: "Console",
) -> None:  # fmt: skip
    from functools import partial

    from vae_cli.config.build import build_each
    from vae_cli.console import print_line
    from vae_cli.evaluation.variants import variant
    from vae_cli.run.files import sha256_of
    from vae_cli.run.fit import say
    from vae_cli.run.pictures import caption, draw_together, in_motion, write_picture

    figures, first = build_each(cfg, "figure"), subjects[0]
    drawings = draw_together(subjects, figures, cfg.seed)
    if cfg.format == "gif":
        drawings = in_motion(drawings, first.folder.path, partial(say, console))
    _make(folder)
    for name, drawing in drawings.items():
        split = first.measured if figures[name].needs_images(first.model) else None
        path = folder / f"{variant(name, cfg, usual, split)}.{cfg.format}"
        words = caption([(each.config, each.folder) for each in subjects])
        write_picture(drawing, path, words, sha256_of(first.checkpoint))
        print_line(console, path)


def _write_samples(
    subjects: "Sequence[Subject]", cfg: DictConfig, usual: DictConfig, folder: Path,
    console: "Console",
) -> None:  # fmt: skip
    from vae_cli.console import print_line
    from vae_cli.evaluation.samples import (
        label_of,
        prior_of,
        sample_chunks,
        write_arrays,
        write_images,
    )
    from vae_cli.evaluation.variants import variant
    from vae_cli.example import describe_examples, example_kind
    from vae_cli.progress import progress

    subject = subjects[0]
    prior_of(subject.model, cfg.count)  # before anything is written
    split = subject.splits[subject.measured]
    shape = split.images.shape
    if example_kind(shape) != "image" and cfg.format == "png":
        rule = f"needs images, and samples are {describe_examples(shape)}"
        raise ConfigError("format", cfg.format, rule, "Try format=npz, or leave out count.")
    options = cfg.figure.samples
    label = None if cfg.label is None else label_of(subject, str(cfg.label))
    chunks = sample_chunks(subject, cfg.count, options.temperature, options.draw, cfg.seed, label)
    _make(folder)
    path = folder / variant("samples", cfg, usual, None)
    if cfg.format == "npz":
        path = path.with_name(f"{path.name}.npz")
        written = write_arrays(chunks, cfg.count, subject.model.latent_dim, shape, path)
    else:
        written = write_images(chunks, path, split.treatment.limits)
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
