"""The switchboard of a page: what the search engine gave for each part of a query."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from ospo.explanation import Explanation
from ospo.report.printable import printable
from ospo.report.template import number
from ospo.report.terminal import signed


@dataclass(frozen=True)
class Switchboard:
    """What the script of the page needs, and nothing that it would have to compute.

    Parameters
    ----------
    explanation : Explanation
    """

    explanation: Explanation

    @cached_property
    def listed(self) -> dict[str, int]:
        """The products that any variant lists, by id, and the place of each."""
        ids = dict.fromkeys(product for v in self.explanation.variants for product in v.ranking)
        return {product: place for place, product in enumerate(ids)}

    @property
    def variants(self) -> dict[str, tuple[str, str, list[int]]]:
        """The value, its change and the list of each variant, as places of :attr:`listed`.

        A variant is named by a 1 for each phrase that it keeps and a 0 for each other.
        """
        e = self.explanation
        return {
            "".join("01"[k in variant.kept] for k in range(len(e.segments))): (
                number(variant.value),
                signed(variant.value - e.total),
                [self.listed[product] for product in variant.ranking],
            )
            for variant in e.variants
        }

    @property
    def gaps(self) -> list[str]:
        """What stands between each phrase and the next one in the query.

        A space, where a segmenter or a record names phrases that the query does not hold in order.
        """
        query, segments = self.explanation.variants[0].query, self.explanation.segments
        places, end = [], 0
        for phrase in segments:
            start = query.find(phrase, end)
            if start < 0:
                return [" "] * (len(segments) - 1) + [""]
            end = start + len(phrase)
            places.append((start, end))
        return [*(query[end:start] for (_, end), (start, _) in pairwise(places)), ""]

    @property
    def command(self) -> tuple[str, str] | None:
        """What stands before and after the query in the command; None where it is not in it."""
        words = shlex.split(self.explanation.method.command or "")
        if self.explanation.query not in words:
            return None
        place = words.index(self.explanation.query)
        return printable(shlex.join(words[:place])), printable(shlex.join(words[place + 1 :]))
