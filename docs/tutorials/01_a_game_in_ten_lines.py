"""
A game in ten lines
===================

Three people share a taxi. Ana gets out after 6 euros, Ben after 12, Cleo after 42. One
fare is paid: 42. Who owes what?
"""

from itertools import compress

import owen_core as oc

fares = {"Ana": 6, "Ben": 12, "Cleo": 42}


def fare(coalition):  # of a ride with these people: as far as the last of them goes
    return max(compress(fares.values(), coalition), default=0)


taxi = oc.Game.from_scalar(fare, list(fares))
share = oc.attribute(taxi)
share

# %%
# A *game* is a set of players and a number for each coalition of them. The *Shapley
# value* gives each player the mean of what it adds, over all orders in which the
# players could join. Here everybody pays a third of the first 6 euros, Ben and Cleo
# half of the next 6 each, and Cleo the rest alone. The shares always sum to the whole
# fare.

share.plot.waterfall()
