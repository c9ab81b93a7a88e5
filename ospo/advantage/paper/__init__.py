"""Paper mode: OSPO's estimator and redistribution as published, each known fault a switch.

The corrected form is the default of every switch; ``PaperFaults.published()`` turns all on, and
one switch at a time shows what that fault does (arXiv 2601.08403; written from the description, not
from the released code). Faults in what a coalition is worth and in how phrases are found in the
text belong to other parts. In both forms every token has its phrase's whole credit.
"""

from ospo.advantage.paper.credit import window_asker, window_credit, window_family, window_plan
from ospo.advantage.paper.faults import CORRECTED, PaperFaults
from ospo.advantage.paper.tokens import paper_advantages

__all__ = [
    "CORRECTED",
    "PaperFaults",
    "paper_advantages",
    "window_asker",
    "window_credit",
    "window_family",
    "window_plan",
]
