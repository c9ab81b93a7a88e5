"""The H&M loader: purchase histories as queries, the customers drawn, and every kind of damage."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from ospo.data import load
from ospo.data.hm import load_hm
from ospo.errors import InputError

# The columns that are published, of which the loader reads some.
ARTICLE_HEADER = (
    "article_id,product_code,prod_name,product_type_no,product_type_name,product_group_name,"
    "colour_group_code,colour_group_name,index_code,index_name,detail_desc\n"
)
ARTICLES = ARTICLE_HEADER + (
    "0108775015,0108775,Strap top,253,Vest top,Garment Upper body,9,Black,A,Ladieswear,"
    '"Jersey top, narrow straps."\n'
    "0108775044,0108775,Strap top,253,Vest top,Garment Upper body,10,White,A,Ladieswear,\n"
    "0110065001,0110065,OP T-shirt (Idro),306,Bra,Underwear,9,Black,B,Lingeries/Tights,Bra.\n"
)
PURCHASE_HEADER = "t_dat,customer_id,article_id,price,sales_channel_id\n"
PURCHASES = PURCHASE_HEADER + (
    "2018-09-21,ann,0108775044,0.0169,2\n"
    "2018-09-20,ann,0108775015,0.0169,2\n"
    "2018-09-22,bob,0110065001,0.0203,1\n"
    "2018-09-22,ann,0110065001,0.0203,2\n"
    "2018-09-23,ann,0108775015,0.0169,2\n"
)


@pytest.fixture
def folder(tmp_path: Path, own_cache: Path) -> Path:
    (tmp_path / "articles.csv").write_text(ARTICLES)
    (tmp_path / "transactions_train.csv").write_text(PURCHASES)
    return tmp_path


def write_purchases(folder: Path, rows: list[tuple[str, str, str]]) -> None:
    lines = (f"{date},{customer},{article},0.0169,2\n" for date, customer, article in rows)
    (folder / "transactions_train.csv").write_text(PURCHASE_HEADER + "".join(lines))


def test_what_was_bought_asks_for_what_was_bought_next(folder: Path) -> None:
    collection = load(f"hm:{folder}")
    assert collection.name == "hm"
    assert {name: list(column) for name, column in collection.catalogue.fields.items()} == {
        "title": [
            "Strap top (Black Vest top)",
            "Strap top (White Vest top)",
            "OP T-shirt (Idro) (Black Bra)",
        ],
        "department": ["Ladieswear", "Ladieswear", "Lingeries/Tights"],
        "description": ["Jersey top, narrow straps.", "", "Bra."],
    }
    # By date, and what is bought again is no new article.
    assert collection.queries == {"ann": "Strap top (Black Vest top); Strap top (White Vest top)"}
    assert collection.qrels == {"ann": {"0110065001": 1}}
    assert collection.notes == (
        "left out 1 of 2 customers who bought fewer than two different articles",
    )


def test_a_history_is_cut_to_its_latest_articles(folder: Path) -> None:
    assert load(f"hm:{folder},history=1").queries == {"ann": "Strap top (White Vest top)"}


def test_purchases_of_one_day_stay_in_the_order_of_the_file(folder: Path) -> None:
    day = "2018-09-20"
    write_purchases(folder, [(day, "ann", "0110065001"), (day, "ann", "0108775015")])
    assert load_hm(folder).qrels == {"ann": {"0108775015": 1}}


def test_the_customers_drawn_follow_the_seed_and_not_the_order_of_the_file(folder: Path) -> None:
    articles = ["0108775015", "0108775044", "0110065001"]
    rows = [
        (f"2018-09-{day:02}", f"customer{number}", articles[(number + day) % 3])
        for number in range(60)
        for day in (1, 2)
    ]
    write_purchases(folder, rows)
    drawn = load_hm(folder, customers=20, seed=4)
    assert len(drawn.queries) == 20
    assert set(drawn.queries) != set(load_hm(folder, customers=20, seed=5).queries)
    assert len(load_hm(folder, customers=100).queries) == 60
    write_purchases(folder, random.Random(0).sample(rows, len(rows)))
    again = load_hm(folder, customers=20, seed=4)
    assert again.qrels == drawn.qrels
    assert again.queries == drawn.queries


def test_purchases_are_read_again_only_when_the_file_or_a_setting_changes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = load_hm(folder)
    monkeypatch.setattr("ospo.data.hm.read_rows", None)
    assert load_hm(folder).queries == first.queries
    with pytest.raises(TypeError):
        load_hm(folder, seed=1)


def test_articles_that_are_not_in_the_catalogue_are_refused(folder: Path) -> None:
    write_purchases(folder, [("2018-09-20", "ann", "9"), ("2018-09-21", "ann", "0108775015")])
    with pytest.raises(InputError, match=r"names 1 articles that .*articles.csv lacks \(9\)"):
        load_hm(folder)


def test_malformed_purchases_are_counted_also_when_they_were_read_before(folder: Path) -> None:
    rows = [("2018-09-20", f"c{n}", a) for n in range(60) for a in ("0108775015", "0110065001")]
    write_purchases(folder, rows)
    with (folder / "transactions_train.csv").open("a") as file:
        file.write("2018-09-20,,0108775015,0.1,2\n")
    for _ in range(2):
        assert load_hm(folder).notes == (
            "left out 1 of 121 rows of transactions_train.csv (line 122: customer_id is empty)",
        )


def test_missing_columns_are_named(folder: Path) -> None:
    (folder / "articles.csv").write_text(ARTICLES.replace("detail_desc", "text"))
    with pytest.raises(InputError, match="lacks the columns detail_desc: it has article_id, prod"):
        load_hm(folder)


@pytest.mark.parametrize("option", ["customers", "history"])
def test_numbers_below_one_are_refused(folder: Path, option: str) -> None:
    with pytest.raises(InputError, match="make no query: give at least 1 of both"):
        load(f"hm:{folder},{option}=0")
