"""The stored figures as tables in Markdown, and as a picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.claims.credit_quality.tables import NONE, heading, row, short
from owen_core.plots.style import BLUE, FAINT, FONT, INK, MUTED, RED

Record = Mapping[str, Any]
DRAWN = ("icecat", "prop", "rank")  # the picture: of which data, and its two halves


def lines(record: Record) -> Iterator[str]:
    """Yield every table, each below a line that names it."""
    for data, found in record.items():
        mean = found["mean"]
        yield (
            f"\n{data}: {found['completions']} completions of {mean['tokens']:.1f} tokens and "
            f"{mean['phrases']:.1f} phrases, {found['zero_reward']:.0%} of them worth nothing, "
            f"{mean['advantage']:.0%} with an advantage"
        )
        for setting, faults in found["settings"].items():
            yield f"\n{data}, {setting}\n"
            yield from heading(
                "fault",
                "completions changed",
                "cosine",
                "r within",
                "signs changed",
                "pairs reordered",
                "length",
                "blame kept",
                "cosine of update",
                "length of update",
            )
            for fault, own in faults.items():
                yield row(fault, *cells(own))
        yield f"\n{data}, credits\n"
        yield from heading("credit", "completions changed", "r corrected", "r Shapley", "shared")
        for name, own in found["credits"].items():
            rest = (short(own[part][0], 3) for part in ("corrected", "shapley", "sum"))
            yield row(name, f"{own['changed'][0]:.0%}", *rest)


def cells(own: Record) -> Iterator[str]:
    yield f"{own['touched'][0]:.0%}"
    yield short(own["cosine"][0], 3)
    yield short(own["within"][0], 3) if "within" in own else NONE  # GRPO has one advantage
    yield f"{own['sign'][0]:.0%}"
    yield f"{own['order'][0]:.0%}"
    yield short(own["size"][0] ** 0.5)
    yield f"{own['blame'][0]:.0%}"
    if "update" not in own:
        yield from (NONE, NONE)
        return
    estimate, low, high = (short(figure, 3) for figure in own["update"])
    yield f"{estimate} [{low}, {high}]"
    yield short(own["update_size"][0] ** 0.5)


def draw(record: Record, folder: Path) -> None:
    """Draw how far each fault turns the update."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    data, *settings = DRAWN
    figure = Figure(figsize=(9.0, 5.2), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    for axes, setting in zip(figure.subplots(1, 2, sharex=True), settings, strict=True):
        faults = record[data]["settings"][setting]
        order = sorted(faults, key=lambda name: faults[name]["update"][0], reverse=True)
        for place, name in enumerate(order):
            estimate, low, high = faults[name]["update"]
            colour = {"published": RED, "GRPO": MUTED}.get(name, BLUE)
            axes.barh(place, estimate, color=colour, height=0.62)
            axes.plot([low, high], [place, place], color=INK, linewidth=1)
            axes.text(0.02, place, f"{estimate:.2f}", va="center", color="white", family=FONT)
        axes.set_yticks(range(len(order)), [name.replace("_", " ") for name in order], family=FONT)
        axes.set_xlim(0, 1)
        axes.set_title(f"{setting.upper()} mode", loc="left", family=FONT, color=INK)
        axes.tick_params(length=0, colors=INK)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.axvline(1, color=FAINT, zorder=0)
    figure.suptitle(
        "How far one fault turns the update (cosine to the update without faults; 1 = not at all)",
        family=FONT,
        color=INK,
        size=11,
    )
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / "faults.png", dpi=160)
