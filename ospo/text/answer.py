"""Answers: the part of a completion that the retriever sees."""

from __future__ import annotations

import re
from dataclasses import replace

from ospo.errors import InputError
from ospo.text.segment import Segment, Segmenter, segment


class Answer:
    """Segments of the text inside ``<answer>...</answer>``, and of nothing else.

    Only what a completion answers reaches the retriever: the segments tile the inside of the last
    complete pair of tags that holds no such tag itself. Their positions are those of the whole
    text, so credit finds the tokens of the answer; reasoning before it, and the tags, get none.
    A text without a complete pair has no segments: nothing reaches the retriever.

    Parameters
    ----------
    inside : Segmenter
        Cuts the answer.
    tag : str
        Name of the tag; letters, digits, ``-`` and ``_``.

    Raises
    ------
    InputError
        If that is no name of a tag.

    Examples
    --------
    >>> text = "<think>red or blue?</think><answer>trail shoes, red</answer>"
    >>> [(s.start, s.phrase) for s in Answer()(text)]
    [(35, 'trail shoes'), (48, 'red')]
    """

    def __init__(self, inside: Segmenter = segment, *, tag: str = "answer") -> None:
        if not re.fullmatch(r"[\w-]+", tag):
            raise InputError(f"{tag!r} is no name of a tag: write it as in <answer>, without <>")
        self.inside = inside
        self.opening, self.closing = f"<{tag}>", f"</{tag}>"

    def __call__(self, text: str) -> tuple[Segment, ...]:
        """Return the segments of the answer, with their positions in the text."""
        opened = text.rfind(self.opening, 0, max(0, text.rfind(self.closing)))
        if opened < 0:
            return ()
        start = opened + len(self.opening)
        answer = text[start : text.index(self.closing, start)]
        return tuple(
            replace(
                s, start=s.start + start, end=s.end + start, phrase_start=s.phrase_start + start
            )
            for s in self.inside(answer)
        )
