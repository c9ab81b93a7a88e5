"""A clue-selection game: a policy learns in conversation which questions are worth asking.

    python examples/clue_game.py [--rule prefix] [--steps 200] [--seed 0]

A hidden product is drawn from a department of a shop. In each turn the policy asks for one clue,
and the environment tells it; when it knows enough, the policy ends the conversation. A clue that
has k answers, all equally likely, tells log2 k bits, whatever the others are. The reward is the
share of the product's bits that are known at the end, less a cost for every question. So the true
credit of every turn is known, see ``true_credit``.
"""

from __future__ import annotations

import argparse
import math
import re
import tempfile
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from numpy.typing import NDArray
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, PrinterCallback

from ospo.reward.reward import Reward, Row
from ospo.train import OSPOConfig, OSPOTrainer, TurnReward

CLUES = ("brand", "size", "colour", "style", "price", "room", "season", "power")
# How many answers a clue has; the other clues of a department have one, which says nothing.
ANSWERS = {
    "shoes": {"size": 8, "brand": 4, "season": 2},
    "lamps": {"room": 8, "power": 4, "colour": 2},
    "chairs": {"style": 8, "room": 4, "price": 2},
    "phones": {"brand": 8, "price": 4, "power": 2},
}
TURNS = 5
COST = 0.05  # of a question
BEST = 1 - 3 * COST  # ask for what says something, once, and stop
PAD, BOS, EOS, NOTHING = "<pad>", "<bos>", "<eos>", " any"
_TOLD = re.compile(r"(?:(\w+) )?(?:\d|any),")  # a turn, whatever was asked in it, and its answer


def bits(department: str, clue: str) -> float:
    """Return the share of what identifies a product of the department that a clue tells.

    Examples
    --------
    >>> bits("shoes", "size"), bits("shoes", "power")
    (0.5, 0.0)
    """
    answers = ANSWERS[department]
    return math.log2(answers.get(clue, 1)) / sum(map(math.log2, answers.values()))


def true_credit(department: str, asked: Sequence[str]) -> list[float]:
    """Return the Shapley value of each turn.

    Of each clue, whichever turn comes first tells it all. So the turns that ask for it share its
    bits equally, by symmetry, and each pays for itself.

    Examples
    --------
    >>> [round(credit, 2) for credit in true_credit("shoes", ["size", "power", "size"])]
    [0.2, -0.05, 0.2]
    """
    times = Counter(asked)
    return [bits(department, clue) / times[clue] - COST for clue in asked]


class Known(Reward):
    """The share of a product's bits that a conversation tells, less the cost of its questions."""

    def value(self, texts: Sequence[str], rows: Sequence[Row]) -> NDArray[np.float64]:
        """Return the value of each conversation, or of what is left of it."""
        values = []
        for text, row in zip(texts, rows, strict=True):
            asked = _TOLD.findall(text)
            known = sum(bits(row["department"], clue) for clue in {*asked})
            values.append(known - COST * len(asked))
        return np.array(values)


def tokenizer() -> PreTrainedTokenizerFast:
    """Return a tokenizer whose tokens are the words of the game, each with the space before it."""
    words = [*CLUES, *ANSWERS, *map(str, range(8))]
    tokens = [PAD, BOS, EOS, ",", NOTHING, *(f" {word}" for word in words)]
    made = Tokenizer(models.WordLevel({token: k for k, token in enumerate(tokens)}, unk_token=PAD))
    made.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_next")
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [made.pre_tokenizer, pre_tokenizers.Split(",", "isolated")]
    )
    made.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token=PAD, bos_token=BOS, eos_token=EOS, padding_side="left"
    )


def policy(words: PreTrainedTokenizerFast, seed: int) -> LlamaForCausalLM:
    """Return an untrained policy."""
    torch.manual_seed(seed)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(words),
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=2,
            max_position_embeddings=64,
            bos_token_id=words.bos_token_id,
            eos_token_id=words.eos_token_id,
            pad_token_id=words.pad_token_id,
        )
    )


@torch.no_grad()
def play(prompts: list[str], trainer: Any) -> dict[str, Any]:
    """Play a game for each prompt: a ``rollout_func`` of TRL.

    In all of them a turn is one token of the policy and two of the environment, so that the games
    go on side by side without padding.
    """
    words, model = trainer.processing_class, trainer.model
    start = torch.tensor(words(prompts).input_ids, device=model.device)
    departments = [prompt.removeprefix(BOS).strip() for prompt in prompts]
    products = [
        {clue: f" {int(torch.randint(count, ()))}" for clue, count in ANSWERS[name].items()}
        for name in departments
    ]
    comma = words.convert_tokens_to_ids(",")
    said, logps = start[:, :0], []
    for _ in range(TURNS):
        logits = model(torch.cat([start, said], dim=1)).logits[:, -1] / trainer.temperature
        drawn = torch.multinomial(logits.softmax(dim=-1), 1)
        logps.append(logits.log_softmax(dim=-1).gather(1, drawn))
        clues = [token.strip() for token in words.convert_ids_to_tokens(drawn[:, 0].tolist())]
        told = [its.get(clue, NOTHING) for clue, its in zip(clues, products, strict=True)]
        answers = torch.tensor([[words.convert_tokens_to_ids(answer), comma] for answer in told])
        said = torch.cat([said, drawn, answers.to(said)], dim=1)
    ids, masks, scores = [], [], []
    for row, log_ps in zip(said.tolist(), torch.cat(logps, dim=1).tolist(), strict=True):
        turns = row[::3]
        ended = turns.index(words.eos_token_id) if words.eos_token_id in turns else TURNS
        length = min(3 * ended + 1, len(row))
        ids.append(row[:length])
        masks.append(([1, 0, 0] * TURNS)[:length])
        scores.append([number for log_p in log_ps for number in (log_p, 0.0, 0.0)][:length])
    return {
        "prompt_ids": start.tolist(),
        "completion_ids": ids,
        "logprobs": scores,
        "env_mask": masks,
    }


def trainer(folder: str, **settings: Any) -> OSPOTrainer:
    """Return a trainer of the untrained policy."""
    words = tokenizer()
    defaults = {
        "output_dir": folder,
        "max_steps": 200,
        "learning_rate": 3e-3,
        "per_device_train_batch_size": 64,
        "gradient_accumulation_steps": 1,
        "num_generations": 16,
        "rule": "prefix",
        "credit": "shapley",
        "scale_rewards": "none",
        "use_cpu": True,
        "bf16": False,
        "report_to": "none",
        "save_strategy": "no",
        "logging_steps": 1,
        "disable_tqdm": True,
    }
    args = OSPOConfig(**(defaults | settings))
    rows = [{"prompt": f"{BOS} {name}", "department": name} for name in ANSWERS]
    made = OSPOTrainer(
        model=policy(words, args.seed),
        reward_funcs=TurnReward(Known(), words),
        args=args,
        train_dataset=Dataset.from_list(rows * 16),
        processing_class=words,
        rollout_func=play,
    )
    made.remove_callback(PrinterCallback)
    return made


def main() -> None:
    """Train, and play a game of each department."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rule", default="prefix")
    options.add_argument("--steps", type=int, default=200)
    options.add_argument("--seed", type=int, default=0)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = trainer(folder, rule=chosen.rule, max_steps=chosen.steps, seed=chosen.seed)
        made.train()
    rewards = [log["reward"] for log in made.state.log_history if "reward" in log]
    for step in range(0, len(rewards), max(1, len(rewards) // 10)):
        print(f"step {step:>4}  reward {rewards[step]:.3f}")
    print(f"at the end {np.mean(rewards[-5:]):.3f}; the best is {BEST:.3f}")
    made.model.eval()
    played = play([f"{BOS} {name}" for name in ANSWERS], made)
    for name, ids in zip(ANSWERS, played["completion_ids"], strict=True):
        print(f"{name}:{made.processing_class.decode(ids)}")


if __name__ == "__main__":
    main()
