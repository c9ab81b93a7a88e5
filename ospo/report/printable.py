"""Text from outside on a terminal: nothing in it is ever interpreted, and any terminal shows it."""

from __future__ import annotations

import unicodedata

from rich.console import Console, Group, RenderableType

LEFT_TO_RIGHT_MARK = "\u200e"
# A terminal without Unicode gets one character for each of ours, so that columns stay in line.
_PLAIN = {
    **dict.fromkeys(map(ord, "█▉▊▋▌"), "#"),
    **dict.fromkeys(map(ord, "▍▎▏"), ":"),
    **str.maketrans("▒−—·×±→↑↓…", "~--.x~>^v."),
    **str.maketrans("ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ′", "abcdefghijklmnoprstuvwxyz'"),
    ord(LEFT_TO_RIGHT_MARK): None,
}


def printable(text: str) -> str:
    r"""Return a text with a visible sign for each character that would control the terminal.

    These are control characters, the embeddings and overrides that turn the order of what
    follows, and halves of surrogate pairs.

    Examples
    --------
    >>> printable("\x1b[31mred\x07, lamp\u202e")
    '␛[31mred␇, lamp�'
    """
    return "".join(map(_sign, text)) if not text.isprintable() else text


def _sign(character: str) -> str:
    if unicodedata.category(character) not in ("Cc", "Cs") and character not in _TURNS:
        return character
    if character < " ":
        return chr(0x2400 + ord(character))  # the picture of a control character
    return "␡" if character == "\x7f" else "\ufffd"


_TURNS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def direction_mark(text: str) -> str:
    r"""Return what must stand between a text and a number, so that both stay where they are.

    A terminal that knows bidirectional text moves a number that follows Hebrew or Arabic to its
    left, unless a mark ends the run.

    Examples
    --------
    >>> direction_mark("shoes"), direction_mark("נעליים")
    ('', '\u200e')
    """
    turned = any(unicodedata.bidirectional(character) in ("R", "AL") for character in text)
    return LEFT_TO_RIGHT_MARK if turned else ""


def show(console: Console, *parts: RenderableType) -> None:
    """Print, with the nearest plain characters on a terminal that does not show Unicode."""
    if not console.options.ascii_only:
        console.print(Group(*parts))
        return
    with console.capture() as captured:
        console.print(Group(*parts))
    text = captured.get().translate(_PLAIN)
    console.file.write(text.encode(console.encoding, "replace").decode(console.encoding))
