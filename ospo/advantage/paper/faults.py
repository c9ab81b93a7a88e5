"""The known faults of the published form, by name."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class PaperFaults:
    """What the published form does, and what is done instead where a switch is off.

    Attributes
    ----------
    shuffled_truncation : bool
        A family of windows beyond the budget loses a random part. Off: windows get narrower until
        all of them fit.
    partial_weights : bool
        The few marginal contributions seen keep their weights among all coalitions, so a phrase's
        weights add up to less than 1, and to less in the middle than at the ends. Off: to 1.
    fillers_in_range : bool
        Words between phrases count as phrases of credit 0. Off: they carry A.
    blamed_best : bool
        Where A < 0 the best phrases get most blame. Off: the worst do.
    worst_gets_nothing : bool
        The least weight is 0, so the policy can no longer learn there. Off: it is small.
    from_first_token : bool
        The credit of the query's first token is given to the completion's first, and so on. Off:
        tokens get their own.
    erased_failures : bool
        Credits are scaled to add up to the reward, so a completion of reward 0 has no advantages.
        Off: it keeps its blame.
    inverted_rank : bool
        In rank mode the best phrase gets least. Off: most.
    padded_rank : bool
        In rank mode every position takes part, padding too, and ties rank by position. Off: only
        tokens that carry credit, and ties share.
    starved_others : bool
        Tokens without credit get nothing, and the others what would have been theirs. Off: A.
    weak_hybrid : bool
        Hybrid advantages are not scaled by the length. Off: they are, as in the other modes.
    clamped : bool
        Advantages beyond the bound are cut off. Off: the rest of the completion gets the excess.
    """

    shuffled_truncation: bool = False
    partial_weights: bool = False
    fillers_in_range: bool = False
    blamed_best: bool = False
    worst_gets_nothing: bool = False
    from_first_token: bool = False
    erased_failures: bool = False
    inverted_rank: bool = False
    padded_rank: bool = False
    starved_others: bool = False
    weak_hybrid: bool = False
    clamped: bool = False

    @classmethod
    def published(cls) -> PaperFaults:
        """Return the published form: every switch on."""
        return cls(**{field.name: True for field in fields(cls)})


CORRECTED = PaperFaults()
