"""Textbook games, with the values that the literature gives for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from owen_core.coalition import Coalitions
from owen_core.game import Game, Values


def additive(weights: Sequence[float]) -> Game:
    """Return the game in which a coalition is worth the sum of its players' weights.

    Every efficient value that gives dummies their due, gives each player its weight.

    Examples
    --------
    >>> import owen_core as oc
    >>> oc.attribute(oc.games.additive([1, 2, 4])).values
    array([1., 2., 4.])
    """
    each = _numbers(weights, "weights")
    return Game(lambda coalitions: coalitions @ each, len(each))


def unanimity(n: int, carrier: Iterable[int]) -> Game:
    """Return the game that is won, for 1, by the coalitions that hold all of ``carrier``.

    The Shapley value is 1 / len(carrier) for the players of the carrier (Shapley 1953); every
    game is a sum of multiples of unanimity games.

    Examples
    --------
    >>> import owen_core as oc
    >>> oc.attribute(oc.games.unanimity(4, [0, 3])).values
    array([0.5, 0. , 0. , 0.5])
    """
    needed = sorted(set(carrier))
    if not needed or not 0 <= needed[0] <= needed[-1] < n:
        raise ValueError(f"a carrier is made of some of the players 0 to {n - 1}, got {needed}")
    return Game(lambda coalitions: coalitions[:, needed].all(axis=1), n)


def majority(n: int) -> Game:
    """Return the game that is won, for 1, by more than half of the players.

    The Shapley value is 1 / n for every player, by symmetry.

    Examples
    --------
    >>> import owen_core as oc
    >>> print(oc.games.majority(5).value_of("0", "2", "4"))
    1.0
    """
    return Game(lambda coalitions: 2 * coalitions.sum(axis=1) > n, n)


def weighted_voting(
    quota: float, weights: Sequence[float], names: Sequence[str] | None = None
) -> Game:
    """Return the game that is won, for 1, by the coalitions whose weights reach the quota.

    Its Shapley value is the Shapley-Shubik index (Shapley & Shubik 1954), its Banzhaf value the
    Banzhaf index.

    Examples
    --------
    >>> import owen_core as oc
    >>> oc.attribute(oc.games.weighted_voting(51, [50, 49, 1])).values.round(3)
    array([0.667, 0.167, 0.167])
    """
    each = _numbers(weights, "weights")
    if not 0 < quota <= each.sum():
        raise ValueError(
            f"quota must be positive and at most the sum of the weights, {each.sum():g}; "
            f"got {quota}"
        )
    if names is not None and len(names) != len(each):
        raise ValueError(f"there are {len(each)} weights, got {len(names)} names")
    return Game(lambda coalitions: coalitions @ each >= quota, names or len(each))


def un_security_council() -> Game:
    """Return the United Nations Security Council: nine votes, among them all five permanent ones.

    The Shapley value is 421/2145 = .19627 for a permanent member and 4/2145 = .001865 for each of
    the ten others: the index of Shapley & Shubik (1954), for the council as enlarged in 1965.

    Examples
    --------
    >>> import owen_core as oc
    >>> a = oc.attribute(oc.games.un_security_council())
    >>> print(f"{a['China']:.5f} {a['elected 1']:.6f}")
    0.19627 0.001865
    """
    permanent = ["China", "France", "Russia", "United Kingdom", "United States"]
    elected = [f"elected {k}" for k in range(1, 11)]
    return weighted_voting(39, [7] * 5 + [1] * 10, permanent + elected)


def eec_1958() -> Game:
    """Return the Council of the European Economic Community of 1958: 12 votes of 17.

    The Shapley value is 14/60 = .2333 for France, Germany and Italy, 9/60 = .15 for Belgium and
    the Netherlands, and nothing for Luxembourg, whose vote never counts (Brams & Affuso 1976).

    Examples
    --------
    >>> import owen_core as oc
    >>> oc.attribute(oc.games.eec_1958()).values.round(4)
    array([0.2333, 0.2333, 0.2333, 0.15  , 0.15  , 0.    ])
    """
    names = ["France", "Germany", "Italy", "Belgium", "Netherlands", "Luxembourg"]
    return weighted_voting(12, [4, 4, 4, 2, 2, 1], names)


def apex(n: int) -> Game:
    """Return the game that is won, for 1, by the first player with any other, or by all others.

    The Shapley value is (n - 2) / n for the apex player and 2 / (n (n - 1)) for each minor one
    (Davis & Maschler 1965).

    Examples
    --------
    >>> import owen_core as oc
    >>> oc.attribute(oc.games.apex(5)).values
    array([0.6, 0.1, 0.1, 0.1, 0.1])
    """
    if n < 3:
        raise ValueError(f"an apex game has at least 3 players, got {n}")

    def value(coalitions: Coalitions) -> NDArray[np.bool_]:
        minor = coalitions[:, 1:]
        return np.where(coalitions[:, 0], minor.any(axis=1), minor.all(axis=1))

    return Game(value, ["apex", *(f"minor {k}" for k in range(1, n))])


def gloves(left: int, right: int) -> Game:
    """Return the market in which a pair of gloves is worth 1 and a single glove nothing.

    With one left and two right gloves the Shapley value is 2/3, 1/6, 1/6 (Shapley & Shubik 1969).

    Examples
    --------
    >>> import owen_core as oc
    >>> oc.attribute(oc.games.gloves(1, 2)).values.round(4)
    array([0.6667, 0.1667, 0.1667])
    """
    if left < 1 or right < 1:
        raise ValueError(f"a market needs a left and a right glove, got {left} and {right}")

    def value(coalitions: Coalitions) -> NDArray[np.int64]:
        lefts, rights = coalitions[:, :left].sum(axis=1), coalitions[:, left:].sum(axis=1)
        return np.asarray(np.minimum(lefts, rights))

    names = [f"left {k}" for k in range(1, left + 1)]
    return Game(value, names + [f"right {k}" for k in range(1, right + 1)])


def airport(costs: Sequence[float]) -> Game:
    """Return the cost of the runway that the longest aircraft of a coalition needs.

    The Shapley value shares each further stretch equally among the aircraft that need it
    (Littlechild & Owen 1973): costs of 1, 2, 3 are shared as 1/3, 5/6, 11/6.

    Examples
    --------
    >>> import owen_core as oc
    >>> oc.attribute(oc.games.airport([1, 2, 3])).values.round(4)
    array([0.3333, 0.8333, 1.8333])
    """
    each = _numbers(costs, "costs")
    if (each < 0).any():
        raise ValueError(f"costs must not be negative, got {each.min():g}")
    return Game(lambda coalitions: (coalitions * each).max(axis=1), len(each))


def bankruptcy(estate: float, claims: Sequence[float]) -> Game:
    """Return what the others' claims leave of an estate to a coalition of claimants.

    The Shapley value is O'Neill's (1982) recursive completion. For the Talmud's claims of 100,
    200 and 300 it is 33 1/3 each of an estate of 100; 33 1/3, 83 1/3, 83 1/3 of 200; and, here
    as in the Talmud, 50, 100, 150 of 300.

    Examples
    --------
    >>> import owen_core as oc
    >>> oc.attribute(oc.games.bankruptcy(200, [100, 200, 300])).values.round(2)
    array([33.33, 83.33, 83.33])
    """
    each = _numbers(claims, "claims")
    if (each < 0).any() or not 0 <= estate <= each.sum():
        raise ValueError(
            f"claims must not be negative and the estate must be at most their sum, "
            f"{each.sum():g}; got {estate}"
        )
    return Game(lambda coalitions: np.maximum(0.0, estate - ~coalitions @ each), len(each))


def inheritance() -> Game:
    """Return Ibn Ezra's estate of 120, left to four sons whole, and by a half, third and quarter.

    A coalition is worth its largest claim. The Shapley value is 80 5/6, 20 5/6, 10 5/6, 7 1/2, as
    Ibn Ezra divided it in 1146 (O'Neill 1982; Aumann 2010).

    Examples
    --------
    >>> import owen_core as oc
    >>> oc.attribute(oc.games.inheritance()).values.round(4)
    array([80.8333, 20.8333, 10.8333,  7.5   ])
    """
    return airport([120, 60, 40, 30])


def myerson_1977() -> Game:
    """Return the example of Myerson's "Graphs and cooperation in games" (1977).

    Players 0 and 1 are worth 12 together, either of them 6 with player 2, and all three 12. The
    Shapley value is 5, 5, 2. The Myerson value is 7, 4, 1 if only 0-1 and 0-2 are linked,
    4, 7, 1 for 0-1 and 1-2, and 3, 3, 6 for 0-2 and 1-2.

    Examples
    --------
    >>> import owen_core as oc
    >>> oc.attribute(oc.games.myerson_1977()).values
    array([5., 5., 2.])
    """
    return _by_table([0, 0, 0, 12, 0, 6, 6, 12], 3)


def three_cities() -> Game:
    """Return what three cities save by building their lines to a power plant together.

    A line to the plant costs 100, 140 or 130, and one between cities 1-2, 1-3 or 2-3 costs 50,
    30 or 20. The Shapley value is 65, 75, 80 (Peters 2008, Game Theory: A Multi-Leveled Approach).

    Examples
    --------
    >>> import owen_core as oc
    >>> oc.attribute(oc.games.three_cities()).values
    array([65., 75., 80.])
    """
    return _by_table([0, 0, 0, 90, 0, 100, 120, 220], ["city 1", "city 2", "city 3"])


def delivery() -> Game:
    """Return the cost of one lorry's tour to some of three customers.

    The Shapley value is 41.5, 40, 38.5 (LINDO Systems, model SHAPLEY).

    Examples
    --------
    >>> import owen_core as oc
    >>> oc.attribute(oc.games.delivery()).values
    array([41.5, 40. , 38.5])
    """
    return _by_table([0, 88, 92, 100, 70, 119, 112, 120], ["A", "B", "C"])


def _by_table(table: ArrayLike, players: int | Sequence[str]) -> Game:
    values = np.asarray(table, dtype=np.float64)
    return Game(
        lambda coalitions: values[coalitions @ (1 << np.arange(coalitions.shape[1]))], players
    )


def _numbers(numbers: Sequence[float], what: str) -> Values:
    each = np.asarray(numbers, dtype=np.float64)
    if each.ndim != 1 or not each.size or not np.isfinite(each).all():
        raise ValueError(f"{what} must be a list of finite numbers, got {numbers!r}")
    return each
