"""The report of a training: what it says, of whatever a run has left.

Long because one run is shown in every state that it may be left in.
"""

from __future__ import annotations

import html
import json
import math
import re
import shlex
import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import yaml

from ospo.cli import main
from ospo.data import load
from ospo.errors import InputError
from ospo.paired import bootstrap_interval
from ospo.report.curves import HEIGHT, POINTS, WIDTH, panels
from ospo.report.run_page import cost, raised, run_page, write_run_page
from ospo.report.run_record import read_run
from ospo.report.run_samples import chosen, run_samples
from ospo.report.terminal import signed
from ospo.search.bm25 import BM25
from ospo.search.judge import Judge
from ospo.search.metrics import parse_metric
from ospo.train.directory import entered
from ospo.train.held_out import HeldOut
from ospo.train.settings import parse

GOLDEN = Path(__file__).parents[1] / "golden" / "training_page"
ATTACK = "</style><script>alert(1)</script>"
SETTINGS = {
    "data": "shop",
    "contexts": "noisy",
    "retriever": "bm25",
    "reward": "retrieval",
    "metric": "nDCG@100",
    "segmenter": "phrases",
    "cache": None,
    "rule": "praise",
    "credit": "myerson",
    "credit_budget": None,
    "max_width": None,
    "paper": False,
    "learning_rate": 4e-4,
    "num_generations": 8,
    "max_steps": 40,
    "seed": 3,
    "gradient_accumulation_steps": 6,
    "steps_per_generation": 6,
    "num_iterations": 1,
}


def logged(step, **more):
    """What a step logs, of a training that learns."""
    return {
        "step": step,
        "reward": 0.4 + 0.01 * step + 0.05 * math.sin(step),
        "entropy": 1.0 - step / 100,
        "kl": 0.0,
        "grad_norm": float("nan"),
        "credit/segments_mean": 3.0 + step % 2,
        "credit/halfwidth_mean": None,
        "game/evaluations": 90.0,
        "game/searches": 30.0,
        "game/cache_hit_rate": 0.75,
        "num_tokens": 1000.0 * step,
        "step_time": 2.0,
        **more,
    }


def held_out(worse=()):
    """Contexts of twelve queries of the shop, with what every text is truly worth."""
    shop = load("shop")
    engine = BM25(shop.catalogue)
    records = []
    for k, query in enumerate(shop.answerable[:12]):
        wanted, other = shop.queries[query], shop.queries[shop.answerable[k + 40]]
        after = "" if k == 5 else other if k in worse else wanted
        texts = [wanted, f"a friend has {other}, looking for {wanted}", other, after]
        judge = Judge(engine, shop.qrels[query], parse_metric("nDCG@100"))
        values = judge(texts).tolist()
        records.append(HeldOut(query, texts[1], *values[:2], other, after, *values[2:]))
    return records


def make_run(folder, log=None, records=None, **settings):
    """A run directory; without records it is not finished."""
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(SETTINGS | settings), encoding="utf-8")
    lines = [logged(step) for step in range(1, 41)] if log is None else log
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    (folder / "metrics.jsonl").write_text(text, encoding="utf-8")
    if records is not None:
        lines = (json.dumps(asdict(record)) + "\n" for record in records)
        (folder / "held_out.jsonl").write_text("".join(lines), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("runs") / "praise", records=held_out(worse=(2, 7)))


@pytest.fixture(scope="module")
def baseline(tmp_path_factory):
    log = [logged(step, reward=0.4 + 0.005 * step) for step in range(1, 31)]
    records = held_out(worse=(1, 2, 7, 8))
    folder = tmp_path_factory.mktemp("runs") / "grpo"
    return make_run(folder, log, records, rule="uniform", max_steps=30, output_dir="elsewhere")


def text_of(page):
    """What a reader sees, line by line."""
    body = re.sub(r"</(p|li|tr|h\d|dt|dd|figcaption|summary|pre|article)>", "\n", page)
    body = re.sub(r"<[^>]*>", " ", body[body.index("<body>") :])
    lines = (" ".join(html.unescape(line).split()) for line in body.splitlines())
    return "\n".join(filter(None, lines)) + "\n"


@pytest.mark.parametrize("case", ["finished", "compared", "unfinished"])
def test_what_the_page_says_is_golden(case, finished, baseline, tmp_path, request, monkeypatch):
    for run in (finished, baseline):
        shutil.copytree(run, tmp_path / run.name)
    make_run(tmp_path / "going-on", [logged(1), logged(2, **{"credit/segments_mean": 1.0})])
    monkeypatch.chdir(tmp_path)
    run = Path("going-on" if case == "unfinished" else "praise")
    page = run_page(run, Path("grpo") if case == "compared" else None)
    text, path = text_of(page), GOLDEN / f"{case}.txt"
    if request.config.getoption("--write-golden"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_the_page_asks_the_network_for_nothing_and_has_no_script(finished, baseline):
    page = run_page(finished, baseline)
    assert not re.search(r"<script|<link|<img|\bsrc=|href=|url\(|@import", page)
    assert len(page) < 200_000


def test_the_gain_and_its_interval_are_those_of_the_queries(finished):
    records = read_run(finished).held_out
    gains = np.array([r.value_after - r.value_before for r in records])
    (low,), (high,) = bootstrap_interval(gains[:, None])
    told = f"{signed(gains.mean())} [{signed(low)}, {signed(high)}] nDCG@100 by training"
    assert gains.mean() > low > 0
    assert told in text_of(run_page(finished))


def test_a_baseline_is_compared_query_by_query(finished, baseline):
    ours, theirs = ([r.value_after for r in read_run(f).held_out] for f in (finished, baseline))
    gains = np.array(ours) - theirs
    (low,), (high,) = bootstrap_interval(gains[:, None])
    text = text_of(run_page(finished, baseline))
    told = f"{signed(gains.mean())} [{signed(low)}, {signed(high)}] nDCG@100 against the baseline"
    assert told in text
    assert re.search("^rule praise uniform$", text, re.MULTILINE)
    assert "elsewhere" not in text  # where a run lies decides nothing


def test_credits_of_a_sample_add_up_to_what_the_run_measured(finished):
    told = run_samples(read_run(finished))
    assert len(told.samples) == 10
    assert len(told.notes) == 1
    for sample in told.samples:
        for text in sample.texts:
            assert sum(credit for _, credit in text.credit) == pytest.approx(text.value, abs=1e-9)
            assert bool(text.credit) == bool(text.text)


def test_what_the_cache_of_a_run_knows_is_not_searched_again(finished, tmp_path, monkeypatch):
    run = shutil.copytree(finished, tmp_path / "run")
    first = run_samples(read_run(run))

    def no_engine(*_):
        raise AssertionError("it is searched again")

    monkeypatch.setattr(BM25, "look", no_engine)
    assert run_samples(read_run(run)) == first


@pytest.mark.parametrize("credit", ["leave-one-out", "information-gain", "shapley"])
def test_credit_of_every_kind_has_strips(credit, tmp_path):
    told = run_samples(read_run(make_run(tmp_path / "run", records=held_out(), credit=credit)))
    assert any(any(text.credit for text in sample.texts) for sample in told.samples)
    shown = "myerson" if credit == "information-gain" else credit
    assert told.notes == (f"Credits are by {shown}, with bm25.",)


def test_ranks_of_a_sample_are_those_of_the_engine(finished):
    shop = load("shop")
    engine = BM25(shop.catalogue)
    ids = {title: product for product, title in zip(shop.catalogue.ids, titles(shop), strict=True)}
    for sample in run_samples(read_run(finished)).samples[:3]:
        for text, column in zip(sample.texts, range(3), strict=True):
            products = [ids[placed.title] for placed in sample.placed]
            found = engine.ranks([text.text], products)[0] if text.text else [0] * len(products)
            assert [placed.ranks[column] for placed in sample.placed] == list(found)


def titles(collection):
    return collection.catalogue.fields["title"]


def test_the_command_of_a_sample_explains_what_was_written(finished, capsys):
    sample = run_samples(read_run(finished)).samples[-1]
    _, command, *words = shlex.split(sample.command)
    assert main([command, "--format", "json", *words]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["query"] == sample.texts[-1].text
    assert record["total"] == pytest.approx(sample.texts[-1].value)
    assert tuple(record["credit"]) == pytest.approx([c for _, c in sample.texts[-1].credit])


def test_samples_are_the_worst_the_best_and_others_each_query_once():
    gains = np.random.default_rng(0).normal(size=60).tolist()
    records = [
        HeldOut(f"q{k % 20}", str(k), 1.0, 0.0, "", "", 0.0, value) for k, value in enumerate(gains)
    ]
    found = chosen(records, seed=1)
    kinds = [kind for kind, _ in found]
    assert kinds == ["worst"] * 3 + ["best"] * 3 + ["drawn"] * 4
    assert len({record.query_id for _, record in found}) == 10
    assert found[0][1].value_after == min(gains)
    assert found[3][1].value_after == max(gains)
    assert chosen(records, seed=1) == found
    assert chosen(records, seed=2)[:6] == found[:6]
    assert chosen(records, seed=2) != found


def test_of_few_queries_the_worst_come_first():
    records = [HeldOut(f"q{k}", "", 1.0, 0.0, "", "", 0.0, float(k)) for k in range(4)]
    assert [(kind, r.query_id) for kind, r in chosen(records, 0)] == [
        ("worst", "q0"),
        ("worst", "q1"),
        ("worst", "q2"),
        ("best", "q3"),
    ]


def test_a_text_that_is_worth_something_else_now_is_said(finished, tmp_path):
    records = read_run(finished).held_out
    changed = [HeldOut(**{**asdict(r), "value_after": r.value_after / 2}) for r in records]
    run = make_run(tmp_path / "run", records=changed)
    assert "has changed since the run was measured" in run_page(run)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"data": "icecat:/no/such/folder"}, "/no/such/folder"),
        ({"retriever": "http:http://127.0.0.1:9/?q={query}&n={k}&"}, "127.0.0.1:9"),
        ({"reward": "similar"}, "the reward 'similar', and they are of what is retrieved"),
    ],
)
def test_where_nothing_can_be_searched_again_the_page_says_why(settings, reason, tmp_path):
    run = make_run(tmp_path / "run", records=held_out(), **settings)
    text = text_of(run_page(run))
    assert "There are no credits and ranks here: " in text
    assert reason in text
    assert text.count("\ncontext\n") == 10


def test_a_curve_goes_through_means_and_its_band_holds_every_value():
    log = [{"step": step, "reward": logged(step)["reward"]} for step in range(1, 201)]
    panel = panels([log])[0].panels[0]
    values = np.array([line["reward"] for line in log])
    numbers = [float(n) for n in re.findall(r"-?[\d.e-]+", panel.curves[0].line.replace("h0", ""))]
    points = np.array(numbers).reshape(-1, 2)
    parts = np.array_split(values, 23)  # not more than POINTS, of nine values each but the last
    drawn = panel.high - points[:, 1] / HEIGHT * (panel.high - panel.low)
    np.testing.assert_allclose(drawn, [part.mean() for part in parts], rtol=2e-3)
    assert (panel.low, panel.high) == (values.min(), values.max())
    assert 0 < points[0, 0] < points[-1, 0] < WIDTH  # a mean of steps lies inside them
    assert panel.curves[0].band.count("L") == 2 * len(parts) - 1
    assert len(parts) <= POINTS


def test_a_baseline_shares_both_scales():
    ours = [{"step": step, "reward": 0.5 + step / 100} for step in (1, 2)]
    theirs = [{"step": step, "reward": 0.5} for step in (1, 2, 3, 4, 5)]
    (family,) = panels([ours, theirs])
    (panel,) = family.panels
    assert (panel.low, panel.high) == (0.5, 0.52)
    assert (panel.first, panel.last) == (1, 5)
    assert panel.curves[0].line == "M0 50h0L75 0"
    assert panel.curves[1].line.endswith("L300 100")


def test_what_never_changes_is_told_and_not_drawn(finished):
    reward = panels([read_run(finished).log])[0]
    assert reward.constant == {"KL from the reference": 0.0}
    assert [panel.title for panel in reward.panels] == ["reward", "entropy, nats per token"]


def test_alarms_are_those_of_the_steps_that_raised_them(tmp_path):
    log = [logged(step, **{"retrieval/empty_frac": step / 10}) for step in range(1, 5)]
    (alarm,) = raised(read_run(make_run(tmp_path / "run", log)))
    assert alarm.steps == (3, 4)
    assert alarm.text.startswith("40% of the completions say nothing")


def test_credit_that_need_not_add_up_raises_no_alarm(tmp_path):
    log = [logged(1, **{"credit/efficiency_gap": 0.2})]
    runs = [make_run(tmp_path / name, log, credit=name) for name in ("myerson", "windows")]
    assert [len(raised(read_run(run))) for run in runs] == [1, 0]


@pytest.mark.parametrize(
    ("logging", "batches", "searches"),
    [(1, 6, 40 * 30), (4, 6, 40 * 30), (4, 12, 20 * 30), (1, 24, 10 * 30)],
)
def test_cost_is_the_sum_over_rounds_however_they_are_logged(logging, batches, searches, tmp_path):
    every = max(logging, batches // 6)  # completions are searched once for all steps of a round
    log = [logged(step) for step in range(every, 41, every)]
    found = cost(read_run(make_run(tmp_path / "run", log, steps_per_generation=batches)))
    assert found.searches == searches
    assert found.seconds == 80
    assert found.time == "0:01:20"


def test_a_run_that_has_logged_nothing_yet_has_a_page(tmp_path):
    text = text_of(run_page(make_run(tmp_path / "run", log=[])))
    assert "No step is logged yet." in text
    assert "Not finished : step 0 of 40." in text


def test_a_model_in_shards_was_not_compared(tmp_path):
    run = make_run(tmp_path / "run")
    (run / "model").mkdir()
    assert "it was in shards" in text_of(run_page(run))


def test_a_line_that_is_half_written_is_left_out_and_said(tmp_path):
    run = make_run(tmp_path / "run", [logged(1), logged(2)])
    with (run / "metrics.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(logged(3))[:40])
    text = text_of(run_page(run))
    assert "The last line of metrics.jsonl is half written, and left out." in text
    assert "No alarm in 2 steps." in text


def test_a_damaged_line_is_refused(tmp_path):
    run = make_run(tmp_path / "run", [logged(1), logged(2)])
    lines = (run / "metrics.jsonl").read_text().splitlines()
    (run / "metrics.jsonl").write_text(f"{lines[0]}\n{lines[1][:30]}\n{lines[1]}\n")
    with pytest.raises(InputError, match=r"line 2 of .*metrics.jsonl is not what a run logs"):
        run_page(run)


def test_a_damaged_comparison_is_refused(tmp_path):
    run = make_run(tmp_path / "run", records=held_out())
    (run / "held_out.jsonl").write_text('{"query_id": "q001"}\n')
    with pytest.raises(InputError, match=r"held_out.jsonl is damaged \(.*context"):
        run_page(run)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"data": "icecat:/shop"}, "data 'shop' here, 'icecat:/shop' there"),
        ({"metric": "RR"}, "metric 'nDCG@100' here, 'RR' there"),
        ({"retriever": "lsa"}, "retriever 'bm25' here, 'lsa' there"),
    ],
)
def test_a_baseline_that_was_measured_otherwise_is_refused(settings, told, finished, tmp_path):
    other = make_run(tmp_path / "other", **settings)
    with pytest.raises(InputError, match=re.escape(f"is no baseline for {finished} ({told})")):
        run_page(finished, other)


def test_a_baseline_with_other_queries_behind_the_same_name_is_refused(finished, tmp_path):
    other = make_run(tmp_path / "other", records=held_out()[:-1])
    with pytest.raises(InputError, match="'shop' holds other queries out"):
        run_page(finished, other)


def test_a_finished_baseline_of_an_unfinished_run_lends_its_curves_only(baseline, tmp_path):
    run = make_run(tmp_path / "run", [logged(step) for step in range(1, 9)])
    text = text_of(run_page(run, baseline))
    assert "Not finished : step 8 of 40." in text
    assert "baseline 0.5" in text
    assert "against" not in text


def test_an_unfinished_baseline_lends_its_curves_only(finished, tmp_path):
    other = make_run(tmp_path / "other", [logged(step) for step in range(1, 9)])
    text = text_of(run_page(finished, other))
    assert "The baseline other has no held-out values" in text
    assert "The baseline has the same settings." in text
    assert "against" not in text


@pytest.mark.parametrize("content", [None, "- 1", "{", "data: shop"])
def test_what_is_not_a_run_is_refused_in_one_sentence(content, tmp_path, capsys):
    if content is not None:
        (tmp_path / "config.yaml").write_text(content)
    assert main(["train", "--report", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert "give the directory that --output_dir named" in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "report.html").exists()


def test_text_from_outside_is_only_ever_text(tmp_path):
    records = held_out()
    wild = [HeldOut(**{**asdict(r), "after": ATTACK, "context": ATTACK}) for r in records]
    page = run_page(make_run(tmp_path / "<b>run", records=wild, rule=ATTACK))
    assert "<script" not in page
    assert "<b>run" not in page
    assert html.escape(ATTACK) in page


def test_a_run_that_is_replaced_leaves_no_report(finished, tmp_path):
    run = shutil.copytree(finished, tmp_path / "run")
    write_run_page(run)
    assert entered(run, *parse(["--overwrite", "--output_dir", str(run)])) is None
    assert list(run.iterdir()) == []


def test_the_command_writes_the_page_and_says_where(finished, baseline, tmp_path, capsys):
    run = shutil.copytree(finished, tmp_path / "run")
    assert main(["train", "--report", str(run), "--baseline", str(baseline)]) == 0
    assert capsys.readouterr().out == f"wrote {run / 'report.html'}\n"
    (command,) = re.findall(
        r"this page</dt><dd><pre>(.*?)</pre>", (run / "report.html").read_text()
    )
    first = (run / "report.html").read_bytes()
    assert main(shlex.split(html.unescape(command))[1:]) == 0
    assert (run / "report.html").read_bytes() == first


def test_a_report_takes_no_setting_of_a_training(finished, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["train", "--report", str(finished), "--seed", "1"])
    assert stopped.value.code == 2
    assert "takes --baseline RUN and nothing else, got --seed 1" in capsys.readouterr().err


def test_a_page_that_cannot_be_written_is_said(finished, tmp_path):
    run = shutil.copytree(finished, tmp_path / "run")
    (run / "report.html").mkdir()
    with pytest.raises(InputError, match=r"report.html cannot be written"):
        write_run_page(run)
