"""Plots, by what is drawn on them: words, lengths, order; and that files hold all of it."""

from __future__ import annotations

import itertools
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

import owen_core as oc
from owen_core import plots
from owen_core.plots import style
from owen_core.plots.figure import fit, sheet
from owen_core.plots.rows import strongest

matplotlib = pytest.importorskip("matplotlib")
image = pytest.importorskip("matplotlib.image")

LONG = "a name that goes on and on, as product titles in catalogues are known to do, and on"
GOLDEN = Path(__file__).parents[1] / "golden"


def credited(values, names=None, baseline=0.0, **changes):
    values = np.array(values, dtype=float)
    names = tuple(names or (f"player {i}" for i in range(len(values))))
    fields = {"total": baseline + float(values.sum()), "concept": "shapley"}
    return oc.Attribution(values, names, baseline=baseline, **(fields | changes))


def random_credits(n, **changes):
    return credited(np.random.default_rng(n).normal(size=n), **changes)


SHOES = credited([0.1, -0.1, 0.4, 0.5], ["cheap", "red", "running", "shoes"], 0.25)
CASES = {
    "one": credited([0.42], ["shoes"]),
    "four": SHOES,
    "fifteen": random_credits(15, baseline=2.0),
    "forty": random_credits(40, baseline=-4.0),
    "falling": credited([-3.5, 1.25, -0.25, 0], baseline=-10.0),
    "nothing": credited([0, 0, 0]),
    "residual": credited([0.1, 0.2], total=0.9, concept="windows"),
    "estimated": credited([0.3, -0.1, 0.02], std_error=np.array([0.05, 0.2, 0.01])),
    "huge": credited([12345678.0, -2345678.0, 345.0], baseline=1e6),
    "tiny": credited([1.2e-7, -3e-8, 0.0]),
    "offset": credited([1e-3, -2e-3], baseline=123456789.0),
    "astronomic": credited([1e200, -1e199]),
    "long names": credited([1, -2, 3], [LONG, LONG * 3, "$x_1$ & $y^2$\n\\frac <b>"]),
}
PICTURES = [(kind, case) for kind in ("waterfall", "bars", "text") for case in CASES]


def drawn(kind, case):
    return getattr(CASES[case].plot, kind)()


def words(plot):
    return [text.get_text() for text in plot.axes.texts]


def lengths(plot):
    """Where each shape begins and ends on the horizontal scale."""
    for patch in plot.axes.patches:
        across = patch.get_transform().transform_path(patch.get_path()).vertices[:, 0]
        back = plot.axes.transData.inverted()
        yield tuple(back.transform([(x, 0) for x in (across.min(), across.max())])[:, 0])


@pytest.mark.parametrize(("kind", "case"), PICTURES)
def test_no_words_are_cut_off_or_stand_on_each_other(kind, case):
    plot = drawn(kind, case)
    whole = plot.figure.bbox
    boxes = [text.get_window_extent() for text in plot.axes.texts if text.get_text()]
    for box in boxes:
        assert whole.x0 <= box.x0 < box.x1 <= whole.x1
        assert whole.y0 <= box.y0 < box.y1 <= whole.y1
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)


@pytest.mark.parametrize(("kind", "case"), PICTURES)
def test_a_saved_picture_has_a_white_edge_on_every_side(kind, case, tmp_path):
    drawn(kind, case).save(tmp_path / "plot.png")
    pixels = image.imread(tmp_path / "plot.png")[..., :3]
    edges = [pixels[:6], pixels[-6:], pixels[:, :6], pixels[:, -6:]]
    assert all((edge == 1).all() for edge in edges)
    assert (pixels < 0.5).any()


@pytest.mark.parametrize("kind", ["waterfall", "bars", "text"])
def test_pixels_are_twice_as_fine_as_on_the_screen(kind, tmp_path):
    plot = drawn(kind, "forty")
    plot.save(tmp_path / "plot.png")
    height, width, _ = image.imread(tmp_path / "plot.png").shape
    assert 1300 < width <= 2 * plot.figure.bbox.width + 41
    assert height <= 2 * plot.figure.bbox.height + 41


@pytest.mark.parametrize("kind", ["waterfall", "bars", "text"])
def test_plots_save_as_vectors_and_show_in_notebooks(kind, tmp_path):
    plot = drawn(kind, "four")
    plot.save(tmp_path / "plot.svg")
    plot.save(str(tmp_path / "plot.pdf"))
    root = ElementTree.parse(tmp_path / "plot.svg").getroot()
    assert root.tag.endswith("svg")
    assert (tmp_path / "plot.pdf").read_bytes().startswith(b"%PDF")
    assert plot._repr_png_().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="docx"):
        plot.save(tmp_path / "plot.docx")


def described(plot, with_lengths):
    """A plot in words: what is written, in order, then every shape's colour and extent."""
    lines = [repr(word) for word in words(plot)]
    for patch, (begin, end) in zip(plot.axes.patches, lengths(plot), strict=True):
        shade = "faded " if patch.get_alpha() not in (None, 1) else ""
        extent = f" from {begin:+z.6f} to {end:+z.6f}" if with_lengths else ""
        lines.append(f"{shade}{matplotlib.colors.to_hex(patch.get_facecolor())}{extent}")
    return lines


@pytest.mark.parametrize("kind", ["waterfall", "bars", "text", "triangle"])
def test_plots_say_what_they_always_said(kind, request):
    """Words, colours and lengths; read the difference before you rewrite them."""
    if kind == "triangle":
        plot = plots.triangle(
            [[0, 0.5, -0.25], [0.5, 9, 0], [-0.25, 0, 9]], ["a", "b", LONG], caption="k-SII"
        )
    else:
        several = credited(
            [0.1, -0.3, 0.0, 0.05, -0.07],
            ["cheap", "red", "null player", "$100 & up", LONG],
            0.5,
            total=0.4,
            concept="windows",
        )
        options = {} if kind == "text" else {"max_players": 3}
        plot = getattr(several.plot, kind)(**options)
    lines = described(plot, with_lengths=kind in ("waterfall", "bars"))
    path = GOLDEN / f"plot_{kind}.txt"
    if request.config.getoption("--write-golden"):
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert lines == path.read_text(encoding="utf-8").splitlines()


def test_bars_are_sorted_by_size_and_as_long_as_the_credits():
    plot = SHOES.plot.bars()
    assert words(plot)[:-1:2] == ["shoes", "running", "cheap", "red"]
    assert words(plot)[1:-1:2] == ["+0.5", "+0.4", "+0.1", "−0.1"]
    assert [bar.get_width() for bar in plot.axes.patches] == [0.5, 0.4, 0.1, -0.1]
    tops = [bar.get_window_extent().y0 for bar in plot.axes.patches]
    assert tops == sorted(tops, reverse=True)


def test_the_waterfall_leads_from_the_empty_to_the_grand_coalition():
    plot = SHOES.plot.waterfall()
    assert words(plot)[:-1:2] == ["v(empty)", "shoes", "running", "cheap", "red", "v(N)"]
    assert words(plot)[1:-1:2] == ["0.25", "+0.50", "+0.40", "+0.10", "−0.10", "1.15"]
    spans = [bar.get_xy()[[0, 2], 0] for bar in plot.axes.patches]
    np.testing.assert_allclose(spans, [[0.25, 0.75], [0.75, 1.15], [1.15, 1.25], [1.25, 1.15]])


@pytest.mark.parametrize("kind", ["waterfall", "bars"])
def test_forty_players_fold_to_twelve_and_the_others(kind):
    a = CASES["forty"]
    plot = drawn(kind, "forty")
    assert len(plot.axes.patches) == 13
    assert "28 others" in words(plot)
    others = np.sort(np.abs(a.values))[:28]
    (rest,) = [row for row in strongest(a, 12) if row.together]
    assert rest.credit == pytest.approx(sum(x for x in a.values if abs(x) in others))
    assert plot.axes.patches[-1].get_alpha() < 1


def test_a_single_player_is_never_called_others():
    assert [row.name for row in strongest(random_credits(13), 12)].count("1 others") == 0
    assert len(strongest(random_credits(13), 12)) == 13
    assert strongest(random_credits(14), 12)[-1].name == "2 others"
    with pytest.raises(ValueError, match="max_players must be at least 1, got 0"):
        SHOES.plot.bars(max_players=0)


def test_equal_credits_keep_the_players_order():
    plot = credited([1, -1, 1, 1], ["d", "c", "b", "a"]).plot.bars()
    assert words(plot)[:-1:2] == ["d", "c", "b", "a"]


def test_the_text_keeps_the_players_order_and_prints_each_credit():
    plot = SHOES.plot.text()
    assert words(plot)[:-1:2] == list(SHOES.names)
    assert words(plot)[1:-1:2] == ["+0.1", "−0.1", "+0.4", "+0.5"]
    places = [box.get_window_extent() for box in plot.axes.patches]
    assert all(one.x1 < other.x0 for one, other in itertools.pairwise(places))


def test_a_long_text_is_broken_into_lines_and_keeps_all_its_words():
    plot = drawn("text", "forty")
    assert words(plot)[:-1:2] == list(CASES["forty"].names)
    places = [box.get_window_extent() for box in plot.axes.patches]
    assert len({round(box.y0) for box in places}) > 3
    for one, other in itertools.pairwise(places):
        assert one.x1 < other.x0 or one.y0 > other.y1


def test_a_word_lies_within_its_colour():
    plot = drawn("text", "long names")
    for box, word in zip(plot.axes.patches, plot.axes.texts[::2], strict=False):
        inside, outside = word.get_window_extent(), box.get_window_extent()
        assert outside.x0 <= inside.x0
        assert inside.x1 <= outside.x1


def test_estimated_credits_have_intervals_and_the_foot_says_which():
    plot = drawn("bars", "estimated")
    intervals = [line.get_xdata() for line in plot.axes.lines if line.get_marker() == "|"]
    np.testing.assert_allclose(intervals[0], [0.3 - 1.96 * 0.05, 0.3 + 1.96 * 0.05], rtol=1e-4)
    assert len(intervals) == 3
    assert words(plot)[-1].endswith("95 % intervals")
    assert not [line for line in SHOES.plot.bars().axes.lines if line.get_marker() == "|"]


def test_a_residual_is_a_step_of_its_own_or_said_at_the_foot():
    waterfall = drawn("waterfall", "residual")
    assert words(waterfall)[-5:-1] == ["residual", "+0.6", "v(N)", "0.9"]
    for kind in ("bars", "text"):
        assert words(drawn(kind, "residual"))[-1].endswith("residual +0.6")


def test_red_is_more_and_blue_is_less():
    colours = [
        matplotlib.colors.to_hex(bar.get_facecolor()) for bar in SHOES.plot.bars().axes.patches
    ]
    assert colours == [style.RED] * 3 + [style.BLUE]
    red, blue, nothing = (matplotlib.colors.to_rgb(style.tint(x)) for x in (1, -1, 0))
    assert red[0] > red[2]
    assert blue[2] > blue[0]
    assert max(nothing) - min(nothing) < 0.02


@pytest.mark.parametrize("strength", [-1, -0.5, 0, 0.5, 1])
def test_words_are_readable_on_every_tint(strength):
    def luminance(colour):
        channels = np.array(matplotlib.colors.to_rgb(colour))
        linear = np.where(
            channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4
        )
        return float(linear @ [0.2126, 0.7152, 0.0722])

    contrast = (luminance(style.tint(strength)) + 0.05) / (luminance(style.INK) + 0.05)
    assert contrast >= 4.5  # WCAG AA


@pytest.mark.parametrize(
    ("credits", "written"),
    [
        ([0.4, -0.1], ["+0.4", "−0.1"]),
        ([0.4567, -0.0001], ["+0.457", "−0.000"]),
        ([1234.5, 2], ["+1,234", "+2"]),
        ([3, 1, 0], ["+3", "+1", "0"]),
        ([1e-6, -2.5e-7], ["+1e−06", "−2.5e−07"]),
        ([-0.0, 0], ["0", "0"]),
    ],
)
def test_numbers_have_a_sign_and_the_same_decimals(credits, written):
    write = style.number_format(credits)
    assert [write(credit) for credit in credits] == written


def test_a_name_is_cut_no_more_than_needed():
    plot = sheet()
    assert fit(plot, "two\n words ", 3.0) == "two words"
    cut = fit(plot, LONG, 3.0)
    assert cut.endswith("…")
    assert LONG.startswith(cut[:-1])
    assert 20 < len(cut) < len(LONG)
    assert fit(plot, "WWWW", 0.01) == "…"
    assert fit(plot, "", 1.0) == ""


def test_drawing_leaves_pyplot_and_every_setting_alone():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    figures, settings = pyplot.get_fignums(), dict(matplotlib.rcParams)
    plain = SHOES.plot.waterfall()._repr_png_()
    assert pyplot.get_fignums() == figures
    assert dict(matplotlib.rcParams) == settings
    odd = {
        "font.size": 30,
        "font.family": "serif",
        "text.color": "red",
        "axes.facecolor": "black",
        "figure.facecolor": "black",
        "savefig.transparent": True,
        "figure.constrained_layout.use": True,
        "figure.dpi": 40,
    }
    with matplotlib.rc_context(odd):
        assert SHOES.plot.waterfall()._repr_png_() == plain


def test_the_triangle_draws_each_pair_once():
    plot = plots.triangle([[7, 1, -2], [1, 7, 0.5], [-2, 0.5, 7]], ["a", "b", "c"])
    assert words(plot) == ["a", "b", "c", "+1.0", "−2.0", "+0.5"]
    colours = [matplotlib.colors.to_hex(square.get_facecolor()) for square in plot.axes.patches]
    assert colours == [style.tint(0.5), style.tint(-1), style.tint(0.25)]


@pytest.mark.parametrize("n", [1, 2, 4, 15, 40])
def test_triangles_of_every_size_are_whole(n, tmp_path):
    rng = np.random.default_rng(n)
    half = rng.normal(size=(n, n))
    names = [f"player {i}" if i % 3 else LONG for i in range(n)]
    plot = plots.triangle(half + half.T, names, caption="Shapley interaction index")
    shown = min(n, 12)
    assert len(plot.axes.patches) == shown * (shown - 1) // 2
    boxes = [text.get_window_extent() for text in plot.axes.texts]
    whole = plot.figure.bbox
    for box in boxes:
        assert whole.x0 <= box.x0 < box.x1 <= whole.x1
        assert whole.y0 <= box.y0 < box.y1 <= whole.y1
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)
    plot.save(tmp_path / "triangle.png")
    assert (image.imread(tmp_path / "triangle.png")[:6, :, :3] == 1).all()


def test_a_large_triangle_keeps_the_strongest_players_in_their_order():
    matrix = np.zeros((5, 5))
    matrix[1, 4] = matrix[4, 1] = 3
    matrix[0, 2] = matrix[2, 0] = -1
    np.fill_diagonal(matrix, 100)
    plot = plots.triangle(matrix, "abcde", max_players=2)
    assert words(plot)[:3] == ["b", "e", "+3"]
    assert words(plot)[-1] == "the 2 of 5 players with the strongest interactions"


def test_a_triangle_without_interactions_is_grey():
    plot = plots.triangle(np.zeros((3, 3)), "abc")
    assert {matplotlib.colors.to_hex(square.get_facecolor()) for square in plot.axes.patches} == {
        style.EMPTY
    }


def test_pairs_that_were_not_computed_are_left_out_of_the_triangle():
    plot = plots.triangle([[1, 2, np.nan], [2, 1, np.nan], [np.nan, np.nan, 1]], "abc")
    assert words(plot) == ["a", "b", "c", "+2"]
    assert len(plot.axes.patches) == 1
    alone = plots.triangle([[1, np.nan], [np.nan, 1]], "ab")
    assert words(alone) == ["a", "b"]


def test_an_attribution_draws_the_triangle_of_its_interactions():
    value = lambda s: s @ [0.1, 0.2, 0.3] + 0.25 * (s[:, 0] & s[:, 1])  # noqa: E731
    a = oc.attribute(value, ["new", "york", "cheap"], "myerson", interactions=True)
    assert words(a.plot.triangle()) == ["new", "york", "cheap", "+0.25", "0.00", "leave-two-out"]
    with pytest.raises(ValueError, match="ask for them with interactions=True"):
        SHOES.plot.triangle()


@pytest.mark.parametrize(
    ("matrix", "names", "message"),
    [
        ([[0, 1], [2, 0]], "ab", "must be symmetric, got 1.0 for 'a' with 'b' and 2.0"),
        ([[0, 1], [1, 0]], "abc", r"3 players are a \(3, 3\) matrix, got shape \(2, 2\)"),
        ([[0, np.inf], [np.inf, 0]], "ab", "the interaction of 'a' and 'b' is inf"),
        ([[0, np.nan], [1, 0]], "ab", "must be symmetric, got nan for 'a' with 'b' and 1.0"),
        ([1, 2], "ab", r"got shape \(2,\)"),
        (np.zeros((0, 0)), "", r"got shape \(0, 0\)"),
    ],
)
def test_a_wrong_matrix_is_refused(matrix, names, message):
    with pytest.raises(ValueError, match=message):
        plots.triangle(matrix, names)


def test_without_matplotlib_a_plot_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ModuleNotFoundError, match=r'a plot needs .*pip install "owen-core\['):
        SHOES.plot.bars()
