"""
From GRPO to OSPO in TRL
========================

Five lines turn a script that trains with TRL's ``GRPOTrainer`` into one that credits
phrases. Here are both, for two steps each. The model is the small query writer, so that
this runs anywhere; a model of yours goes in its place.
"""

from contextlib import redirect_stdout
from tempfile import TemporaryDirectory
from textwrap import fill

import matplotlib.pyplot as plt
from datasets import Dataset
from matplotlib.colors import LinearSegmentedColormap
from trl import GRPOConfig, GRPOTrainer

from ospo.data import load
from ospo.search.bm25 import BM25
from ospo.search.judge import Judge
from ospo.search.metrics import parse_metric
from ospo.train.policy.start import warm_policy
from ospo.train.prompts import contexts, rows

shop, metric = load("shop"), parse_metric("nDCG@100")
engine = BM25(shop.catalogue)
policy = warm_policy(shop, steps=200, seed=0)
wishes = contexts(shop, shop.answerable, "noisy", per_query=1, seed=0)
prompts = Dataset.from_list(rows(shop, wishes, policy))  # columns prompt and query_id
print(fill(prompts[0]["prompt"], 80))

# %%
# Before
# ------
# The reward is what a completion finds. (TRL prints its log to the standard output; it
# is left out here.)

home = TemporaryDirectory()
judges = {query: Judge(engine, shop.qrels[query], metric) for query in shop.answerable}


def reward(completions, query_id, **_):
    pairs = zip(completions, query_id, strict=True)
    return [judges[query]([text])[0] for text, query in pairs]


usual = {
    "output_dir": home.name,
    "max_steps": 2,
    "max_completion_length": 16,
    "seed": 8,
    "num_generations": 8,
    "save_strategy": "no",
    "report_to": "none",
    "disable_tqdm": True,
    "use_cpu": True,
    "bf16": False,
}
trainer = GRPOTrainer(
    model=policy.model,
    processing_class=policy.tokenizer,
    reward_funcs=reward,
    args=GRPOConfig(**usual),
    train_dataset=prompts,
)
with redirect_stdout(None):
    trainer.train()

# %%
# After
# -----
# The reward becomes an object that can also value a part of a completion.

from ospo.train import OSPOConfig, OSPOTrainer, RetrievalReward  # 1

reward = RetrievalReward(shop, engine, metric)  # 2


class Watched(OSPOTrainer):  # 3; a subclass only to look at what happens
    def _generate_and_score_completions(self, inputs):
        self.batch = super()._generate_and_score_completions(inputs)
        return self.batch


trainer = Watched(
    model=policy.model,
    processing_class=policy.tokenizer,
    reward_funcs=reward,
    args=OSPOConfig(**usual, rule="praise"),  # 4, 5
    train_dataset=prompts,
)
with redirect_stdout(None):
    trainer.train()

# %%
# What has changed
# ----------------
# One entry of one method's result: an advantage for each completion has become one for
# each token. Under GRPO every row would have a single colour; ``rule="praise"`` gives
# more of what a good completion has earned to the phrases that earned it. (The seed was
# chosen for a prompt that shows this well: after so short a warm start most completions
# are muddled.)

advantages = trainer.batch["advantages"]
ids = trainer.batch["completion_ids"]
words = [[policy.tokenizer.decode(token) for token in row] for row in ids]

figure, axes = plt.subplots(figsize=(8, 3.4), layout="constrained")
most = advantages.abs().max()
colours = LinearSegmentedColormap.from_list("credit", ["#008bfb", "white", "#ff0051"])
image = axes.imshow(advantages, colours, aspect="auto", vmin=-most, vmax=most)
for row, written in enumerate(words):
    for column, word in enumerate(written):
        if word != policy.tokenizer.pad_token:
            axes.text(column, row, word.strip(), ha="center", va="center", size=6)
axes.set(xticks=[], yticks=[], ylabel="completions of one prompt")
axes.spines[:].set_visible(False)
figure.colorbar(image, label="advantage")
home.cleanup()
