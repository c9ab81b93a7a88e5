"""One rank of a tiny training over several processes: it writes down how it ended."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

from tiny_training import trainer

from ospo.train import OSPOTrainer


def main(folder: Path) -> None:
    """Train, and write into a folder how this rank ended."""
    made = trainer(
        OSPOTrainer,
        folder,
        rule="prefix",
        scale_rewards="none",
        truncated=None,
        per_device_train_batch_size=8,
        log_completions=True,
        ddp_backend="gloo",
    )
    made.train()
    weights = hashlib.sha256()
    for weight in made.model.state_dict().values():
        weights.update(weight.numpy().tobytes())
    ended = {
        "processes": made.accelerator.num_processes,
        "weights": weights.hexdigest(),
        "fit": [made.weight.fit.covariance, made.weight.fit.variance],
        "credit": list(made._logs["extra"]["credit"]),
        "completions": list(made._logs["completion"]),
    }
    (folder / f"rank{made.accelerator.process_index}.json").write_text(json.dumps(ended))
    made.end()  # a process that leaves with its group alive is aborted now and then


if __name__ == "__main__":
    main(Path(sys.argv[1]))
