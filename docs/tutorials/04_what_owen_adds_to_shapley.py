"""
What Owen adds to Shapley
=========================

The Shapley value treats all players alike. That is a virtue until it matters how finely
a thing was cut: whoever is cut into more pieces gets more.
"""

import matplotlib.pyplot as plt

import owen_core as oc

# %%
# One answer, two sources
# -----------------------
# A system answers from a title and from a description, and both tell the fact that is
# asked for: one of them is enough. The description has three sentences, and each of
# them tells it.


def answered(coalitions):
    return coalitions.any(axis=1)


sources = ["title", "sentence 1", "sentence 2", "sentence 3"]
print(oc.attribute(answered, sources))

# %%
# Each gets a quarter, so the description has three quarters, because someone wrote it
# in three sentences. The *Owen value* (1977) is told that the sentences belong
# together. It shares the value out among the sources first, and a source's share among
# its sentences then.

unions = oc.unions("title", ["sentence 1", "sentence 2", "sentence 3"])
print(oc.attribute(answered, sources, structure=unions))

# %%
# With every further sentence the title loses by Shapley's rule, and keeps its half by
# Owen's.

lengths = range(1, 11)
title = {"Shapley": [], "Owen": []}
for sentences in lengths:
    together = oc.unions(0, range(1, sentences + 1))
    title["Shapley"].append(oc.attribute(answered, sentences + 1)[0])
    title["Owen"].append(oc.attribute(answered, sentences + 1, structure=together)[0])

figure, axes = plt.subplots(figsize=(8, 3.2), layout="constrained")
for name, colour in [("Owen", "#ff0051"), ("Shapley", "#008bfb")]:
    axes.plot(lengths, title[name], "o-", color=colour)
    axes.text(10.2, title[name][-1], name, color=colour, va="center")
axes.set(xlabel="sentences of the description", ylabel="credit of the title")
axes.set(ylim=(0, 0.6))
axes.spines[["top", "right"]].set_visible(False)

# %%
# And it costs less
# -----------------
# Orders that keep unions together visit far fewer coalitions. Of 16 players in four
# unions:

fours = oc.unions(*(range(k, k + 4) for k in range(0, 16, 4)))
print("Shapley", len(oc.plan(16)), "evaluations")
print("Owen   ", len(oc.plan(16, structure=fours)), "evaluations")

# %%
# When not to use it: if the pieces are not really parts of one thing. Unions are an
# assumption of yours, and the credits follow it.
