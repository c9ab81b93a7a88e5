"""Noun phrases, as a spaCy pipeline finds them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ospo.errors import InputError
from ospo.text.segment import Segment, tile
from owen_core.optional import needs

with needs("spacy", "NounChunks"):
    import spacy
    from spacy.language import Language

_WORDS = re.compile(r"\w.*\w|\w", re.DOTALL)


class NounChunks:
    """Cuts a text at its base noun phrases; the words between two of them are a segment too.

    Parameters
    ----------
    pipeline : str or spacy.language.Language
        An installed spaCy pipeline, the folder of one, or one that is loaded; it needs a tagger
        and a dependency parser. None comes with spaCy itself.

    Raises
    ------
    InputError
        If there is no such pipeline, or it cannot find noun phrases.
    ModuleNotFoundError
        If spaCy is not installed.
    """

    def __init__(self, pipeline: str | Language) -> None:
        self.pipeline = _load(pipeline) if isinstance(pipeline, str) else pipeline
        try:
            list(self.pipeline("red shoes").noun_chunks)
        except (NotImplementedError, ValueError) as error:  # no rules for the language; no parser
            raise InputError(
                f"the spaCy pipeline {self.pipeline.meta['name']!r} finds no noun phrases: name "
                "one with a parser for a language that has them, such as en_core_web_sm"
            ) from error

    def __call__(self, text: str) -> tuple[Segment, ...]:
        """Return the segments of a text."""
        return tile(text, self._stretches(text))

    def _stretches(self, text: str) -> Iterator[tuple[int, int]]:
        chunks = [(chunk.start_char, chunk.end_char) for chunk in self.pipeline(text).noun_chunks]
        at = 0
        for start, end in [*chunks, (len(text), len(text))]:
            if between := _WORDS.search(text, at, start):
                yield between.span()
            yield start, end
            at = end


def _load(name: str) -> Language:
    try:
        return spacy.load(name)
    except OSError as error:
        raise InputError(
            f"there is no spaCy pipeline {name!r}: install one (python -m spacy download "
            "en_core_web_sm) or give its folder"
        ) from error
