"""
Read a training report
======================

Every run ends with ``report.html``. Beside a baseline it answers one question: what did
credit change? Here are two runs of twelve steps that differ in their rule alone;
``uniform`` is GRPO.
"""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt

from ospo.report.run_page import write_run_page
from ospo.train.run import train
from ospo.train.settings import parse

home = TemporaryDirectory()
runs = Path(home.name)
short = "--warm_start_steps 200 --max_steps 12 --learning_rate 1e-3"
for rule in ("uniform", "praise"):
    train(*parse(f"--rule {rule} --output_dir {runs / rule} {short}".split()))

write_run_page(runs / "praise", baseline=runs / "uniform")

# %%
# How to read it, from the top:
#
# - **The gains** are of queries that training never saw. The first is over the policy
#   before training, the second over the baseline. A gain whose interval holds zero is
#   no gain, and an interval over queries says nothing of other seeds: one run on each
#   side cannot tell which rule is better.
# - **Alarms** name the steps at which something looked wrong, such as completions of a
#   single phrase, which leave nothing to share.
# - **Held out** puts the gains between two marks: the whole context as a query, and the
#   query that was wanted.
# - **Curves** show what happened on the way. If the reward rises while the held-out
#   value does not, the policy has found a hole in the reward.
# - **Samples** are the three best, the three worst and four drawn by lot. A report
#   without its worst would be advertising.
# - **Cost** says how many evaluations credit took, and how many were known already.
#
# The same page can be had at any time, also while a run is still going: ``ospo train
# --report runs/praise --baseline runs/uniform``.
#
# Behind the mean
# ---------------
# Whatever the page says can be looked up in the run's files. A mean hides that some
# queries lose; here is each held-out context, before and after.

log = (runs / "praise/held_out.jsonl").read_text().splitlines()
pairs = [(row["value_before"], row["value_after"]) for row in map(json.loads, log)]

figure, axes = plt.subplots(figsize=(8, 3.6), layout="constrained")
axes.plot([0, 1], [0, 1], color="#d5d9e0")
axes.scatter(*zip(*pairs, strict=True), color="#ff0051", alpha=0.4, linewidth=0)
axes.set(xlabel="nDCG@100 before training", ylabel="after", aspect="equal")
axes.spines[["top", "right"]].set_visible(False)
home.cleanup()
