"""Rewards by name, as they are written on the command line."""

from __future__ import annotations

from pathlib import Path

from ospo.data.collection import Collection
from ospo.errors import InputError
from ospo.reward.retrieval import Retrieval
from ospo.reward.reward import Reward
from ospo.search.metrics import Metric
from ospo.search.retriever import Retriever

NAMES = ("retrieval", "bradley-terry:FOLDER", "similar", "similar:FOLDER")


def load_reward(name: str, collection: Collection, retriever: Retriever, metric: Metric) -> Reward:
    """Return the reward that a name stands for.

    ========================  =====================================================================
    ``retrieval``             the metric of what a completion retrieves, for the judged query in
                              the column ``query_id``
    ``bradley-terry:FOLDER``  the score that the preference model in a folder gives prompt and
                              completion; reads the column ``prompt``
    ``similar``               the cosine of a completion with the text in the column ``reference``,
                              by all-MiniLM-L6-v2; ``similar:FOLDER`` by any model of
                              sentence-transformers
    ========================  =====================================================================

    Parameters
    ----------
    name : str
    collection : Collection
        Holds the judgments.
    retriever : Retriever
        Searches its catalogue; only the retrieval reward does.
    metric : Metric
        Of what is retrieved.

    Raises
    ------
    InputError
        Nothing goes by that name, or a folder holds no such model.
    ModuleNotFoundError
        What the reward needs is not installed; the message says how to install it.

    Examples
    --------
    >>> from ospo.data import load
    >>> from ospo.search.bm25 import BM25
    >>> from ospo.search.metrics import NDCG
    >>> shop = load("shop")
    >>> reward = load_reward("similar", shop, BM25(shop.catalogue), NDCG(10))
    >>> reward.value(["notebook", "hose"], [{"reference": "laptop"}] * 2).round(1)
    array([0.7, 0.3])
    """
    kind, colon, folder = name.partition(":")
    if name == "retrieval":
        return Retrieval(collection, retriever, metric)
    if kind == "bradley-terry" and folder:
        from ospo.reward.bradley_terry import BradleyTerry

        return BradleyTerry(Path(folder))
    if kind == "similar" and bool(folder) == bool(colon):
        from ospo.reward.similarity import Similarity
        from ospo.search.encoder import minilm_folder

        return Similarity(Path(folder) if folder else minilm_folder())
    raise InputError(f"there is no reward {name!r}: choose one of {', '.join(NAMES)}")
