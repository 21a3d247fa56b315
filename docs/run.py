"""Runs the marked commands of the README and the documents, and compares what they print.

    python docs/run.py                     every page
    python docs/run.py docs/compare.md     one page
    python docs/run.py --list              the pages and their numbers of marked blocks

A line ``<!-- run -->`` above a ``sh`` or ``python`` fence marks it to be run;
``<!-- run: exit 2 -->`` expects that exit code. The marked blocks of a page run in order, in one
fresh empty folder. A line ``<!-- prints -->`` above a fence says that the fence is the output of
the block before it. Numbers, spaces and the order of lines may differ, since another processor may
rank close results in another order; a line ``…`` stands for any lines.
"""

import argparse
import difflib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MARK = re.compile(r"<!-- (run|prints)(?:: exit (\d+))? -->")
NUMBER = re.compile(r"(?<![A-Za-z_])[-+−]?\d[\d.,:_-]*(?:e[-+]?\d+)?")
SHELLS = {
    "sh": ["bash", "-euo", "pipefail", "-c"],
    "python": [sys.executable, "-c"],
}


@dataclass
class Block:
    """A fence that a page marks to be run, and the output that the page prints for it."""

    page: Path
    line: int
    language: str
    text: str
    exit_code: int = 0
    prints: str | None = None


def read_blocks(page: Path) -> list[Block]:
    """Give the marked blocks of a page, in order.

    Raises:
        ValueError: A mark stands where no fence follows, or an output where no command precedes.
    """
    lines = page.read_text(encoding="utf-8").splitlines()
    blocks: list[Block] = []
    for i, line in enumerate(lines):
        mark = MARK.fullmatch(line.strip())
        if mark is None:
            if line.strip().startswith(("<!-- run", "<!-- prints")):
                raise ValueError(f"{page}:{i + 1}: unknown mark {line.strip()}")
            continue
        fence = re.fullmatch(r"\s*```(\w+)", lines[i + 1]) if i + 1 < len(lines) else None
        if fence is None:
            raise ValueError(f"{page}:{i + 1}: no fence with a language follows the mark")
        body = list(_until_fence_ends(lines[i + 2 :]))
        if mark[1] == "prints":
            if not blocks or blocks[-1].prints is not None:
                raise ValueError(f"{page}:{i + 1}: this output belongs to no marked block")
            blocks[-1].prints = "\n".join(body)
        elif fence[1] not in SHELLS:
            raise ValueError(f"{page}:{i + 1}: only sh and python blocks can run")
        else:
            blocks.append(
                Block(page, i + 1, fence[1], "\n".join(body), exit_code=int(mark[2] or 0))
            )
    return blocks


def _until_fence_ends(lines: list[str]) -> Iterator[str]:
    for line in lines:
        if line.strip() == "```":
            return
        yield line
    raise ValueError("a fence does not end")


def normalise(text: str) -> list[str]:
    """Replace numbers by ``#``, shorten spaces and rules; drop empty lines, ≥ and ≤."""
    lines = (NUMBER.sub("#", re.sub(r"[─━]+", "─", line)) for line in text.splitlines())
    lines = (re.sub(r"[≥≤] #", "#", line) for line in lines)
    return [joined for line in lines if (joined := " ".join(line.split()))]


def matches(expected: list[str], printed: list[str]) -> bool:
    """Whether the lines are the same in any order; with a line ``…``, whether all are printed."""
    missing, more = Counter(expected), Counter(printed)
    elided = missing.pop("…", 0)
    return not missing - more and (elided > 0 or not more - missing)


def run_page(page: Path) -> list[str]:
    """Run the marked blocks of a page in a fresh folder; give one text for each fault."""
    start, faults = time.monotonic(), []
    environment = dict(os.environ, OMP_NUM_THREADS="1", MPLBACKEND="agg")
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    environment.pop("VAE_CLI_CONF", None)
    blocks = read_blocks(page)
    with tempfile.TemporaryDirectory() as folder:
        for block in blocks:
            done = subprocess.run(
                [*SHELLS[block.language], block.text],
                cwd=folder,
                env=environment,
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )
            fault = describe_fault(block, done.returncode, done.stdout)
            if fault:
                faults.append(f"{page.relative_to(ROOT)}:{block.line}: {fault}")
            if done.returncode != block.exit_code:
                break  # what follows builds on this
    seconds = time.monotonic() - start
    print(f"{page.relative_to(ROOT)}: {len(blocks)} blocks, {seconds:.0f} s", flush=True)
    return faults


def describe_fault(block: Block, exit_code: int, output: str) -> str | None:
    """Say what is wrong with the outcome of a block, or give None."""
    if exit_code != block.exit_code:
        tail = "\n".join(output.splitlines()[-20:])
        return f"exit code {exit_code}, not {block.exit_code}:\n{block.text}\n{tail}"
    if block.prints is None:
        return None
    expected, printed = normalise(block.prints), normalise(output)
    if matches(expected, printed):
        return None
    return "the page prints something else:\n" + "\n".join(
        difflib.unified_diff(expected, printed, "page", "command", lineterm="", n=1)
    )


def main() -> int:
    """Run the pages that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", nargs="*", type=Path)
    parser.add_argument("--list", action="store_true", help="list the pages, run nothing")
    parser.add_argument("--jobs", type=int, default=2, help="pages at once")
    arguments = parser.parse_args()
    pages = [page.resolve() for page in arguments.pages] or [
        ROOT / "README.md",
        *sorted((ROOT / "docs").rglob("*.md")),
    ]
    pages = [page for page in pages if read_blocks(page)]
    if arguments.list:
        for page in pages:
            print(f"{len(read_blocks(page)):4} {page.relative_to(ROOT)}")
        return 0
    with ThreadPoolExecutor(arguments.jobs) as pool:
        faults = [fault for found in pool.map(run_page, pages) for fault in found]
    print("\n\n".join(faults) or "every marked command runs and prints what its page says")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
