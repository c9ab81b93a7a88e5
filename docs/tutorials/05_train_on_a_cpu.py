"""
Train on a CPU
==============

``ospo train`` trains a small query writer from nothing: it reads a shopper's context,
writes a search query, and is rewarded with what the query finds. A warm start teaches
it to copy; then GRPO goes on, and ``--rule praise`` gives more of each advantage to the
words that earned it. In a terminal it is one command, of which this page runs a short
version:

.. code-block:: console

    $ ospo train --rule praise --output_dir runs/first
"""

import json
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt

from ospo.cli import main

command = "train --rule praise --output_dir runs/first"
short = " --warm_start_steps 200 --max_steps 25 --learning_rate 1e-3"
home = TemporaryDirectory()
with chdir(home.name):
    main((command + short).split())

# %%
# The gain is measured on 70 queries that training never saw, and its interval is over
# queries. It says nothing of other seeds: 25 steps are a demonstration.
#
# Step by step
# ------------
# Everything about a run is in its folder, in formats that other tools read.
# ``metrics.jsonl`` has a line for each step.

log = (Path(home.name) / "runs/first/metrics.jsonl").read_text().splitlines()
rewards = [line["reward"] for line in map(json.loads, log) if "reward" in line]

figure, axes = plt.subplots(figsize=(8, 2.8), layout="constrained")
axes.plot(range(1, len(rewards) + 1), rewards, color="#ff0051")
axes.set(xlabel="step", ylabel="mean reward of a batch", ylim=(0, 1))
axes.spines[["top", "right"]].set_visible(False)

# %%
# Each step draws new prompts, and some are harder than others, so single steps say
# little. The next tutorial reads the report of two runs.

home.cleanup()
