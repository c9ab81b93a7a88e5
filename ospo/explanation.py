"""The record of an explained query. Every view, page and picture is made from it alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from html import escape
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any

from ospo.errors import InputError
from ospo.record import from_plain
from owen_core import json_file

FORMAT = 1  # version of the saved form
ROUNDING = 1e-9  # of a sum of credits


@dataclass(frozen=True, slots=True)
class Product:
    """A product that a ranking shows or a judgment names.

    Attributes
    ----------
    title : str
    grade : int or None
        Its judgment; None = not judged, which is not 0.
    """

    title: str
    grade: int | None


@dataclass(frozen=True, slots=True)
class Variant:
    """The query with some of its phrases: one coalition, searched and valued.

    Attributes
    ----------
    kept : tuple of int
        The phrases that are kept, as their places in the query, rising.
    query : str
        What was searched.
    value : float
        Its metric.
    ranking : tuple of str
        The first products that it retrieves, best first, at most :data:`ospo.explain.SHOWN`.
    ranks : tuple of int
        The rank of each relevant product, in the order of ``Explanation.relevant``; 0 = not
        retrieved.
    """

    kept: tuple[int, ...]
    query: str
    value: float
    ranking: tuple[str, ...]
    ranks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Interaction:
    """How much two phrases are worth together beyond what each is worth alone.

    Attributes
    ----------
    first, second : int
        Their places in the query, ``first < second``.
    value : float
        Above 0 they are worth more together than apart, below 0 less.
    """

    first: int
    second: int
    value: float


@dataclass(frozen=True, slots=True)
class Method:
    """How an explanation was computed.

    Attributes
    ----------
    concept : str
        The solution concept of the credits.
    index : str or None
        The interaction index; None = no interactions were computed.
    structure : str or None
        The coalition structure, where the concept has one.
    estimator : str or None
        What estimated the credits; None = they are exact.
    stopped : str or None
        Why the estimate stopped, and how wide the widest interval is.
    seed : int or None
    retriever, collection : str
        What was searched, in words, and where; without any password.
    products : int
        Size of the catalogue; 0 where the retriever does not tell.
    segmenter : str
    command : str or None
        What reproduces it on the command line.
    versions : mapping
        Package to version.
    """

    concept: str
    index: str | None
    structure: str | None
    estimator: str | None
    stopped: str | None
    seed: int | None
    retriever: str
    collection: str
    products: int
    segmenter: str
    command: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SearchCost:
    """Query texts valued, searches made for them, searches saved, and wall time."""

    asked: int
    searched: int
    saved: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Which segments of a query earned its metric.

    Attributes
    ----------
    query : str
    segments : tuple of str
        Its phrases, the players.
    credit : tuple of float
        Each phrase's credit, in units of the metric.
    interval : tuple of (float, float), or None
        The 95 % confidence interval of each credit; None = the credits are exact.
    baseline, total : float
        The metric of the empty query and of the query.
    metric : str
        Its ir-measures name, or ``score`` of one target.
    interactions : tuple of Interaction
        Of every pair that the index covers, or none.
    relevant : tuple of str
        Ids of the relevant products, best grade first, then by rank for the query.
    products : mapping
        What is known of each product that ``relevant`` or a ranking names, by id.
    variants : tuple of Variant
        The query itself first, then the query without each phrase in turn, then every other
        coalition that is shown: all of them where the query is short.
    method : Method
    cost : SearchCost
    context : str or None
        The text from which a policy wrote the query.
    intent : str or None
        The judged query, or the title of the target, that says what is relevant; None where that
        is the query itself.
    """

    query: str
    segments: tuple[str, ...]
    credit: tuple[float, ...]
    interval: tuple[tuple[float, float], ...] | None
    baseline: float
    total: float
    metric: str
    interactions: tuple[Interaction, ...]
    relevant: tuple[str, ...]
    products: Mapping[str, Product]
    variants: tuple[Variant, ...]
    method: Method
    cost: SearchCost
    context: str | None = None
    intent: str | None = None

    def __post_init__(self) -> None:
        n = len(self.segments)
        first = [variant.kept for variant in self.variants[: n + 1]]
        drops = [tuple(k for k in range(n) if k != dropped) for dropped in range(n)]
        if not n or first != [tuple(range(n)), *drops]:
            raise ValueError(f"the variants must begin with the query and its {n} drops")
        for what, length in (("credit", self.credit), ("interval", self.interval)):
            if length is not None and len(length) != n:
                raise ValueError(f"{what} must be of each of the {n} segments, got {len(length)}")
        for variant in self.variants:
            if len(variant.ranks) != len(self.relevant):
                raise ValueError(
                    f"the variant {variant.query!r} must rank the {len(self.relevant)} relevant "
                    f"products, got {len(variant.ranks)} ranks"
                )
        for pair in self.interactions:
            if not 0 <= pair.first < pair.second < n:
                raise ValueError(f"an interaction is of two of the {n} segments in order: {pair}")
        named = {*self.relevant, *chain.from_iterable(v.ranking for v in self.variants)}
        if unknown := named - self.products.keys():
            raise ValueError(f"products says nothing of {min(unknown)!r}")

    @property
    def without(self) -> tuple[Variant, ...]:
        """The query without each phrase in turn."""
        return self.variants[1 : len(self.segments) + 1]

    @property
    def strongest(self) -> list[int]:
        """The phrases, the largest credit first, whatever its sign."""
        return sorted(range(len(self.credit)), key=lambda k: -abs(self.credit[k]))

    @property
    def residual(self) -> float:
        """What the credits leave undistributed, 0 where that is rounding."""
        residual = self.total - self.baseline - sum(self.credit)
        return residual if abs(residual) > ROUNDING else 0.0

    @property
    def best_drop(self) -> int | None:
        """The phrase without which the metric is highest, if that is better than with it."""
        gains = [variant.value - self.total for variant in self.without]
        best = max(range(len(gains)), key=gains.__getitem__)
        return best if gains[best] > 0 else None

    @property
    def best_rank(self) -> int:
        """The rank of the query's best relevant product; 0 = none is retrieved."""
        return min(filter(None, self.variants[0].ranks), default=0)

    def risen(self, variant: Variant) -> int:
        """Return how many relevant products stand higher for a variant than for the query."""
        return _higher(variant.ranks, self.variants[0].ranks)

    def fallen(self, variant: Variant) -> int:
        """Return how many relevant products stand lower for a variant than for the query."""
        return _higher(self.variants[0].ranks, variant.ranks)

    def _repr_html_(self) -> str:
        """Return the page in a frame of its own, for notebooks."""
        # Pages are made from records: a record knows of them only when a notebook asks.
        page = import_module("ospo.report.page").page([self])
        return (
            f'<iframe title="{escape(self.query)}" srcdoc="{escape(page)}" '
            'style="width: 100%; height: 45em; border: 0"></iframe>'
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the explanation as plain data, ready for JSON."""
        return {"format": FORMAT, **asdict(self)}

    @classmethod
    def from_dict(cls, data: Any) -> Explanation:
        """Return the explanation that :meth:`to_dict` described.

        Raises
        ------
        ValueError
            Another format, keys missing or unknown, or values that do not fit together.
        """
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            found = data.get("format") if isinstance(data, dict) else type(data).__name__
            raise ValueError(f"this version reads explanations of format {FORMAT}, got {found!r}")
        return from_plain(cls, {key: value for key, value in data.items() if key != "format"})

    def save(self, path: str | Path) -> None:
        """Write the explanation to a JSON file, which appears whole or not at all."""
        json_file.write(self.to_dict(), Path(path))

    @classmethod
    def load(cls, path: str | Path) -> Explanation:
        """Read an explanation that :meth:`save` wrote.

        Raises
        ------
        InputError
            The file cannot be read, is not whole, of another format, or does not fit together.
        """
        try:
            return cls.from_dict(json_file.read(Path(path)))
        except (OSError, ValueError) as error:
            raise InputError(f"{path} holds no explanation: {error}") from error


def _higher(ranks: tuple[int, ...], others: tuple[int, ...]) -> int:
    pairs = zip(ranks, others, strict=True)
    return sum(bool(rank) and (not other or rank < other) for rank, other in pairs)
