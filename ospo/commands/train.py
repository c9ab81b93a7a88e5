"""``ospo train``: a query-writing policy, trained with token credit."""

from __future__ import annotations

import argparse
import warnings

from ospo.commands import Commands


def add(commands: Commands) -> None:
    """Add the command; its flags are TRL's and ours, and TRL's parser reads them."""
    parser = commands.add_parser(
        "train", add_help=False, help="train a query-writing policy (ospo train --help)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Train, and print what came of it."""
    # TRL and transformers warn about each other's settings; the user can do nothing about it.
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")
    from rich.console import Console

    from ospo.report.training import live_progress, print_training
    from ospo.train.run import parse, train

    settings, args = parse(options.rest)
    console = Console()
    with live_progress(console) as progress:
        result = train(settings, args, progress=progress)
    print_training(result, console)
