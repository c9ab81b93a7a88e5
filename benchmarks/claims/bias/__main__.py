"""The gradient bias meter: what each shipped rule's update expects to be, against the gradient.

    python -m benchmarks.claims.bias

Every completion of small games is enumerated, so nothing here is random but the sampled run, which
has a seed. The rules are the shipped ones. ``cos`` is the cosine of expected update and gradient,
``nu`` the update's variance over its expectation's square, ``I1`` and ``I64`` the share of the best
noise-free step's gain that is left with 1 and 64 groups, ``bias`` the raw relative bias of rules in
units of the reward, ``evals`` the coalitions valued for a completion. It exits 1 if a gate fails:

- a rule that is declared unbiased has a cosine of 1 within 1e-9;
- the reference cells of an independent prototype are met within 1e-3;
- the mean of 10,000 sampled groups, credited and shaped as in training, agrees with the meter
  within 4 standard errors in every parameter;
- shuffled credit has no better I1 than GRPO;
- without noise, every shipped rule reaches 0.99 of the possible improvement of additive games.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from benchmarks.claims.bias.flow import share_of_improvement
from benchmarks.claims.bias.meters import Cells, first, second
from benchmarks.claims.bias.published import published
from benchmarks.claims.bias.rules import MEASURED
from benchmarks.claims.bias.sampled import agreements
from ospo.advantage import RULES

RESULTS = Path(__file__).parents[2] / "results" / "bias.json"
QUANTITIES = ("cos", "nu", "I1", "I64", "bias", "evaluations")
UNBIASED, REFERENCE, ERRORS, IMPROVEMENT = 1e-9, 1e-3, 4.0, 0.99
FLOWS = [(policy, n) for policy in ("U", "T", "AR") for n in (2, 4)]
SAMPLED = [(policy, game) for policy in ("T", "AR") for game in ("additive", "pairwise", "ndcg")]


def main() -> int:
    torch.set_num_threads(1)
    record: dict[str, Any] = {}
    failures: list[str] = []
    for meter, tables in zip((first, second), published(), strict=True):
        record[meter.__name__] = {}
        for (policy, game), reference in tables.items():
            title = f"{meter.__name__} meter, {policy} {game}"
            cells = meter(policy, game)
            show(title, cells)
            failures += [f"{title}: {what}" for what in wrong(policy, cells, reference)]
            record[meter.__name__][f"{policy} {game}"] = cells

    print("\nshare of the possible improvement, without noise, additive game")
    record["flow"] = {}
    for rule in MEASURED:
        if rule.name not in (*RULES, "GRPO", "paper"):
            continue
        shares = {f"{p} {n}": share_of_improvement("additive", p, n, rule) for p, n in FLOWS}
        record["flow"][rule.name] = shares
        print(f"  {rule.name:<24}" + "".join(f"{k:>6}{share:>7.4f}" for k, share in shares.items()))
        if rule.name in RULES and min(shares.values()) <= IMPROVEMENT:
            failures.append(f"{rule.name} ends at {min(shares.values()):.4f}")

    print("\nlargest distance of a sampled mean update from the meter's, in standard errors")
    record["sampled"] = {}
    for policy, game in SAMPLED:
        found = agreements(game, policy)
        record["sampled"][f"{policy} {game}"] = {k: a.errors for k, a in found.items()}
        name, worst = max(found.items(), key=lambda item: item[1].errors)
        print(f"  {policy:<3}{game:<10}{worst.errors:6.2f}  of {len(found)} rules, in {name}")
        if worst.errors > ERRORS:
            failures.append(f"{policy} {game}: {name} is off by {worst.errors:.2f} errors")

    record["failures"] = failures
    RESULTS.write_text(json.dumps(rounded(record), indent=1) + "\n")
    print("\n" + ("\n".join(failures) or "every gate holds"))
    return bool(failures)


def wrong(policy: str, cells: Cells, reference: Cells) -> Iterator[str]:
    """Yield what of a game's cells fails a gate."""
    for rule in MEASURED:
        own = cells[rule.name]
        if rule.declared_unbiased(policy) and abs(own["cos"] - 1) > UNBIASED:
            yield f"{rule.name} is declared unbiased and has cosine {own['cos']}"
        if rule.name.startswith("placebo") and own["I1"] > cells["GRPO, standardised"]["I1"]:
            yield f"{rule.name} has I1 {own['I1']}, above GRPO's"
    columns = {rule.published: rule.name for rule in MEASURED} | {"game": "game"}
    for column, numbers in reference.items():
        for quantity, number in numbers.items():
            found = cells[columns[column]][quantity]
            if abs(found - number) > REFERENCE:
                yield f"{columns[column]} has {quantity} {found:.5f}, the reference says {number}"


def show(title: str, cells: Cells) -> None:
    """Print the cells of a game."""
    game = cells["game"]
    print(f"\n{title}: J {game['J']:.4f}, sd of R {game['sd']:.4f}, gradient {game['norm']:.4f}")
    print(f"  {'':<24}   cos        nu     I1    I64    bias  evals")
    for rule in MEASURED:
        cos, nu, i1, i64, bias, evaluations = (cells[rule.name].get(q) for q in QUANTITIES)
        raw = "" if bias is None else f"{bias:.4f}"
        line = f"{cos:>7.4f}{nu:>10.3f}{i1:>7.4f}{i64:>7.4f}{raw:>8}{evaluations:>6.1f}"
        print(f"  {rule.name:<24}{line}")


def rounded(part: Any) -> Any:
    """Return the record with nine digits of each number: what any processor finds."""
    if isinstance(part, dict):
        return {key: rounded(value) for key, value in part.items()}
    return float(f"{part:.9g}") if isinstance(part, float) else part


if __name__ == "__main__":
    sys.exit(main())
