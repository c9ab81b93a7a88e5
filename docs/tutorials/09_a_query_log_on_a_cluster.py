"""
A query log on a Dask or Ray cluster
====================================

Which of yesterday's queries should be mended first? ``ospo explain --queries`` explains
all of them, and begins with those that gain most when one phrase is deleted.
``--executor`` sends the work to ``threads``, ``processes``, ``dask:ADDRESS`` or
``ray``.

The Dask cluster here has two workers inside this process, so that the page can be built
anywhere. A real one is started elsewhere; only its address changes. Ray is not used on
this page.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np
from distributed import Client, LocalCluster

import owen_core as oc
from ospo.cli import main

home = TemporaryDirectory()
cluster = LocalCluster(
    n_workers=2,
    threads_per_worker=1,
    processes=False,
    protocol="tcp",
    dashboard_address=None,
)
command = ["explain", "--queries", "all", "--data", "shop", "--out", "worklist"]
with chdir(home.name):
    main([*command, "--executor", f"dask:{cluster.scheduler_address}"])

# %%
# The folder has a page for each query, and a row for each in ``worklist.jsonl``,
# written as it finishes: a run that was stopped goes on with the same command. The rows
# say how far down the list work is worth while:

rows = (Path(home.name) / "worklist/worklist.jsonl").read_text().splitlines()
gains = [max(json.loads(row)["summary"]["gain"], 0) for row in rows]

figure, axes = plt.subplots(figsize=(8, 2.8), layout="constrained")
axes.plot(np.cumsum([0, *sorted(gains, reverse=True)]) / sum(gains), color="#ff0051")
axes.set(xlabel="queries mended, from the top of the list", ylabel="share of all gain")
axes.spines[["top", "right"]].set_visible(False)

# %%
# A gain here is what deleting a phrase brings by the judgments. Whether a shopper would
# call it the same query is for a person to say.
#
# One large game
# --------------
# The same executors value the coalitions of a single game: whatever has the ``submit``
# of ``concurrent.futures``. The numbers do not depend on who computed them.

votes = oc.games.un_security_council()
here = oc.attribute(votes)
with ThreadPoolExecutor(2) as threads:
    in_threads = oc.attribute(votes, executor=threads)
with Client(cluster) as client, oc.DaskExecutor(client) as workers:
    on_dask = oc.attribute(votes, executor=workers)

print(here.summary)
print("the same bits in threads:", np.array_equal(here.values, in_threads.values))
print("the same bits on Dask:   ", np.array_equal(here.values, on_dask.values))

# %%
# ``oc.RayExecutor()`` does so with Ray. With an engine inside the process, one process
# is fastest as a rule: 200 queries are too few to share out. Clusters pay off where
# each search is slow.

cluster.close()
home.cleanup()
