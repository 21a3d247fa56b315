"""vae-eval: how good trained models are, in numbers that carry what they depend on."""

from omegaconf import OmegaConf

from vae_cli.commands.entry import Parser, command, prepare_libraries
from vae_cli.commands.runs import parted, run_folders
from vae_cli.config.compose import compose
from vae_cli.config.help import help_of
from vae_cli.run.files import check_writable
from vae_cli.run.folder import COPY, RunFolder


@command("vae-eval")
def main(arguments: list[str]) -> int:
    """Runs the command."""
    own = Parser("eval").read(arguments)
    if own.help:
        print(help_of("eval"))
        return 0
    named, others = parted(own.overrides)
    cfg, _ = compose("eval", others, own.config_dir)
    OmegaConf.resolve(cfg)
    paths = run_folders(named, "vae-eval")
    prepare_libraries()
    from vae_cli.console import make_console
    from vae_cli.run.comparable import print_comparison
    from vae_cli.run.evaluate import evaluate, named_in
    from vae_cli.run.fit import say
    from vae_cli.run.subject import load_subject
    from vae_cli.run.summary import print_evaluation

    for path in paths:
        folder = RunFolder.existing(path, key="run")  # all, before hours of work on the first
        check_writable("run", folder.path, COPY)
    console, records = make_console(), []
    for path in paths:
        subject = load_subject(path, cfg)
        for note in subject.notes:
            say(console, note)
        record = evaluate(subject, cfg, named_in(others, cfg), console)
        records.append((path, record))
        print_evaluation(record, subject.folder, console)
    if len(records) > 1:
        print_comparison(records, cfg.mixed, console)
    return 0
