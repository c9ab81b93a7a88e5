"""The task: of a page of sentences about products, write those that its reader wants."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ospo.data.draw import between, pick, shuffled
from ospo.data.shop import Product, generate
from ospo.data.shop_vocabulary import DEPARTMENTS, SENTENCES
from ospo.reward.reward import Reward, Row, Values
from ospo.text.prose import sentences
from ospo.train.policy.tokenizer import prompt

WISHES = ("details", "benefits", "offers")
INVITATIONS = ("Goes well with our ", "See also our ", "Often bought with our ")
ON_A_PAGE = 2  # products
VALIDATION, TEST = 0.2, 0.3  # shares of the kinds of product
SPLIT_SEED = 8
PAGES = (0, 10, 20)  # held out in each part


@dataclass(frozen=True, slots=True)
class Request:
    """A page, sentence by sentence, and what its reader wants to be told."""

    page: tuple[str, ...]
    wish: str

    @property
    def prompt(self) -> str:
        """What the policy reads."""
        return prompt(f"{self.wish}, {' '.join(self.page)}")


class Task:
    """The descriptions of the shop, divided by kind of product."""

    def __init__(self) -> None:
        products, _ = generate()
        # "Size: 28 cm." ends no sentence where another follows.
        self.products = [p for p in products if "Size:" not in p.description]

    @cached_property
    def wishes(self) -> dict[str, str]:
        """Each sentence that answers a wish, and which; those that name a product answer none."""
        return _wishes(self.products)

    @cached_property
    def parts(self) -> tuple[list[Product], ...]:
        """Products for training, validation and test; those of one kind are together."""
        kinds = shuffled(random.Random(SPLIT_SEED), {p.kind: None for p in self.products})
        cuts = [round(share * len(kinds)) for share in (VALIDATION, VALIDATION + TEST)]
        parts = (kinds[cuts[1] :], kinds[: cuts[0]], kinds[cuts[0] : cuts[1]])
        return tuple([p for p in self.products if p.kind in part] for part in map(set, parts))

    def requests(self, products: Sequence[Product], seed: int) -> Iterator[Request]:
        """Yield requests without end: the shuffled sentences of some products, and a wish."""
        rng = random.Random(seed)
        while True:
            chosen = [pick(rng, products) for _ in range(ON_A_PAGE)]
            told = [each.phrase for product in chosen for each in sentences(product.description)]
            yield Request(tuple(shuffled(rng, dict.fromkeys(told))), pick(rng, WISHES))

    def wanted(self, request: Request) -> list[str]:
        """Return the sentences of the page that answer the wish."""
        return [each for each in request.page if self.wishes.get(each) == request.wish]

    def training(self, seed: int) -> Iterator[Request]:
        """Yield requests for training."""
        return self.requests(self.parts[0], seed)

    def held_out(self, part: int) -> list[Request]:
        """Return pages of validation (1) or test (2), each with every wish."""
        requests = self.requests(self.parts[part], SPLIT_SEED + part)
        pages = [next(requests).page for _ in range(PAGES[part])]
        return [Request(page, wish) for page in pages for wish in WISHES]

    def copies(self, seed: int) -> Iterator[tuple[Request, str]]:
        """Yield requests for any products, with a random part of the page, whatever the wish."""
        rng = random.Random(seed)
        for request in self.requests(self.products, rng.getrandbits(32)):
            count = between(rng, 2, 4)
            kept = {*shuffled(rng, request.page)[:count]}
            yield request, " ".join(each for each in request.page if each in kept)


class Wanted(Reward):
    """The hidden preference: a sentence that answers the wish is worth 2, any other costs 1.

    So does a sentence said again, and what is no sentence of the shop.
    """

    WANTED, OTHER = 2.0, -1.0

    def __init__(self, task: Task) -> None:
        self.wishes = task.wishes

    def value(self, texts: Sequence[str], rows: Sequence[Row]) -> Values:
        """Return what each text is worth to a reader with its row's wish."""
        worth = []
        for text, row in zip(texts, rows, strict=True):
            told = [each.phrase for each in sentences(text)]
            wanted = sum(self.wishes.get(each) == row["wish"] for each in {*told})
            worth.append(self.WANTED * wanted + self.OTHER * (len(told) - wanted))
        return np.array(worth, dtype=float)


def _wishes(products: Sequence[Product]) -> dict[str, str]:
    kinds = [kind for department in DEPARTMENTS for kind in department.kinds]
    of = {
        "details": {
            form.format(value)
            for kind in kinds
            for trait, forms in SENTENCES.items()
            for value in filter(None, kind.traits.get(trait, ()))
            for form in forms
        },
        "benefits": {f"{about}." for kind in kinds for about in kind.about},
        "offers": {f"{closing}." for department in DEPARTMENTS for closing in department.closing},
    }
    told = (each.phrase for product in products for each in sentences(product.description))
    of["offers"].update(each for each in told if each.startswith(INVITATIONS))
    return {f"{each[0].upper()}{each[1:]}": wish for wish in WISHES for each in of[wish]}
