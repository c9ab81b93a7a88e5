"""Games of a fitted model: what a prediction owes to its features."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from owen_core.coalition import Coalitions
from owen_core.game import ValueFunctionError, Values

CHUNK_ROWS = 1 << 16  # rows per prediction, whatever the number of features ...
CHUNK_CELLS = 1 << 21  # ... and cells: 16 MiB of floats

Column = str | int
Groups = Mapping[str, Sequence[Column]] | Iterable[Sequence[Column]]
Positions = NDArray[np.int64]

OUTPUTS = ("predict", "predict_proba", "decision_function")


@dataclass(frozen=True, slots=True, eq=False)
class ModelValue:
    """The value function of a model at one point, against a background.

    A coalition is worth the mean prediction over rows that take the coalition's features from the
    point and all others from a row of the background.

    Attributes
    ----------
    model : object
        A fitted model.
    source : ndarray or data frame
        ``(b + 1, d)``: the rows of the background, then the point.
    player : ndarray
        ``(d,)``: the player that each column belongs to.
    output : str
        The method that is called.
    column : int or None
        The column of its answer that counts; None for an answer of one number per row.
    sign : int
        -1 for the score of the first of two classes, which is that of the second negated.
    """

    model: Any
    source: Any
    player: Positions
    output: str
    column: int | None
    sign: int

    def __call__(self, coalitions: Coalitions) -> Values:
        """Return the mean predictions, ``(m,)``, of ``(m, n) bool`` coalitions."""
        background = len(self.source) - 1
        chunk = max(1, min(CHUNK_ROWS, CHUNK_CELLS // len(self.player)))
        at_once = max(1, chunk // background)
        totals = np.zeros(len(coalitions))
        # A coalition's sum is cut at the same places whoever shares its chunk: same bits always.
        for first in range(0, len(coalitions), at_once):
            taken = coalitions[first : first + at_once][:, self.player]
            for start in range(0, background, chunk):
                rows = np.arange(start, min(start + chunk, background))
                index = np.where(taken[:, None, :], background, rows[None, :, None])
                scores = self.predict(_mixed(self.source, index.reshape(-1, len(self.player))))
                totals[first : first + at_once] += scores.reshape(len(taken), -1).sum(axis=1)
        return totals / background

    def predict(self, rows: Any) -> Values:
        """Return the score of each row."""
        answer = np.asarray(getattr(self.model, self.output)(rows))
        if self.column is None:
            readable = answer.shape == (len(rows),)
        else:
            readable = answer.ndim == 2 and len(answer) == len(rows)
            readable = readable and answer.shape[1] > self.column
        if not readable:
            raise ValueFunctionError(
                f"{self.output} of {type(self.model).__name__} returned shape {answer.shape} for "
                f"{len(rows)} rows and label {self.column}; choose one of its columns by label, or "
                "leave label out where it has none"
            )
        chosen = answer if self.column is None else answer[:, self.column]
        return self.sign * chosen.astype(np.float64)


def model_value(
    model: Any, x: Any, background: Any, groups: Groups | None, output: str | None, label: Any
) -> tuple[ModelValue, list[str]]:
    """Return the value function of a model at ``x``, and the names of its players."""
    source, columns = _source(x, background)
    names, player = _players(columns, groups)
    output = _chosen_output(model, output)
    point = source[-1:] if isinstance(source, np.ndarray) else source.iloc[-1:]
    column, sign = _chosen_column(model, point, output, label)
    return ModelValue(model, source, player, output, column, sign), names


def _source(x: Any, background: Any) -> tuple[Any, list[str]]:
    """The background with the point below it, and the names of their columns."""
    if hasattr(background, "iloc") and background.ndim == 2:
        return _frame_source(x, background)
    rows = np.asarray(background)
    if rows.ndim != 2 or not rows.size:
        raise ValueError(f"background must be rows of features, (b, d), got shape {rows.shape}")
    point = np.asarray(x)
    if point.shape not in [(rows.shape[1],), (1, rows.shape[1])]:
        raise ValueError(
            f"x must be one row of the {rows.shape[1]} features of the background, "
            f"got shape {point.shape}"
        )
    return np.vstack([rows, point]), [str(k) for k in range(rows.shape[1])]


def _frame_source(x: Any, background: Any) -> tuple[Any, list[str]]:
    import pandas as pd

    columns = list(background.columns)
    if not len(background) or not columns or len(set(columns)) < len(columns):
        raise ValueError(
            f"background must have rows, and columns of different names; got {len(background)} "
            f"rows of {columns}"
        )
    if isinstance(x, pd.DataFrame | pd.Series | Mapping):
        labels = list(x.keys())
        if set(labels) != set(columns):
            raise ValueError(f"x has the columns {labels}, and the background {columns}")
        point = pd.DataFrame({name: np.ravel(x[name]) for name in columns})
    else:
        point = pd.DataFrame(np.atleast_2d(np.asarray(x, dtype=object)))
    if point.shape != (1, len(columns)):
        raise ValueError(
            f"x must be one row of the {len(columns)} columns of the background, "
            f"got shape {point.shape}"
        )
    point.columns = background.columns
    point = point.infer_objects()
    for name in columns:
        kind = background.dtypes[name]
        if isinstance(kind, pd.CategoricalDtype):
            if not set(point[name].dropna()) <= set(kind.categories):
                raise ValueError(
                    f"column {name!r} of x is {point[name].iloc[0]!r}, which is not a category of "
                    "the background"
                )
            point[name] = point[name].astype(kind)
    return pd.concat([background, point], ignore_index=True), [str(name) for name in columns]


def _mixed(source: Any, index: Positions) -> Any:
    """Rows whose cell in column j comes from row ``index[:, j]`` of the source."""
    if isinstance(source, np.ndarray):
        return np.take_along_axis(source, index, axis=0)
    mixed = {name: source[name].array.take(index[:, j]) for j, name in enumerate(source.columns)}
    return type(source)(mixed)


def _players(columns: list[str], groups: Groups | None) -> tuple[list[str], Positions]:
    """The players' names, and the player of each column; ungrouped columns stand alone."""
    listed: list[tuple[str | None, Sequence[Column]]] = (
        list(groups.items())
        if isinstance(groups, Mapping)
        else [(None, group) for group in groups or []]
    )
    player = np.full(len(columns), -1)
    names: list[str] = []
    for name, group in listed:
        if isinstance(group, str) or not len(group):
            raise ValueError(f"a group is a list of columns, got {group!r}")
        places = [_place(column, columns) for column in group]
        for place in places:
            if player[place] >= 0:
                raise ValueError(
                    f"column {columns[place]!r} is in a group twice; groups must not overlap"
                )
            player[place] = len(names)
        names.append(" + ".join(columns[place] for place in places) if name is None else str(name))
    for place, column in enumerate(columns):
        if player[place] < 0:
            player[place] = len(names)
            names.append(column)
    if len(set(names)) < len(names):
        raise ValueError(f"groups and the columns outside them need different names, got {names}")
    return names, player


def _place(column: Column, columns: list[str]) -> int:
    if str(column) in columns:
        return columns.index(str(column))
    if isinstance(column, str) or not 0 <= column < len(columns):
        raise ValueError(f"a group names the column {column!r}, and the columns are {columns}")
    return int(column)


def _chosen_output(model: Any, output: str | None) -> str:
    if output is None:
        output = "predict_proba" if hasattr(model, "classes_") else "predict"
    if output not in OUTPUTS:
        raise ValueError(f"output must be one of {', '.join(OUTPUTS)}, got {output!r}")
    if not hasattr(model, output):
        can = [name for name in OUTPUTS if hasattr(model, name)]
        remedy = f"choose output from {can}" if can else "give a fitted model"
        raise TypeError(f"{type(model).__name__} has no {output}; {remedy}")
    return output


def _chosen_column(model: Any, point: Any, output: str, label: Any) -> tuple[int | None, int]:
    """The column of the answer that counts, and the sign of a binary decision function."""
    if output == "predict" or not hasattr(model, "classes_"):
        if label is not None and not (isinstance(label, int | np.integer) and label >= 0):
            raise ValueError(f"label must be the number of a column of {output}, got {label!r}")
        return None if label is None else int(label), 1
    classes = list(model.classes_)
    if np.ndim(classes[0]):
        raise ValueError(
            f"{type(model).__name__} predicts {len(classes)} targets; give a model of one of them"
        )
    wanted = model.predict(point)[0] if label is None else label
    if wanted not in classes:
        raise ValueError(f"label must be one of the classes {classes}, got {wanted!r}")
    place = classes.index(wanted)
    if output == "decision_function" and len(classes) == 2:
        return None, 1 if place else -1
    return place, 1
