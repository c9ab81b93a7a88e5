"""Two processes train one policy: real ranks, started by torchrun and joined by gloo."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

RANK = Path(__file__).parents[1] / "oracle" / "one_rank.py"


def test_two_ranks_end_with_the_same_weights_and_the_same_fit(tmp_path):
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    done = subprocess.run(
        [*launch, str(RANK), str(tmp_path)],
        env={**os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"},
        capture_output=True,
        text=True,
        errors="replace",
    )
    assert done.returncode == 0, done.stderr
    first, second = (json.loads((tmp_path / f"rank{rank}.json").read_text()) for rank in (0, 1))
    assert first == second
    assert first["processes"] == 2
    assert first["fit"][1] > 0
    assert len(first["credit"]) == len(first["completions"]) == 16  # of both ranks
