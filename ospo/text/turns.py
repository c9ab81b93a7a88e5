"""Turns: the segments of a conversation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from ospo.errors import InputError
from ospo.text.segment import Segment, tile

SPEAKERS = ("user", "assistant", "system", "tool", "human", "ai", "bot", "customer", "agent")


class Turns:
    r"""Cuts a conversation into what each speaker said in turn.

    A turn starts at a line that begins with a speaker and a colon (``User: ...``), or where chat
    markup says so (``<|im_start|>user``). Its speaker belongs to its phrase. What is before the
    first turn is a segment too, and a text without turns is one segment.

    Parameters
    ----------
    speakers : sequence of str
        Who speaks; in any case.

    Raises
    ------
    InputError
        If there is no speaker, or one has no name.

    Examples
    --------
    >>> chat = "User: trail shoes?\nAssistant: Which size?\nUser: 42,\nand red"
    >>> [s.phrase for s in Turns()(chat)]
    ['User: trail shoes?', 'Assistant: Which size?', 'User: 42,\nand red']
    """

    def __init__(self, speakers: Sequence[str] = SPEAKERS) -> None:
        if not speakers or not all(name.strip() for name in speakers):
            raise InputError(f"{list(speakers)} are no speakers: name each, such as user")
        names = "|".join(map(re.escape, speakers))
        self._turn = re.compile(
            rf"^[^\S\n]*+(?:{names})[^\S\n]?:|<\|im_start\|>", re.IGNORECASE | re.MULTILINE
        )

    def __call__(self, text: str) -> tuple[Segment, ...]:
        """Return the segments of a text."""
        starts = (turn.start() for turn in self._turn.finditer(text))
        return tile(text, pairwise([0, *starts, len(text)]))
