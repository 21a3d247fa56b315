"""Kind 8: texts that a terminal, a page, a table or a document would take for more than text."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from rows import Row
from strange_run import StrangeRun, put
from torch.utils.tensorboard import SummaryWriter

TEXTS = {
    "a title of the terminal": "\x1b]0;owned\x07",
    "colours and a clear screen": "\x1b[2J\x1b[31mred",
    "an 8-bit control": "\x9b31mred",
    "a link of the terminal": "\x1b]8;;http://example.org\x1b\\here\x1b]8;;\x1b\\",
    "a carriage return": "good\rvae-train: fine",
    "a newline": "one\nnote: two\nthree",
    "a line separator": "one\u2028two\u2029three",
    "another direction": "\u202egpj.exe\u2066",
    "a zero byte": "a\x00b",
    "backspaces": "abc\b\b\bxyz",
    "a script": "<script>alert('hit')</script>",
    "an image with a handler": "\"><img src=x onerror=alert('hit')>",
    "the end of a style": "</style></title></svg><svg onload=alert('hit')>",
    "a comment's end": "--><script>alert('hit')</script><!--",
    "an address": "javascript:alert('hit')",
    "a template": "{{ 7 * 7 }}{% include '/etc/passwd' %}",
    "a formula": "=cmd|'/c calc'!A1",
    "a formula with a plus": "+1+cmd|'/c calc'!A1",
    "a formula with a minus": "-2+3",
    "a formula with an at": "@SUM(1+1)",
    "a formula behind a tab": "\t=1+1",
    "quotes and commas": '","=1+1,"',
    "a command of LaTeX": "\\input{/etc/passwd}",
    "a shell of LaTeX": "\\immediate\\write18{touch hit}",
    "ends of LaTeX": "} \\end{tabular} \\def\\x{1} % & $ # _ ^ ~",
    "markup of the console": "[bold red]hit[/bold red][link=http://example.org]x[/link]",
    "broken markup of the console": "[/]",
    "a table's rows": "a | b |\n| --- | --- |\n[x](javascript:alert(1))",
    "a long text": "x" * 50_000,
}
FIELDS = (
    "settings",
    "overrides",
    "results",
    "evaluation",
    "records",
    "curves",
    "events",
    "figures",
)


def rows() -> Iterator[Row]:
    for name, text in TEXTS.items():
        yield Row(8, f"each text is {name}", partial(_everywhere, text))
    for name in ("a title of the terminal", "a script", "a formula", "a command of LaTeX",
                 "a newline", "markup of the console"):  # fmt: skip
        for field in FIELDS:
            yield Row(8, f"{field}: {name}", partial(WRITERS[field], TEXTS[name]))
        if "/" not in TEXTS[name]:
            folder = TEXTS[name].replace("'", "")
            yield Row(8, f"the folder's name is {name}", lambda run: None, folder=folder)


def _everywhere(text: str, run: StrangeRun) -> None:
    for write in WRITERS.values():
        write(text, run)


def _settings(text: str, run: StrangeRun) -> None:
    run.everywhere(put("figure.samples.components", text))
    run.everywhere(lambda config: config.update({"run_id": text, text: text, "note": [text]}))
    run.everywhere(lambda config: config["data"].update(binarize=text, path=text))
    run.yamls(lambda config: config["model"].update(_target_=f"vae_cli.model.vae.{text}"))


def _overrides(text: str, run: StrangeRun) -> None:
    run.overrides(text, f"{text}=1", f"run_id={text}")


def _results(text: str, run: StrangeRun) -> None:
    run.json("results.json", lambda found: found.update(
        {"data/binarize": text, "data/images_sha256": text, f"test/{text}": 1.0, "note": text}
    ))  # fmt: skip


def _evaluation(text: str, run: StrangeRun) -> None:
    def change(found: dict[str, Any]) -> None:
        given = dict.fromkeys(("checkpoint", "data", "images_sha256", "device", "binarize", "split",
                               "error", "log_likelihood_estimator", text), text)  # fmt: skip
        found["test"].update(given)
        found["test"]["versions"] = {text: text}
        found[text] = dict(found["test"])

    run.json("evaluation.json", change)
    run.json("finetune.json", lambda found: found.update({text: next(iter(found.values()))}))


def _records(text: str, run: StrangeRun) -> None:
    encoded = text.encode("utf-8", "surrogatepass")
    for name in ("command.txt", "environment.txt"):
        run.write(name, (run / name).read_bytes() + encoded + b"\nvae-cli 0.0 " + encoded + b"\n")


def _curves(text: str, run: StrangeRun) -> None:
    lines = (run / "metrics.csv").read_text().splitlines()
    quoted = text.replace('"', '""').encode("utf-8", "replace").decode()
    table = [f'{line},"{quoted}"' for line in lines]
    run.write("metrics.csv", "\n".join(table) + "\n")


def _events(text: str, run: StrangeRun) -> None:
    tag = text.encode("utf-8", "replace").decode()
    with SummaryWriter(str(run.path), max_queue=1) as writer:
        for step in (1, 2):
            writer.add_scalar(f"validation/{tag}", 1.0, step)
        writer.add_text(tag, tag)


def _figures(text: str, run: StrangeRun) -> None:
    name = text.replace("/", "").replace("\0", "").encode("utf-8", "replace").decode()[:80]
    picture = (run / "figures/samples.png").read_bytes()
    run.write(f"figures/{name}.png", picture)
    run.write(f"figures/{name}.svg", f"<svg xmlns='http://www.w3.org/2000/svg'>{name}</svg>")


WRITERS = {
    "settings": _settings, "overrides": _overrides, "results": _results, "evaluation": _evaluation,
    "records": _records, "curves": _curves, "events": _events, "figures": _figures,
}  # fmt: skip
