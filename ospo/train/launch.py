"""``--accelerate_config``: the same command, started in several processes."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from ospo.errors import InputError
from ospo.train.settings import make_parser

FLAG = "--accelerate_config"


def launch(arguments: Sequence[str]) -> bool:
    """Run ``ospo train`` by ``accelerate launch`` where the flag is given, else return False.

    What follows the flag is a file, or the name of a configuration that TRL brings, such as
    ``zero2`` or ``fsdp2``. Flags that ``ospo train`` does not know, such as ``--num_processes``,
    are for ``accelerate launch``.

    Raises
    ------
    InputError
        The flag names neither.
    """
    if FLAG not in arguments:
        return False
    from accelerate.commands.launch import (
        launch_command,
        launch_command_parser,
    )

    place = arguments.index(FLAG)
    config = _config(*arguments[place + 1 : place + 2])
    rest = [*arguments[:place], *arguments[place + 2 :]]
    ours, theirs = divided(rest)
    command = ["--config_file", str(config), *theirs, "--module", "ospo.cli", "train", *ours]
    launch_command(launch_command_parser().parse_args(command))
    return True


def divided(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the arguments that ``ospo train`` knows, and the others.

    Examples
    --------
    >>> divided(["--rule", "rank", "--num_processes", "2", "--config", "c.yaml"])
    (['--rule', 'rank', '--config', 'c.yaml'], ['--num_processes', '2'])
    """
    parser = make_parser([])
    parser.add_argument("--config")  # TRL's parser takes it out before it parses
    _, theirs = parser.parse_known_args(list(arguments))
    ours, left = [], [*theirs]  # theirs are in the order of the arguments
    for argument in arguments:
        if left and argument == left[0]:
            del left[0]
        else:
            ours.append(argument)
    return ours, theirs


def _config(name: str = "") -> Path:
    known = {
        path.name.removesuffix(".yaml"): Path(str(path))
        for path in resources.files("trl.accelerate_configs").iterdir()
        if path.name.endswith(".yaml")
    }
    if name in known:
        return known[name]
    if not Path(name).is_file():
        raise InputError(
            f"there is no accelerate configuration {name!r}: give a file, or one of "
            f"{', '.join(sorted(known))}"
        )
    return Path(name)
