"""
Credit in verl
==============

In verl, token credit is a matter of settings. verl itself is **not** installed where
these pages are built, as it needs another version of transformers: this page shows the
settings, and runs the parts that carry credit, which are plain tensor code. ``make
test-verl`` tests them inside verl's own trainer, on a CPU and without a rollout engine.

.. code-block:: console

    $ pip install "owen-core[verl]"
    $ python -m verl.trainer.main_ppo \\
        algorithm.adv_estimator=ospo \\
        +algorithm.ospo.rule=praise +algorithm.ospo.credit=myerson \\
        actor_rollout_ref.rollout.n=4 \\
        actor_rollout_ref.rollout.agent.default_agent_loop=ospo \\
        reward.reward_manager.name=ospo reward.num_workers=1 \\
        reward.custom_reward_function.path=pkg://ospo.train.verl.reward \\
        reward.custom_reward_function.name=retrieval_reward \\
        +reward.custom_reward_function.reward_kwargs.data=shop

A setting that does not fit is refused before the first step:
"""

from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.colors import LinearSegmentedColormap

from ospo.advantage import token_advantages
from ospo.errors import InputError
from ospo.train.verl.dense import credits_of, dense_rewards, sums
from ospo.train.verl.settings import read_settings

try:
    read_settings({"adv_estimator": "ospo", "ospo": {"rule": "praised"}})
except InputError as error:
    print(fill(str(error), 80))

# %%
# Credit travels inside rewards
# -----------------------------
# verl hands an advantage estimator nothing but a reward for each token. So credit is
# written into these: a token has its even share of the reward, and how far its phrase
# stands above the mean. The sum of a row is still what the completion is worth, and
# verl's own metrics stay right.
#
# Here are four completions of one prompt, of three phrases with two tokens each and an
# end.

reward = [0.9, 0.7, 0.4, 0.1]
credit = [[0.6, 0.2, 0.1], [0.1, 0.1, 0.5], [0.5, 0.1, -0.2], [0.0, 0.1, 0.0]]
of_tokens = np.pad(np.repeat(credit, 2, axis=1), [(0, 0), (0, 1)])
credited = np.arange(7) < 6  # all but the end

completions = zip(reward, of_tokens, strict=True)
rewards = np.stack([dense_rewards(r, c, credited) for r, c in completions])
print(rewards.round(2))
print("sums", rewards.sum(axis=1).round(6))

# %%
# The estimator reads credit from there
# -------------------------------------
# It takes GRPO's advantages of the sums, and spreads each over its tokens by the rule.

rewards = torch.from_numpy(rewards)
mask = torch.ones_like(rewards)
worth = sums(rewards)
advantage = (worth - worth.mean()) / worth.std()


def spread(rule):
    settings = read_settings({"ospo": {"rule": rule}})
    credits = credits_of(rewards, mask)
    return token_advantages(advantage, credits, mask, settings.shaping).values


figure, axes = plt.subplots(1, 3, figsize=(8, 2.4), layout="constrained", sharey=True)
colours = LinearSegmentedColormap.from_list("credit", ["#008bfb", "white", "#ff0051"])
for ax, rule in zip(axes, ("uniform", "praise", "sign-aware"), strict=True):
    image = ax.imshow(spread(rule), colours, aspect="auto", vmin=-2.5, vmax=2.5)
    ax.set(title=rule, xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
axes[0].set_ylabel("completions")
axes[1].set_xlabel("tokens")
_ = figure.colorbar(image, label="advantage")

# %%
# ``uniform`` is verl's ``grpo``. ``praise`` shapes completions that were better than
# the group's mean, ``sign-aware`` the others too: there the phrase that earned least is
# blamed most. Each row keeps its mean over the credited tokens, so the update of a
# whole completion is as strong as before:

print(advantage.numpy().round(3))
print(spread("sign-aware")[:, :6].mean(axis=1).numpy().round(3))
