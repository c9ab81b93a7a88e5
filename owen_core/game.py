"""Games: a value function and its players."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from owen_core import _core
from owen_core.coalition import Coalitions, Packed, as_coalitions, as_packed, pack, unpack
from owen_core.compiled import compiled_function

if TYPE_CHECKING:
    from owen_core.model_game import Groups

Values = NDArray[np.float64]
ValueFunction = Callable[[Any], Any]  # of Coalitions, or of Packed ones


class ValueFunctionError(ValueError):
    """A value function answered with something that is not one finite number per coalition.

    Attributes
    ----------
    coalition : tuple of str or None
        The players of the first offending coalition; None when the shape was wrong.
    """

    def __init__(self, message: str, coalition: tuple[str, ...] | None = None) -> None:
        super().__init__(message)
        self.coalition = coalition


@dataclass(frozen=True, slots=True)
class Game:
    """A cooperative game: players, and a value for every coalition of them.

    Parameters
    ----------
    value : callable
        Maps coalitions, ``(m, n) bool`` with one row per coalition, to ``(m,)`` floats. Any black
        box will do; the rows are asked in batches.
    players : int or sequence of str
        How many players there are, or what they are called.
    packed : bool
        Whether the value function takes coalitions as ``(m, ceil(n / 64)) uint64`` instead, where
        bit i is player i: read-only, and made without a copy.

    Examples
    --------
    >>> import owen_core as oc
    >>> gloves = oc.Game(lambda s: s[:, 0] & (s[:, 1] | s[:, 2]), ["left", "right a", "right b"])
    >>> print(gloves.value_of("left", "right b"))
    1.0
    """

    value: ValueFunction
    players: int | Sequence[str]
    packed: bool = False
    names: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        if not callable(self.value):
            raise TypeError(
                f"value must be a function from coalitions to numbers, got {self.value!r}; "
                "use from_table for a table of values"
            )
        object.__setattr__(self, "names", player_names(self.players))

    @classmethod
    def from_scalar(
        cls, value: Callable[[NDArray[np.bool_]], float], players: int | Sequence[str]
    ) -> Game:
        """Return a game whose value function takes one coalition, ``(n,) bool``, at a time.

        Examples
        --------
        >>> import owen_core as oc
        >>> three = oc.Game.from_scalar(lambda coalition: float(coalition.sum() >= 2), 3)
        >>> print(three.value_of("0", "2"))
        1.0
        """
        return cls(lambda coalitions: [value(row) for row in coalitions], players)

    @classmethod
    def from_address(
        cls,
        function: Any,
        players: int | Sequence[str],
        *,
        context: int | NDArray[Any] = 0,
        threadsafe: bool = False,
    ) -> Game:
        """Return the game of a compiled function, which runs without the GIL.

        The function is ``void f(const uint64_t *coalitions, int64_t batch, int64_t words, double
        *values, void *context)`` in C. Coalition k is the words from ``coalitions[k * words]`` on,
        where bit i is player i; its value goes to ``values[k]``. A value that is not written
        counts as one that is not finite.

        Parameters
        ----------
        function : int or object
            The address, or what has one: a numba cfunc, a ctypes function, or a ``PyCapsule``,
            without a name or with the signature as its name, as ``scipy.LowLevelCallable`` has it.
        players : int or sequence of str
            How many players there are, or what they are called.
        context : int or ndarray
            What the function is given as its last argument: an address, or that of an array.
        threadsafe : bool
            Whether several threads may be in the function at the same time; a batch is then
            divided among them.

        Raises
        ------
        TypeError
            There is no compiled function in ``function``, or it takes other arguments.
        ValueError
            The address is null, or ``context`` is not contiguous in memory.

        Examples
        --------
        >>> import numba
        >>> import owen_core as oc
        >>> @numba.cfunc(oc.CFUNC_SIGNATURE)
        ... def gloves(coalitions, batch, words, values, context):
        ...     for k in range(batch):
        ...         left, right = coalitions[k * words] & 1, coalitions[k * words] >> 1
        ...         values[k] = left != 0 and right != 0
        >>> oc.attribute(oc.Game.from_address(gloves, 3)).values.round(3)
        array([0.667, 0.167, 0.167])
        """
        return cls(compiled_function(function, context, threadsafe), players, packed=True)

    @classmethod
    def from_estimator(
        cls,
        model: Any,
        x: Any,
        background: Any,
        *,
        groups: Groups | None = None,
        output: str | None = None,
        label: Any = None,
    ) -> Game:
        """Return the game of a fitted model's prediction, as scikit-learn writes models.

        The players are the features. A coalition is worth the mean prediction over rows that take
        its features from ``x`` and the others from a row of the background each; so v(empty) is
        the mean prediction of the background, and v(N) the prediction at ``x``.

        Parameters
        ----------
        model : object
            A fitted model with ``predict``, ``predict_proba`` or ``decision_function``.
        x : array_like or data frame
            The row to explain, ``(d,)`` or ``(1, d)``.
        background : array_like or data frame
            Rows that stand for what is not known, ``(b, d)``. The names of a data frame's columns
            become the players'.
        groups : mapping or list, optional
            Features that are one player, such as the columns of a one-hot code: lists of columns,
            by name or position, or such lists by the player's name. Every other column is a
            player of its own, after the groups.
        output : {"predict", "predict_proba", "decision_function"}, optional
            The prediction; by default ``predict_proba`` of a model with ``classes_`` and
            ``predict`` of any other.
        label : object, optional
            The class whose probability or score counts; by default the one that is predicted for
            ``x``. The score of the first of two classes is that of the second negated. For a
            model of several numbers, the column of the one that counts.

        Raises
        ------
        ValueError
            Shapes, columns or groups that do not fit together, or an unknown output or class.
        TypeError
            The model does not predict in this way.

        Examples
        --------
        >>> import owen_core as oc
        >>> class Linear:
        ...     def predict(self, rows):
        ...         return rows @ [2.0, 1.0, 0.0]
        >>> game = oc.Game.from_estimator(Linear(), [1, 1, 1], [[0, 0, 0], [0, 2, 2]])
        >>> oc.attribute(game).values
        array([2., 0., 0.])
        """
        from owen_core.model_game import model_value  # it is built on this module

        value, names = model_value(model, x, background, groups, output, label)
        return cls(value, names)

    @property
    def n(self) -> int:
        """The number of players."""
        return len(self.names)

    def __call__(self, coalitions: Coalitions) -> Values:
        """Return the checked values, ``(m,) float64``, of ``(m, n) bool`` coalitions.

        Raises
        ------
        ValueError
            The coalitions have another shape or type.
        ValueFunctionError
            The value function returned a wrong shape, or a value that is not a finite number.
        """
        coalitions = as_coalitions(coalitions, self.n)
        return self._ask(pack(coalitions) if self.packed else coalitions)

    def values(self, coalitions: Packed) -> Values:
        """Return the checked values, ``(m,) float64``, of packed coalitions.

        They come as ``(m, ceil(n / 64)) uint64``, where bit i of a row is player i.

        Raises
        ------
        ValueError
            The coalitions have another shape or type.
        ValueFunctionError
            The value function returned a wrong shape, or a value that is not a finite number.

        Examples
        --------
        >>> import numpy as np
        >>> import owen_core as oc
        >>> oc.games.majority(3).values(np.array([[0b011], [0b100]], dtype=np.uint64))
        array([1., 0.])
        """
        coalitions = as_packed(coalitions, self.n)
        if self.packed:
            return self._ask(_core.read_only(coalitions))
        return self._ask(_core.unpack(coalitions, self.n))

    def _ask(self, coalitions: NDArray[Any]) -> Values:
        if not len(coalitions):
            return np.empty(0)
        try:
            answer = self.value(coalitions)
        except Exception as error:
            error.add_note(
                f"raised by the value function on {len(coalitions)} coalitions, "
                f"the first of them {self.describe(self._row(coalitions, 0))}"
            )
            raise
        if _core.are_values(answer, len(coalitions)):  # a tenth of the time that numpy takes
            return answer
        try:
            values = np.asarray(answer, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise ValueFunctionError(
                f"value function returned {type(answer).__name__} that numpy cannot read as "
                f"floats ({error}); return one number per coalition row"
            ) from error
        if values.shape != (len(coalitions),):
            raise ValueFunctionError(
                f"value function returned shape {values.shape}, expected ({len(coalitions)},): "
                "one value per coalition row"
            )
        finite = np.isfinite(values)
        if not finite.all():
            worst = int(np.argmin(finite))
            coalition = self._row(coalitions, worst)
            raise ValueFunctionError(
                f"value function returned {values[worst]} for the coalition "
                f"{self.describe(coalition)}; every coalition needs a finite value",
                self.members(coalition),
            )
        return values

    def _row(self, asked: NDArray[Any], k: int) -> NDArray[np.bool_]:
        """Return coalition k, ``(n,) bool``, of those that the value function was asked."""
        rows = asked[k : k + 1]
        coalition: NDArray[np.bool_] = (unpack(rows, self.n) if self.packed else rows)[0]
        return coalition

    def members(self, coalition: NDArray[np.bool_]) -> tuple[str, ...]:
        """Return the names of a coalition's players."""
        return tuple(self.names[i] for i in np.flatnonzero(coalition))

    def describe(self, coalition: NDArray[np.bool_]) -> str:
        """Return a coalition as people write it: ``{a, b}``."""
        return "{" + ", ".join(self.members(coalition)) + "}"

    def value_of(self, *names: str) -> float:
        """Return the value of the coalition of the named players."""
        unknown = [name for name in names if name not in self.names]
        if unknown:
            raise KeyError(f"no player is called {unknown[0]!r}; the players are {self.names}")
        coalition = np.array([[name in names for name in self.names]])
        return float(self(coalition)[0])


def player_names(players: int | Sequence[str]) -> tuple[str, ...]:
    """Return the players' names; numbered players are called ``"0"``, ``"1"``, ...

    Raises
    ------
    ValueError
        There are no players.
    """
    if isinstance(players, str):
        raise TypeError(
            f"players must be a number or a list of names, got the string {players!r}; "
            "split it into a list first"
        )
    names = (
        tuple(str(i) for i in range(players))
        if isinstance(players, int | np.integer)
        else tuple(str(name) for name in players)
    )
    if not names:
        raise ValueError(f"a game needs at least one player, got {players!r}")
    return names


def as_game(value: ValueFunction | Game, players: int | Sequence[str] | None) -> Game:
    """Return a value function and its players as a game; a Game, and one of shapiq's, has both."""
    if isinstance(value, Game):
        if players is not None:
            raise TypeError("a Game names its own players; leave players out")
        return value
    if players is None:  # shapiq's games know how many they are, and sometimes their names
        named = list(getattr(value, "player_name_lookup", None) or ())
        players = named or getattr(value, "n_players", None)
    if players is None:
        raise TypeError("players is missing: give their number or their names")
    return Game(value, players)
