"""
Attribute a scikit-learn model with feature groups
==================================================

A forest tells benign from malignant tumours by thirty features. They are ten measures
of cell nuclei, and of each measure the mean, the standard error and the largest value.
What a doctor asks is how much each *measure* counted.
"""

from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

import owen_core as oc

x, malignant = load_breast_cancer(as_frame=True, return_X_y=True)
seen, unseen, labels, _ = train_test_split(x, malignant == 0, random_state=0)
forest = RandomForestClassifier(50, random_state=0).fit(seen, labels)

measures = [name.removeprefix("mean ") for name in x if name.startswith("mean ")]
groups = {name: [f"mean {name}", f"{name} error", f"worst {name}"] for name in measures}

# %%
# Measures as players
# -------------------
# A coalition of measures is worth the mean prediction over rows that take these
# measures from the patient, and all others from a background of patients. Ten players
# have 1,024 coalitions, so the credit is exact. It leads from the mean prediction for
# the background to the forest's probability that this patient's tumour is malignant.

patient, background = unseen.iloc[[0]], seen.sample(50, random_state=0)
game = oc.Game.from_estimator(forest, patient, background, groups=groups, label=True)
by_measure = oc.attribute(game)
by_measure.plot.waterfall()

# %%
# Inside the measures
# -------------------
# The Owen value divides a measure's credit among its three features. Thirty players
# have a thousand million coalitions. Far fewer have whole measures and a part of one at
# most, and a sample of these will do. The lines are 95 % intervals.

features = oc.Game.from_estimator(forest, patient, background, label=True)
places = {name: k for k, name in enumerate(x)}
unions = oc.unions(*([places[name] for name in group] for group in groups.values()))
print(len(oc.plan(30, structure=unions)), "evaluations would make it exact")
by_feature = oc.attribute(features, structure=unions, budget=1000, rng=0)
by_feature.plot.bars(max_players=9)
