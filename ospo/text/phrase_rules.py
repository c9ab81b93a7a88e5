"""Rules of phrases: neighbouring words that belong together, or apart, in any catalogue."""

from __future__ import annotations

import re
from collections.abc import Sequence

# The closed word classes of English: a word of theirs opens the phrase that follows it.
_CLOSED_CLASSES = {
    "determiners": "a an the this that these those some any each every no all both either neither "
    "such another other many much few several my your his her its our their",
    "pronouns": "i you he she it we they me him us them who whom whose which what",
    "prepositions": "about above across after against along around as at before behind below "
    "beneath beside besides between beyond by down during except for from in inside into like near "
    "of off on onto out outside over past per since through throughout to toward towards under "
    "until up upon via with within without",
    "auxiliaries": "am is are was were be been being do does did have has had can could may might "
    "must shall should will would",
    "conjunctions": "and or nor but so if because while although than when where",
    "adverbs of degree": "very too not",
}
FUNCTION_WORDS = frozenset(" ".join(_CLOSED_CLASSES.values()).split())
_UNITS = {
    "length and area": "mm cm dm m km inch inches ft foot feet yd yard sqm",
    "volume and weight": "ml cl dl l liter litre gal gallon cup pint quart mg g gr gram kg kilo oz "
    "ounce lb pound t ton",
    "power, light, sound, heat": "v volt kv w watt kw kwh wh amp ma mah ah va ohm lm lumen lux k "
    "kelvin db hz khz mhz ghz c f degree btu bar psi",
    "data and pictures": "bit byte kb mb gb tb pb kbit mbit gbit kbps mbps gbps dpi ppi px pixel "
    "mp megapixel fps rpm ppm core thread bay port channel",
    "time": "ms s sec second min minute h hr hour day week month year yr",
    "money and shares": "usd eur gbp dollar euro cent percent % $ € £ ¥",
    "counts": "piece pc pcs pack pk pair set ct count ply person people seat seater door drawer "
    "shelf step speed gauge carat key hole star",
}
UNITS = frozenset(" ".join(_UNITS.values()).split())
CURRENCIES = "$€£¥"
# These keep what is on both sides of them together, the latter between numbers.
JOINING = frozenset({"and", "or", "of", "&", "+", "/"})
TIMES = frozenset({"x", "×", "by"})
_DIGITS = r"\d+(?:[.,:/]\d+)*"
_NUMBER = re.compile(_DIGITS)
_LONG_UNITS = "|".join(sorted(unit for unit in UNITS if len(unit) > 1))
# A number written together with its unit; one letter could as well be a model's ("7c").
_MEASURE = re.compile(
    rf"[{CURRENCIES}]{_DIGITS}|{_DIGITS}(?:-?(?:{_LONG_UNITS})s?|[\"″′%°{CURRENCIES}])"
)
_NAME = re.compile(r"[^\W\d_][^\d_]*")


def together(words: Sequence[str], at: int) -> bool | None:
    """Return whether a word belongs to the phrase of the one before it; None: no rule says.

    Numbers keep their units and currencies, and open a phrase with them; dimensions ("2 x 4 gb")
    stay whole; a bare number ends a name ("iphone 7", "size 42"); function words open a phrase.

    Parameters
    ----------
    words : sequence of str
        In lower case.
    at : int
        Position of the word, from 1.

    Examples
    --------
    >>> words = "laptop 16 gb for windows 10".split()
    >>> [together(words, at) for at in range(1, len(words))]
    [False, True, False, True, True]
    """
    before, word = words[at - 1], words[at]
    following = words[at + 1] if at + 1 < len(words) else ""
    if word in TIMES and _is_number(before) and _is_number(following):
        return True
    if before in TIMES and at > 1 and _is_number(words[at - 2]) and _is_number(word):
        return True
    if word in JOINING or before in JOINING or before in FUNCTION_WORDS:
        return True
    if word in FUNCTION_WORDS:
        return False
    if _is_number(word) and before in CURRENCIES:
        return True
    if _is_number(before) and _is_unit(word):
        return True
    if _MEASURE.fullmatch(word):
        return False
    if _is_number(word):
        if _is_unit(following) or following in TIMES:
            return False
        return True if _NAME.fullmatch(before) else None
    return None


def _is_number(word: str) -> bool:
    return _NUMBER.fullmatch(word) is not None


def _is_unit(word: str) -> bool:
    return word in UNITS or (word.endswith("s") and word[:-1] in UNITS)
