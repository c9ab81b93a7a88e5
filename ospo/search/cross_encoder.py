"""A second look at the best products: query and product read together, by one model."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable, Sequence
from pathlib import Path

import numpy as np

from ospo.data.collection import Catalogue
from ospo.errors import InputError
from ospo.search.model import loading, model_fingerprint, valid_unicode
from ospo.search.passage import columns, passage
from ospo.search.retriever import Hit, Retriever, check_depth
from owen_core.optional import needs

with needs("dense", "a cross-encoder"):
    import torch
    import transformers
    from sentence_transformers import CrossEncoder

DEPTH = 100
GRID = 2.0**20


class Reranker(Retriever):
    """Orders the best products of another retriever by a cross-encoder (Nogueira and Cho 2019).

    A score is the output of the model, before any sigmoid. It is computed in double precision and
    rounded to multiples of ``2**-20``, so that it does not depend on the pairs it is computed
    with. Products with equal scores stay in the order of the other retriever; those that it does
    not have among its best ``depth`` are not found.

    Parameters
    ----------
    retriever : Retriever
    catalogue : Catalogue
        The one that it searches.
    folder : Path
        Of a Hugging Face model for sequence classification with one output.
    depth : int
        Products that are read for each query.
    fields : iterable of str, optional
        The columns that are read, one after the other; by default every column.
    device : str, optional
        Where torch computes; a CUDA device when there is one, else the CPU.

    Raises
    ------
    InputError
        The folder holds no such model, or a column is not in the catalogue.
    """

    def __init__(
        self,
        retriever: Retriever,
        catalogue: Catalogue,
        folder: Path,
        *,
        depth: int = DEPTH,
        fields: Iterable[str] | None = None,
        device: str | None = None,
    ) -> None:
        check_depth(depth)
        self.retriever = retriever
        self.catalogue = catalogue
        self.folder = folder
        self.depth = depth
        self._fields = columns(catalogue, fields)
        with loading(folder, device) as options:
            config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
            identity = torch.nn.Identity()
            self._model = CrossEncoder(str(folder), activation_fn=identity, **options).double()
        if "ForSequenceClassification" not in str(config.architectures):
            raise InputError(
                f"the model in {folder} is made for {config.architectures}, so its output here "
                "would be random: choose one for sequence classification"
            )
        if self._model.num_labels != 1:
            raise InputError(
                f"the model in {folder} has {self._model.num_labels} outputs, and a score is one "
                "number: choose a model with one"
            )
        settings = (
            f"rerank {model_fingerprint(folder)} {depth} {self._fields} "
            f"{catalogue.fingerprint} {retriever.fingerprint}"
        )
        self.fingerprint = hashlib.sha256(settings.encode()).hexdigest()

    def key(self, query: str) -> Hashable:
        """Return the text without the blanks around it; empty when the retriever sees nothing."""
        return query.strip() if self.retriever.key(query) else ""

    def search(self, queries: Sequence[str], k: int) -> list[list[Hit]]:
        """Return the best ``k`` products of each query, best first; ``depth`` at most."""
        check_depth(k)
        rankings = self.retriever.search(queries, self.depth)
        pairs = [
            (query, hit.product_id)
            for query, hits in zip(queries, rankings, strict=True)
            for hit in hits
        ]
        scores = iter(self._scores(pairs))
        scored = [[Hit(hit.product_id, next(scores)) for hit in hits] for hits in rankings]
        return [sorted(hits, key=lambda hit: -hit.score)[:k] for hits in scored]

    def _scores(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Return the model's output for pairs of a query and a product's id."""
        if not pairs:
            return []
        place = self.catalogue.position
        texts = [
            (query.strip(), passage(self.catalogue, self._fields, place[product]))
            for query, product in pairs
        ]
        scores = self._model.predict(
            [(valid_unicode(query), valid_unicode(text)) for query, text in texts],
            show_progress_bar=False,
        )
        for pair, score in zip(texts, scores, strict=True):
            if not np.isfinite(score):
                raise InputError(
                    f"the model in {self.folder} gives {pair} a score of {score}: choose a model "
                    "whose weights are whole"
                )
        rounded: list[float] = (np.rint(scores * GRID) / GRID).tolist()
        return rounded
