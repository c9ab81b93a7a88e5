"""Parts of one's own, each in one file: those that CONTRIBUTING shows, word for word."""

from __future__ import annotations

import re
import sqlite3
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import owen_core as oc
from ospo.advantage import OUTSIDE, RULES, Credits, Shaping, token_advantages
from ospo.cli import main
from ospo.data import load
from ospo.data.collection import Catalogue
from ospo.errors import InputError
from ospo.game import CONCEPTS
from ospo.search.load import load_retriever
from ospo.train.checks import OWN

PAGE = Path(__file__).parents[2] / "CONTRIBUTING.md"
BLOCKS = re.findall(
    r"^```python\n# (\w+)\.py\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE
)
LAMPS = Catalogue(("1", "2"), {"title": ("Desk lamp", "Sofa bed")})


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A working directory with the files of the page, and a shop for the engine."""
    for name, code in BLOCKS:
        (tmp_path / f"{name}.py").write_text(code, encoding="utf-8")
    with sqlite3.connect(tmp_path / "shop.sqlite") as shop:
        shop.execute("CREATE VIRTUAL TABLE products USING fts5(id UNINDEXED, title)")
        rows = zip(LAMPS.ids, LAMPS.fields["title"], strict=True)
        shop.executemany("INSERT INTO products VALUES (?, ?)", rows)
    shop.close()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    for name, _ in BLOCKS:
        if module := sys.modules.pop(name, None):
            getattr(module, "shop", shop).close()
    for known in (CONCEPTS, RULES, oc.CONCEPTS):
        for name in [name for name in known if name.startswith("own_")]:
            del known[name]


def test_the_page_shows_one_file_for_each_part():
    assert [name for name, _ in BLOCKS] == [
        "own_retriever",
        "own_engine",
        "own_concept",
        "own_rule",
    ]


@pytest.mark.parametrize("name", ["own_retriever:Titles", "own_engine:search"])
def test_a_retriever_and_an_engine(name):
    own = load_retriever(name, LAMPS)
    assert own.ranks(["sofa", "lamp", "hose"], LAMPS.ids).tolist() == [[0, 1], [1, 0], [0, 0]]


def test_a_retriever_names_what_decides_its_rankings():
    own = [load_retriever("own_retriever:Titles", LAMPS) for _ in range(2)]
    assert own[0].fingerprint == own[1].fingerprint


def test_a_concept_gives_each_player_its_mean_contribution():
    oc.CONCEPTS["own_binomial"] = CONCEPTS["own_concept:BINOMIAL"]
    table = np.random.default_rng(0).normal(size=8)
    found = oc.attribute(lambda s: table[s @ [1, 2, 4]], 3, concept="own_binomial")
    chances = {0: 4 / 9, 1: 2 / 9, 2: 2 / 9, 3: 1 / 9}  # of the others, as bits
    alone = sum(chance * (table[2 * T + 1] - table[2 * T]) for T, chance in chances.items())
    assert found.values[0] == pytest.approx(alone)


def test_a_command_takes_a_concept_and_a_retriever_of_ones_own(capsys):
    shop = load("shop")
    query = shop.queries[shop.answerable[0]]
    own = ["--concept", "own_concept:BINOMIAL", "--retriever", "own_retriever:Titles"]
    assert main(["explain", query.split()[-1], "--intent", query, *own]) == 0
    assert "binomial" in capsys.readouterr().out


def test_a_rule_gives_the_praise_to_the_winner_and_keeps_the_mean():
    credits = Credits(
        torch.tensor([[0.1, 0.9], [0.1, 0.9]], dtype=torch.float64),
        torch.ones(2, 2, dtype=torch.bool),
        torch.tensor([[0, 0, 1, OUTSIDE]] * 2),
    )
    scores = torch.tensor([2.0, -1.0], dtype=torch.float64)
    found = token_advantages(scores, credits, torch.ones(2, 4), Shaping("own_rule:WINNER"))
    praise, blame = found.values[:, :3]
    assert praise[2] > 100 * praise[0]
    assert praise.mean().item() == pytest.approx(2.0)
    assert blame.tolist() == [-1.0] * 3


@pytest.mark.parametrize("setting", OWN)
@pytest.mark.parametrize("name", ["nowhere:RULE", "own_rule:LOSER", "math:pi"])
def test_what_is_none_is_refused_by_name(setting, name):
    with pytest.raises(InputError, match=r"no module|has no|name an object of"):
        OWN[setting][name]
