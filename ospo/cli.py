"""The ``ospo`` command: parses, calls, and sets the exit code."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ospo.commands import cache, eval, explain, train
from ospo.errors import InputError, RewardError
from ospo.search.retriever import RetrieverError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    0 done; 1 wrong input, with one sentence on standard error; 2 wrong use, or a missing extra;
    3 a search engine or reward model failed; 130 interrupted.
    """
    parser = argparse.ArgumentParser(
        prog="ospo", description="Token credit for the training of generative search."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for command in (explain, train, eval, cache):
        command.add(commands)
    options, rest = parser.parse_known_args(arguments)
    if rest and options.command != "train":
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    options.rest = rest
    try:
        options.run(options)
    except InputError as error:
        print(f"ospo: {_printable(error)}", file=sys.stderr)
        return 1
    except (RetrieverError, RewardError) as error:
        print(f"ospo: {_printable(error)}", file=sys.stderr)
        return 3
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("ospo", "owen_core"):
            raise
        print(f"ospo: {_missing(error, options)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("ospo: interrupted", file=sys.stderr)
        return 130
    return 0


def _printable(error: Exception) -> str:
    """Return a message on one line, in which no text from outside controls the terminal."""
    line = " ".join(str(error).split())
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)


def _missing(error: ModuleNotFoundError, options: argparse.Namespace) -> str:
    if "owen-core[" in str(error):  # it says itself what to install
        return str(error)
    trains = options.command == "train" or getattr(options, "model", None)
    extra = "train" if trains else "explain"
    return (
        f"{options.command} needs {error.name}, which is not installed; "
        f'run: pip install "owen-core[{extra}]"'
    )


if __name__ == "__main__":
    sys.exit(main())
