"""``ospo train``: a query-writing policy, trained with token credit."""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Sequence
from pathlib import Path

from ospo.commands import Commands


def add(commands: Commands) -> None:
    """Add the command; its flags are TRL's and ours, and TRL's parser reads them."""
    parser = commands.add_parser(
        "train", add_help=False, help="train a query-writing policy (ospo train --help)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Train, and print what came of it; or write the report of a run that is there."""
    asked = _asked(options.rest)
    if asked.report is not None:
        from ospo.report.run_page import write_run_page

        print(f"wrote {write_run_page(asked.report, asked.baseline)}")
        return
    # TRL and transformers warn about each other's settings; the user can do nothing about it.
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")
    from ospo.train.launch import launch

    if launch(options.rest):
        return
    from rich.console import Console

    from ospo.report.run_page import write_run_page
    from ospo.report.training import live, print_training
    from ospo.train.run import train
    from ospo.train.settings import parse

    settings, args = parse(options.rest)
    console = Console(quiet=args.process_index > 0)
    with live(console) as view:
        result = train(settings, args, view=view)
    if result is not None:
        print_training(result, console)
        page = write_run_page(result.folder)
        console.print(f"report    {page}", highlight=False, markup=False, soft_wrap=True)


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the run whose report is asked for, and its baseline; None where it is to train.

    They are not flags of a training, in which ``--baseline`` is what rewards are measured against.
    """
    parser = argparse.ArgumentParser(prog="ospo train", add_help=False, allow_abbrev=False)
    parser.add_argument("--report", type=Path, metavar="RUN")
    parser.add_argument("--baseline", type=Path, metavar="RUN")
    asked, rest = parser.parse_known_args(arguments)
    if asked.report is not None and rest:
        parser.error(f"--report RUN takes --baseline RUN and nothing else, got {' '.join(rest)}")
    return asked
