"""Comparisons of systems: what is compared, what is written, and that other tools agree.

Long because one comparison is checked in every form that it is written in.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import shlex
from dataclasses import replace
from itertools import product
from pathlib import Path

import ir_measures
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from ospo.data import Catalogue, Collection, load
from ospo.errors import InputError
from ospo.evaluation import System, evaluate, load_system
from ospo.evaluation.system import trained_on
from ospo.evaluation.tables import to_dict
from ospo.evaluation.trec_files import falling
from ospo.report.evaluation import print_evaluation
from ospo.report.evaluation_folder import write_folder
from ospo.report.evaluation_latex import latex
from ospo.report.evaluation_page import evaluation_page
from ospo.search.bm25 import BM25
from ospo.search.judge import Judge
from ospo.search.metrics import parse_metric
from ospo.search.retriever import Hit, Retriever, RetrieverError

GOLDEN = Path(__file__).parents[1] / "golden" / "eval"
NAMES = ["nDCG@10", "R@100", "RR", "AP(rel=2)", "nDCG(dcg='log2')@5"]
METRICS = [parse_metric(name) for name in NAMES]
COLOURS, KINDS = ("red", "blue", "oak", "steel"), ("lamp", "kettle", "chair")


@pytest.fixture(scope="module")
def shelf():
    """Twelve products; whoever wants one of a colour takes the kind in another colour, too."""
    wanted = list(product(COLOURS, KINDS))
    names = [f"{colour} {kind}" for colour, kind in wanted]
    notes = [f"{kind} for the home" for _, kind in wanted]
    ids = [f"p{k:02}" for k in range(len(names))]
    return Collection(
        "shelf",
        Catalogue(tuple(ids), {"title": tuple(names), "note": tuple(notes)}),
        {f"q{k:02}": name for k, name in enumerate(names)},
        {
            f"q{k:02}": {
                ids[j]: 3 * (j == k) or int(kind == wanted[k][1])
                for j, (_, kind) in enumerate(wanted)
                if j % 4 != 3 or kind == wanted[k][1]
            }
            for k in range(len(names))
        },
    )


def system(name, collection, write, **settings):
    return System(name, {q: write(text) for q, text in collection.queries.items()}, **settings)


@pytest.fixture(scope="module")
def shelf_evaluation(shelf):
    return evaluate(
        [
            system("colour", shelf, lambda text: (text.split()[0],)),
            system("before", shelf, lambda text: (text.split()[1],)),
            system("after", shelf, lambda text: (text, text.split()[1], ""), trained_with="bm25"),
        ],
        {"bm25": BM25(shelf.catalogue), "notes": BM25(shelf.catalogue, fields={"note": 1.0})},
        shelf,
        METRICS[:3],
    )


def golden(request, name, text):
    path = GOLDEN / name
    if request.config.getoption("--write-golden"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def printed(evaluation, width=80):
    console = Console(file=io.StringIO(), width=width, color_system=None, legacy_windows=False)
    print_evaluation(evaluation, console)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines()) + "\n"


def explain(query, text):
    return f"ospo explain {shlex.quote(text)}"


def written(evaluation, folder):
    write_folder(evaluation, folder, command="ospo eval", explain=explain)
    return folder


def recomputed(folder):
    """Every value of values.csv beside what ir-measures makes of the run files."""
    about = json.loads((folder / "eval.json").read_text(encoding="utf-8"))
    peers = {metric["name"]: metric["ir_measures"] for metric in about["metrics"]}
    qrels = list(ir_measures.read_trec_qrels(str(folder / "qrels.txt")))
    sums = dict.fromkeys(product((q.query_id for q in qrels), peers), 0.0)
    tables = {}
    for path in sorted((folder / "runs").iterdir()):
        tag = re.sub(r"(\.\d+)?\.run$", "", path.name)
        table = tables.setdefault(tag, dict(sums))
        run = list(ir_measures.read_trec_run(str(path)))
        for name, peer in peers.items():
            for found in ir_measures.iter_calc([ir_measures.parse_measure(peer)], qrels, run):
                table[found.query_id, name] += found.value
    with (folder / "values.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            total = tables[f"{row['system']}.{row['retriever']}"][row["query_id"], row["metric"]]
            yield float(row["value"]), total / int(row["texts"])


@pytest.fixture(scope="module")
def icecat(icecat_dir):
    return load(f"icecat:{icecat_dir}")


@pytest.fixture(scope="module")
def bm25(icecat):
    return BM25(icecat.catalogue)


def test_ir_measures_computes_every_number_of_a_real_comparison(icecat, bm25, tmp_path):
    names = icecat.answerable[:60]
    evaluation = evaluate(
        [
            System("original", {q: (icecat.queries[q],) for q in icecat.answerable}),
            System("last", {q: (icecat.queries[q].split()[-1],) for q in names}),
        ],
        {"bm25": bm25, "brand": BM25(icecat.catalogue, fields={"brand": 1.0})},
        icecat,
        METRICS,
    )
    pairs = list(recomputed(written(evaluation, tmp_path / "eval")))
    assert len(pairs) == 2 * 2 * 7 * len(evaluation.queries)
    assert len(evaluation.queries) > 50
    ours, theirs = np.transpose(pairs)
    assert ours == pytest.approx(theirs, abs=1e-9)
    assert 0.1 < ours.mean() < 0.9


def test_ir_measures_computes_every_number_of_averaged_and_empty_texts(shelf_evaluation, tmp_path):
    ours, theirs = np.transpose(list(recomputed(written(shelf_evaluation, tmp_path / "eval"))))
    assert ours == pytest.approx(theirs, abs=1e-9)
    assert len({*ours}) > 10


def test_shallow_values_are_those_that_training_rewards(icecat, bm25):
    texts = {query: (icecat.queries[query], "usb") for query in icecat.answerable[:20]}
    evaluation = evaluate([System("both", texts)], {"bm25": bm25}, icecat, METRICS[:1])
    for q, query in enumerate(evaluation.queries):
        values = Judge(bm25, icecat.qrels[query], METRICS[0])(texts[query])
        assert evaluation.values[0, 0, 0, q] == pytest.approx(values.mean(), abs=1e-12)
    assert [*map(str, evaluation.metrics)] == ["nDCG@10", "nDCG(judged_only=True)@10"]


@given(st.lists(st.floats(-(2.0**100), 2.0**100, width=32)))
def test_written_scores_fall_strictly_and_change_only_where_they_do_not(scores):
    given_scores = np.array(scores, dtype=np.float32)
    found = falling(given_scores)
    assert (np.diff(found) < 0).all()
    assert (found <= given_scores).all()
    assert [np.float32(f"{score:.9g}") for score in found.tolist()] == found.tolist()
    distinct = np.unique(given_scores)[::-1] + np.float32(0)
    assert falling(distinct).tolist() == distinct.tolist()


def test_the_terminal_view_is_golden(request, shelf_evaluation):
    golden(request, "eval.txt", printed(shelf_evaluation))
    assert max(map(len, printed(shelf_evaluation).splitlines())) <= 80


def test_retrievers_stand_beside_each_other_where_there_is_room(shelf_evaluation):
    header = printed(shelf_evaluation, width=120).splitlines()[2]
    assert "bm25" in header
    assert "notes (never trained on)" in header


def test_long_names_and_texts_are_cut_and_numbers_are_not(shelf):
    wordy = system("wordy", shelf, lambda text: (f"{text} {'that somebody lost ' * 9}",))
    evaluation = evaluate(
        [system("plain", shelf, lambda text: (text.split()[0],)), wordy],
        {f"http:https://search.example.com/{'shop/' * 20}": BM25(shelf.catalogue)},
        shelf,
        METRICS[:1],
    )
    view = printed(evaluation)
    assert max(map(len, view.splitlines())) <= 80
    [found] = evaluation.main
    best = evaluation.contrast.max()
    for number in (found.mean, found.low, found.high, best):
        assert f"{number:+.3f}".replace("-", "−") in view
    assert f"lost {found.queries.lost}\n" in view


def test_the_latex_table_is_golden(request, shelf_evaluation):
    golden(request, "table.tex", latex(shelf_evaluation))


def test_the_values_are_golden(request, shelf_evaluation, tmp_path):
    folder = written(shelf_evaluation, tmp_path / "eval")
    golden(request, "values.csv", (folder / "values.csv").read_text(encoding="utf-8"))


def test_names_cannot_act_in_latex(shelf_evaluation):
    odd = replace(shelf_evaluation.systems[0], name="50%_of $x$ & \\input{a}~^#")
    table = latex(replace(shelf_evaluation, systems=(odd, *shelf_evaluation.systems[1:])))
    assert (
        r"50\%\_of \$x\$ \& \textbackslash{}input\{a\}\textasciitilde{}\textasciicircum{}\#"
        in table
    )


def test_texts_cannot_act_on_the_page(shelf):
    evil = "</td><script>alert(1)</script> \x1b[31m<img src=x onerror=alert(1)>"
    evaluation = evaluate(
        [system("plain", shelf, lambda text: (text,)), system("evil", shelf, lambda _: (evil,))],
        {"bm25": BM25(shelf.catalogue)},
        shelf,
        METRICS[:1],
    )
    page = evaluation_page(evaluation, command=evil, explain=explain)
    assert "<script" not in page
    assert "<img" not in page
    assert "\x1b" not in page
    assert page.count("&lt;script&gt;alert(1)") == 2 * 12 + 1
    assert "\x1b" not in printed(evaluation)


def test_the_page_sorts_the_queries_and_says_how_to_explain_each(shelf_evaluation):
    page = evaluation_page(shelf_evaluation, command="ospo eval --seed 0", explain=explain)
    rows = page.partition('<table class="queries">')[2]
    differences = [
        float(text.replace("−", "-"))
        for text in re.findall(r"<tr><td class=\"\w*\">([^<]+)</td>", rows)
    ]
    assert len(differences) == 12
    assert differences == sorted(differences)
    assert "ospo explain &#39;red lamp&#39;" in rows
    assert rows.count("no words") == 12
    assert "ospo eval --seed 0" in rows


def test_a_page_of_one_system_has_no_contrast(shelf):
    alone = evaluate(
        [system("original", shelf, lambda text: (text,))],
        {"bm25": BM25(shelf.catalogue)},
        shelf,
        METRICS[:1],
    )
    page = evaluation_page(alone, command="ospo eval", explain=explain)
    assert "Holm" not in page
    assert "<svg" not in page
    assert alone.differences == alone.main == ()
    assert "−" not in printed(alone)


def test_letters_name_the_systems_that_are_significantly_worse(shelf_evaluation):
    table = to_dict(shelf_evaluation)
    better = {
        (d["retriever"], d["metric"], d["system"] if d["mean"] > 0 else d["other"])
        for d in table["differences"]
        if d["p_holm"] < 0.05
    }
    marked = {
        (retriever, str(metric), shelf_evaluation.systems[s].name)
        for s in range(3)
        for r, retriever in enumerate(shelf_evaluation.retrievers)
        for m, metric in enumerate(shelf_evaluation.metrics)
        if shelf_evaluation.mean(s, r, m).beaten
    }
    assert marked == better
    assert better
    assert shelf_evaluation.mean(1, 1, 0).beaten == "ac"


def test_a_difference_says_what_was_won_by_how_much(shelf_evaluation):
    contrast = shelf_evaluation.values[2, 0, 0] - shelf_evaluation.values[0, 0, 0]
    found = shelf_evaluation.main[0]
    assert (found.system, found.other, found.metric) == ("after", "colour", "nDCG@10")
    assert found.mean == pytest.approx(contrast.mean(), abs=1e-15)
    assert found.low < found.mean < found.high
    assert found.queries == ((contrast > 1e-9).sum(), 0, (contrast < -1e-9).sum())
    assert found.p <= found.p_holm <= 3 * found.p
    assert shelf_evaluation.contrast[0].tolist() == contrast.tolist()
    assert [contrast[q] for q in shelf_evaluation.worst_first] == sorted(contrast)


def test_one_seed_gives_one_record_whatever_else_is_compared(shelf, shelf_evaluation):
    again = evaluate(
        shelf_evaluation.systems[::2], {"bm25": BM25(shelf.catalogue)}, shelf, METRICS[:1]
    )
    (alone,), found = again.main, shelf_evaluation.main[0]
    assert replace(alone, p_holm=found.p_holm) == found


def test_held_out_is_a_retriever_that_no_trained_system_knows(shelf_evaluation):
    assert [shelf_evaluation.held_out(name) for name in ("bm25", "notes")] == [False, True]
    untrained = replace(shelf_evaluation, systems=shelf_evaluation.systems[:2])
    assert not untrained.held_out("notes")


def test_texts_that_the_retriever_cannot_tell_apart_are_searched_once(shelf):
    asked = []

    class Counting(BM25):
        def search(self, queries, k):
            asked.extend(queries)
            return super().search(queries, k)

    lamps = system("lamps", shelf, lambda _: ("lamp", "LAMP!", "lamps", "", "?"))
    found = evaluate([lamps], {"bm25": Counting(shelf.catalogue)}, shelf, METRICS[:1])
    assert len(asked) == 1
    assert "24 texts of lamps retrieve nothing with bm25: they are worth 0" in found.notes


def test_a_retriever_that_fails_stops_the_comparison(shelf):
    class Broken(Retriever):
        def search(self, queries, k):
            raise RetrieverError("the engine is down")

    with pytest.raises(RetrieverError, match="down"):
        evaluate(
            [system("original", shelf, lambda text: (text,))],
            {"broken": Broken()},
            shelf,
            METRICS[:1],
        )


def test_a_metric_deeper_than_the_retriever_is_refused(shelf):
    class Shallow(Retriever):
        depth = 5

        def search(self, queries, k):
            return [[Hit("p00", 1.0)] for _ in queries]

    original = system("original", shelf, lambda text: (text,))
    with pytest.raises(InputError, match=r"nDCG@10 looks deeper than shallow, which finds 5"):
        evaluate([original], {"shallow": Shallow()}, shelf, METRICS[:1])


def test_what_cannot_be_compared_is_left_out_and_said(shelf):
    texts = dict.fromkeys([*list(shelf.queries)[:9], "q90", "q91"], ("lamp",))
    hopeless = replace(shelf, qrels={**shelf.qrels, "q03": {"p00": 0}})
    found = evaluate(
        [system("original", hopeless, lambda text: (text,)), System("few", texts)],
        {"bm25": BM25(shelf.catalogue)},
        hopeless,
        METRICS[:1],
    )
    assert len(found.queries) == 8
    assert found.notes == (
        "left out 2 of 11 query ids of few that shelf does not have (q90, q91)",
        "left out 3 queries of original that another system lacks (q09, q10, q11)",
        "left out 1 queries without a relevant product (q03)",
    )


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({"x": ("lamp",)}, r"shelf has none of the 1 query ids of other \(x\): use its own ids"),
        ({"q00": ("lamp",)}, r"have 1 judged queries in common"),
    ],
)
def test_systems_without_common_queries_are_refused(shelf, texts, message):
    original = system("original", shelf, lambda text: (text,))
    with pytest.raises(InputError, match=message):
        evaluate(
            [original, System("other", texts)],
            {"bm25": BM25(shelf.catalogue)},
            shelf,
            METRICS[:1],
        )


def test_two_systems_of_one_name_are_refused(shelf):
    original = system("original", shelf, lambda text: (text,))
    with pytest.raises(InputError, match="each with its own name"):
        evaluate([original, original], {}, shelf, METRICS[:1])


def test_ids_with_blanks_are_not_written_into_trec_files(shelf, tmp_path):
    blank = replace(
        shelf,
        queries={f"q {q}": text for q, text in shelf.queries.items()},
        qrels={f"q {q}": grades for q, grades in shelf.qrels.items()},
    )
    found = evaluate(
        [system("original", blank, lambda text: (text,))],
        {"bm25": BM25(shelf.catalogue)},
        blank,
        METRICS[:1],
    )
    with pytest.raises(InputError, match="12 query ids have blanks"):
        written(found, tmp_path / "eval")
    assert list(tmp_path.iterdir()) == []


QUERY_FILES = {
    "plain.tsv": "q00\tred\nq01\t\n",
    "headed.tsv": "query_id\ttext\nq00\tred\nq01\t\n",
    "beir.jsonl": '{"_id": "q00", "text": "red"}\n{"_id": "q01", "text": ""}\n',
    "ours.ndjson": '{"query_id": "q00", "query": "red"}\n{"query_id": "q01", "query": ""}\n',
}


@pytest.mark.parametrize(("name", "content"), QUERY_FILES.items(), ids=QUERY_FILES)
def test_query_files_are_read_in_the_forms_that_people_have(shelf, tmp_path, name, content):
    (tmp_path / name).write_text(content, encoding="utf-8")
    found = load_system(f"mine:{tmp_path / name}", shelf)
    assert found == System("mine", {"q00": ("red",), "q01": ("",)})


def test_topics_and_compressed_files_are_read(shelf, tmp_path):
    path = tmp_path / "topics.xml.gz"
    path.write_bytes(gzip.compress(b"<top><num>7</num><title>red lamp</title></top>"))
    assert load_system(f"t:{path}", shelf).texts == {"7": ("red lamp",)}


@pytest.fixture
def finished(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "config.yaml").write_text("data: shelf\nretriever: bm25\n", encoding="utf-8")
    rows = [
        {"query_id": query, "context": f"ask {k}", "before": f"old {k}", "after": f"new {k}"}
        | dict.fromkeys(("wanted", "copied", "value_before", "value_after"), 0.5)
        for k, query in enumerate(["q00", "q00", "q01"])
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "held_out.jsonl").write_text(lines, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("part", "word", "trained"),
    [("", "new", "bm25"), ("#before", "old", None), ("#context", "ask", None)],
)
def test_a_run_gives_what_it_wrote_for_its_held_out_contexts(shelf, finished, part, word, trained):
    found = load_system(f"grpo:{finished}{part}", shelf)
    assert found.texts == {"q00": (f"{word} 0", f"{word} 1"), "q01": (f"{word} 2",)}
    assert found.trained_with == trained
    assert bool(found.notes) == (trained is not None)


def test_a_run_says_what_it_was_trained_on(finished):
    assert trained_on(["original", "q:queries.tsv", f"grpo:{finished}"]) == "shelf"
    assert trained_on(["original"]) is None


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("queries", "there are no queries 'queries': write original, NAME:FILE"),
        ("a b:q.tsv", "there are no queries"),
        ("mine:", "there are no queries"),
        ("mine:{}/absent.tsv", "the queries mine: there is no file"),
        ("mine:{}/twice.tsv", 'the queries mine: query "q00" has two texts'),
        ("mine:{}/wide.tsv", "3 fields instead of 2"),
        ("mine:{}/odd.jsonl", "have none of query_id"),
        ("mine:{}/bad.jsonl", "does not begin with a line of JSON"),
        ("mine:{}/number.jsonl", "have none of query_id"),
        ("mine:{}/twice.tsv#before", "twice.tsv is no run, so it has no 'before'"),
        ("mine:{}/run#after-all", "a run has no 'after-all'"),
        ("mine:{}", "is not a finished run"),
    ],
)
def test_wrong_queries_are_refused_in_one_sentence(shelf, finished, tmp_path, spec, message):
    files = {
        "twice.tsv": "q00\tred\nq00\tblue\n",
        "wide.tsv": "q00\tred\tlamp\n",
        "odd.jsonl": '{"name": "q00"}\n',
        "bad.jsonl": "q00 red\n",
        "number.jsonl": "7\n",
    }
    for name, content in files.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        load_system(spec.format(tmp_path), shelf)


@pytest.mark.parametrize("broken", ["data: [", "- shelf", "data: shelf", ""])
def test_a_run_with_a_broken_configuration_is_not_finished(shelf, finished, broken):
    (finished / "config.yaml").write_text(broken, encoding="utf-8")
    with pytest.raises(InputError, match="is not a finished run"):
        load_system(f"grpo:{finished}", shelf)


def test_a_run_without_its_held_out_part_is_not_finished(shelf, finished):
    (finished / "held_out.jsonl").unlink()
    with pytest.raises(InputError, match="wait until it is done"):
        load_system(f"grpo:{finished}", shelf)
