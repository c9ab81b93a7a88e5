"""Segmenters by name, as they are written on the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain

from ospo.errors import InputError
from ospo.text.answer import Answer
from ospo.text.fields import Fields
from ospo.text.npmi import NPMI
from ospo.text.prose import lines, sentences
from ospo.text.segment import DELIMITERS, Delimiters, Segmenter, segment, words
from ospo.text.turns import SPEAKERS, Turns

# The columns of a catalogue, for the segmenters that learn from it.
Columns = Mapping[str, Sequence[str]]


def load_segmenter(name: str, columns: Columns | None = None) -> Segmenter:
    r"""Return the segmenter that a name stands for.

    ========================  ===================================================================
    ``phrases``               at commas, semicolons and new lines, or into words if there are none
    ``delimiters``            at commas, semicolons and new lines; ``delimiters:|\n`` at others,
                              where ``\n`` and ``\t`` are a new line and a tab
    ``words``                 at white space
    ``lines``, ``sentences``  by lines, by sentences
    ``fields``                ``title: ... brand: ...``, or the same in tags;
                              ``fields:title,brand`` only at these names
    ``turns``                 of a conversation; ``turns:ana,ben`` names who speaks
    ``npmi``                  by what the titles of the catalogue say together;
                              ``npmi:title,description`` by those columns
    ``spacy:PIPELINE``        at the noun phrases that a spaCy pipeline finds
    ``answer``                what is inside ``<answer>...</answer>``, as ``phrases``;
                              ``answer:NAME`` cuts it as any of these
    ========================  ===================================================================

    Parameters
    ----------
    name : str
    columns : mapping, optional
        The text columns of the catalogue (``catalogue.fields``), for ``npmi``.

    Raises
    ------
    InputError
        Nothing goes by that name, or what it needs is missing.
    ModuleNotFoundError
        spaCy is not installed.

    Examples
    --------
    >>> segmenter = load_segmenter("answer:delimiters:|")
    >>> [s.phrase for s in segmenter("<answer>trail shoes | size 42</answer>")]
    ['trail shoes', 'size 42']
    """
    kind, colon, argument = name.partition(":")
    if kind in LOADERS:
        return LOADERS[kind](argument, columns)
    if kind not in PLAIN:
        known = ", ".join([*PLAIN, *LOADERS])
        raise InputError(f"there is no segmenter {name!r}: choose one of {known}")
    if colon:
        raise InputError(f"the segmenter {kind!r} has no settings: write it without {argument!r}")
    return PLAIN[kind]


def _delimiters(characters: str, _: Columns | None) -> Segmenter:
    return Delimiters(characters.replace(r"\n", "\n").replace(r"\t", "\t") or DELIMITERS)


def _fields(names: str, _: Columns | None) -> Segmenter:
    return Fields(_listed(names))


def _turns(speakers: str, _: Columns | None) -> Segmenter:
    return Turns(_listed(speakers) or SPEAKERS)


def _npmi(names: str, columns: Columns | None) -> Segmenter:
    chosen = _listed(names) or ["title"]
    if columns is None:
        raise InputError("the segmenter 'npmi' learns from a catalogue: name the data to read")
    missing = [column for column in chosen if column not in columns]
    if missing:
        raise InputError(
            f"the catalogue has no column {missing[0]!r}: choose from {', '.join(columns)}"
        )
    return NPMI(chain.from_iterable(columns[column] for column in chosen))


def _spacy(pipeline: str, _: Columns | None) -> Segmenter:
    from ospo.text.noun_chunks import NounChunks

    return NounChunks(pipeline)


def _answer(inside: str, columns: Columns | None) -> Segmenter:
    return Answer(load_segmenter(inside or "phrases", columns))


def _listed(names: str) -> list[str]:
    return [name.strip() for name in names.split(",")] if names else []


PLAIN: dict[str, Segmenter] = {
    "phrases": segment,
    "words": words,
    "lines": lines,
    "sentences": sentences,
}
LOADERS: dict[str, Callable[[str, Columns | None], Segmenter]] = {
    "delimiters": _delimiters,
    "fields": _fields,
    "turns": _turns,
    "npmi": _npmi,
    "spacy": _spacy,
    "answer": _answer,
}
