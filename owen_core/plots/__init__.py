"""Plots of attributions and interactions: matplotlib figures that save as they should look.

Every function returns a :class:`Plot` and leaves pyplot alone: nothing is shown, and no figure is
kept open. matplotlib is loaded by the first plot. Names in letters that its own font lacks, such
as Chinese, need a font that has them in ``matplotlib.rcParams["font.sans-serif"]``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from owen_core.plots.bars import bars
from owen_core.plots.figure import Plot
from owen_core.plots.text import text
from owen_core.plots.triangle import triangle
from owen_core.plots.waterfall import waterfall

if TYPE_CHECKING:
    from owen_core.attribution import Attribution

__all__ = ["Plot", "Plots", "bars", "text", "triangle", "waterfall"]


@dataclass(frozen=True, slots=True)
class Plots:
    """The plots of one attribution, as ``attribution.plot``."""

    attribution: Attribution

    def waterfall(self, *, max_players: int = 12) -> Plot:
        """Plot how the credits lead from v(empty) to v(N); see :func:`waterfall`."""
        return waterfall(self.attribution, max_players=max_players)

    def bars(self, *, max_players: int = 12) -> Plot:
        """Plot the credits, largest first; see :func:`bars`."""
        return bars(self.attribution, max_players=max_players)

    def text(self) -> Plot:
        """Plot the players as a text with coloured words; see :func:`text`."""
        return text(self.attribution)

    def triangle(self, *, max_players: int = 12) -> Plot:
        """Plot the pair interactions that came with the credits; see :func:`triangle`."""
        joint = self.attribution.interactions
        if joint is None:
            raise ValueError(
                "this attribution has no interactions; ask for them with interactions=True"
            )
        return triangle(joint.matrix(), joint.names, max_players=max_players, caption=joint.index)
