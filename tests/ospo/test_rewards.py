"""Rewards: what they are worth by their definitions, and how their credit reaches tokens."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

from ospo.credit import token_credits
from ospo.data.collection import Catalogue, Collection
from ospo.errors import InputError, RewardError
from ospo.game import attribute_together
from ospo.reward import pair
from ospo.reward.bradley_terry import GRID, BradleyTerry
from ospo.reward.noisy import Noisy
from ospo.reward.pair import PairReward
from ospo.reward.retrieval import Retrieval
from ospo.reward.reward import Reward
from ospo.reward.similarity import Similarity
from ospo.reward.weighted import Part, Weighted
from ospo.search.bm25 import BM25
from ospo.search.encoder import minilm_folder
from ospo.search.judge import Judge
from ospo.search.metrics import NDCG
from ospo.text.answer import Answer
from ospo.text.prose import sentences
from ospo.text.segment import segment
from ospo.train.reward import CompletionReward, RetrievalReward, TrainingReward

WORDS = ["may", "i", "go", "yes", "no", "you", "now", "please", "thank", "and", "goodbye"]
WORDS += ["user", "assistant", ".", "?", ":"]
PROMPT = "May I go?"
TEXTS = ["Yes.", "No. Goodbye.", "Yes you may. Thank you. Please go now and goodbye.", ""]
ROWS = [{"prompt": PROMPT}] * len(TEXTS)


class Length(Reward):
    """The characters of a text, not counting blanks."""

    def value(self, texts, rows):
        return np.array([float(len(text.replace(" ", ""))) for text in texts])


class Letters:
    """Decodes each id as one character."""

    def decode(self, token_ids, *, skip_special_tokens=True):
        return "".join(chr(k) for k in token_ids if k > 2)


def ids(text):
    return [ord(letter) for letter in text]


def save_model(folder, **settings):
    """Save a tiny random BERT with a reward head, and a tokenizer of whole words."""
    vocabulary = {word: k for k, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, "[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", model_max_length=64
    ).save_pretrained(folder)
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = BertConfig(
        vocab_size=len(vocabulary),
        intermediate_size=32,
        max_position_embeddings=64,
        initializer_range=0.5,  # else all scores are nearly the same
        **sizes | {"num_labels": 1} | settings,
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_model(tmp_path_factory.mktemp("reward") / "model")


def reference_scores(folder, encode):
    """One pair at a time through plain transformers, in double precision."""
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    model = BertForSequenceClassification.from_pretrained(folder).double().eval()
    with torch.inference_mode():
        return [float(model(**encode(tokenizer, text)).logits) for text in TEXTS]


def test_a_reward_model_scores_pairs_as_plain_transformers_does(folder):
    expected = reference_scores(folder, lambda t, text: t(PROMPT, text, return_tensors="pt"))
    values = BradleyTerry(folder).value(TEXTS, ROWS)
    np.testing.assert_allclose(values, expected, atol=GRID / 2)
    assert np.ptp(values) > 0.1


def test_a_chat_template_puts_prompt_and_completion_together(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "chat")
    template = "{% for m in messages %}{{ m.role }} : {{ m.content }} {% endfor %}"
    (tmp_path / "chat" / "chat_template.jinja").write_text(template)
    expected = reference_scores(
        folder,
        lambda t, text: t(
            f"user : {PROMPT} assistant : {text}", add_special_tokens=False, return_tensors="pt"
        ),
    )
    values = BradleyTerry(tmp_path / "chat").value(TEXTS, ROWS)
    np.testing.assert_allclose(values, expected, atol=GRID / 2)


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(len(TEXTS))), st.integers(1, 5))
def test_a_score_does_not_depend_on_the_batch(folder, order, batch_size):
    alone = BradleyTerry(folder, batch_size=1).value(TEXTS, ROWS)
    values = BradleyTerry(folder, batch_size=batch_size).value([TEXTS[k] for k in order], ROWS)
    assert values.tolist() == alone[list(order)].tolist()


def test_a_tokenizer_that_pads_on_the_left_changes_no_score(folder, tmp_path):
    left = shutil.copytree(folder, tmp_path / "left")
    PreTrainedTokenizerFast.from_pretrained(folder, padding_side="left").save_pretrained(left)
    values = BradleyTerry(left).value(TEXTS, ROWS)
    assert values.tolist() == BradleyTerry(folder).value(TEXTS, ROWS).tolist()


def test_sentences_share_what_a_reward_model_says(folder):
    reward = BradleyTerry(folder)
    (credit,) = attribute_together(
        [TEXTS[2]],
        [sentences(TEXTS[2])],
        lambda texts, owners: reward.value(texts, [{"prompt": PROMPT} for _ in owners]),
    )
    assert len(credit.names) == 3
    whole, empty = BradleyTerry(folder).value([TEXTS[2], ""], ROWS[:2])
    assert (credit.total, credit.baseline) == (whole, empty)
    assert credit.values.sum() == pytest.approx(whole - empty, abs=1e-12)
    assert reward.searched == 2**3


def test_no_pair_is_computed_twice_and_other_prompts_are_other_pairs(folder):
    reward = BradleyTerry(folder)
    first = reward.value([*TEXTS, *TEXTS], ROWS * 2)
    again = reward.value(TEXTS, ROWS)
    assert first.tolist() == [*again, *again]
    assert (reward.asked, reward.searched) == (12, 4)
    other = reward.value(TEXTS[:1], [{"prompt": "thank you"}])
    assert other[0] != first[0]
    assert reward.searched == 5


def test_what_is_no_reward_model_is_refused(tmp_path, folder):
    with pytest.raises(InputError, match=r"no/such.* cannot be loaded as a reward model"):
        BradleyTerry(tmp_path / "no" / "such")
    with pytest.raises(InputError, match="no trained reward model: it has 2 labels"):
        BradleyTerry(save_model(tmp_path / "two", num_labels=2))
    bare = shutil.copytree(folder, tmp_path / "bare")
    BertForSequenceClassification.from_pretrained(folder).bert.save_pretrained(bare)
    with pytest.raises(InputError, match="2 of its weights are missing"):
        BradleyTerry(bare)


def test_a_completion_that_the_model_cannot_read_whole_is_refused(folder):
    with pytest.raises(InputError, match="have 76 tokens, and the reward model reads 64"):
        BradleyTerry(folder).value(["yes " * 69], ROWS[:1])


def test_similarity_is_the_cosine_to_the_reference():
    def encode(texts):
        return [[3.0, 4.0] if text == "wanted" else [1.0 * len(text), 0.0] for text in texts]

    values = Similarity(encode).value(["a", "wanted", "  "], [{"reference": "wanted"}] * 3)
    np.testing.assert_allclose(values, [0.6, 1.0, 0.0], atol=1e-15)


def test_a_real_encoder_credits_what_the_reference_means():
    row = {"reference": "a couch in crimson wood"}
    reward = Similarity(minilm_folder())
    text = "modern red oak sofa, quarterly tax report"
    (credit,) = attribute_together(
        [text], [segment(text)], lambda texts, owners: reward.value(texts, [row for _ in owners])
    )
    assert credit["modern red oak sofa"] > 0.4
    assert credit["quarterly tax report"] < 0.1


@pytest.mark.parametrize(
    ("encode", "row", "error", "message"),
    [
        (lambda texts: [[0.0]] * len(texts), {"reference": "x"}, RewardError, "'a' is worth nan"),
        (lambda texts: [[1.0]], {"reference": "x"}, RewardError, r"shape \(1, 1\)"),
        (lambda texts: [[1.0]] * len(texts), {"reference": " "}, InputError, "has no words"),
        (lambda texts: [[1.0]] * len(texts), {"prompt": "x"}, InputError, "column 'reference'"),
        (lambda texts: [[1.0]] * len(texts), {"reference": None}, InputError, "found None"),
    ],
)
def test_what_cannot_be_compared_is_an_error_and_never_zero(encode, row, error, message):
    with pytest.raises(error, match=message):
        Similarity(encode).value(["a"], [row])


class Failing(PairReward):
    """Works until it is switched off."""

    works = 2

    def compute(self, pairs):
        if self.works == 0:
            raise ConnectionError("model down")
        self.works -= 1
        return np.array([float(len(text)) for _, text in pairs])


def test_what_a_model_said_before_it_failed_is_not_asked_again(monkeypatch):
    monkeypatch.setattr(pair, "BATCH", 3)
    reward = Failing("prompt")
    texts, rows = ["x" * k for k in range(8)], [{"prompt": ""}] * 8
    with pytest.raises(ConnectionError):
        reward.value(texts, rows)
    assert reward.searched == 6
    reward.works = 1
    assert reward.value(texts, rows).tolist() == list(range(8))


def test_a_weighted_sum_is_the_sum_of_its_parts():
    short = Noisy(Length(), 0.5, seed=1)
    both = Weighted([Part(Length(), 2.0), Part(short, -1.0), Part(Length(), 0.1, attributed=False)])
    texts, rows = ["one", "two words"], [{}] * 2
    expected = 2 * Length().value(texts, rows) - short.value(texts, rows)
    np.testing.assert_array_equal(both.value(texts, rows), expected)
    np.testing.assert_allclose(both.unattributed(texts, rows), [0.3, 0.8])
    nested = Weighted([Part(both, 10.0)])
    np.testing.assert_allclose(nested.unattributed(texts, rows), [3.0, 8.0])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Weighted([]), "none of the 0 rewards is attributed"),
        (lambda: Weighted([Part(Length(), attributed=False)]), "none of the 1 rewards"),
        (lambda: Weighted([Part(Length(), np.nan)]), "the weight of Length is nan"),
        (lambda: Noisy(Length(), -1.0), "scale of the noise is -1.0"),
        (lambda: Noisy(Length(), np.inf), "scale of the noise is inf"),
    ],
)
def test_a_sum_that_cannot_be_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


@given(st.lists(st.text(max_size=5), max_size=8), st.integers(0, 3))
def test_noise_follows_from_the_text_and_the_seed_alone(texts, seed):
    noisy = Noisy(Length(), 2.0, seed)
    together = noisy.value(texts, [{}] * len(texts))
    alone = [noisy.value([text], [{"other": 1}])[0] for text in texts]
    assert together.tolist() == alone


def test_noise_is_normal_with_the_given_scale_and_other_for_other_seeds():
    texts = [str(k) for k in range(4000)]
    plain = Length().value(texts, [{}] * 4000)
    first, second = (Noisy(Length(), 3.0, s).value(texts, [{}] * 4000) - plain for s in (0, 1))
    # Standard errors: 3 / sqrt(4000) = 0.05 of the mean, 0.03 of the deviation, 1/63 of r.
    assert abs(first.mean()) < 0.2
    assert abs(first.std() - 3) < 0.15
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.07
    assert abs((np.abs(first) < 3).mean() - 0.683) < 0.03
    np.testing.assert_array_equal(Noisy(Length(), 0.0).value(texts, [{}] * 4000), plain)


def test_tokens_have_the_credit_of_their_segment_and_the_same_share_of_the_rest():
    reward = Weighted([Part(Length()), Part(Length(), 0.5, attributed=False)])
    completions = [ids("ab, cde"), ids(", ,"), [], [*ids("x"), 2]]
    first, empty, nothing, last = token_credits(Letters(), completions, [{}] * 4, reward, "shapley")
    # Length is additive but for the comma, which is said when both phrases are.
    rest = 0.5 * len("ab,cde")
    assert first.unattributed == rest
    share = rest / 2
    assert first.values.tolist() == [2.5 + share] * 2 + [0, 0] + [3.5 + share] * 3
    assert first.credited.tolist() == [True] * 2 + [False] * 2 + [True] * 3
    assert first.attribution.values.sum() + rest == len("ab,cde") + rest
    assert (empty.attribution, nothing.attribution) == (None, None)
    assert not empty.credited.any()
    assert empty.values.tolist() == [0.0] * 3
    assert last.values.tolist() == [1.5, 0.0]


def test_credits_of_a_batch_know_which_row_they_are_of():
    titles = ("red shoe", "blue lamp")
    shop = Collection(
        "two",
        Catalogue(("0", "1"), {"title": titles}),
        {"shoe": "shoe", "lamp": "lamp"},
        {"shoe": {"0": 1}, "lamp": {"1": 1}},
    )
    reward = Retrieval(shop, BM25(shop.catalogue), NDCG(10))
    rows = [{"query_id": "shoe"}, {"query_id": "lamp"}]
    shoe, lamp = token_credits(Letters(), [ids("shoe, lamp")] * 2, rows, reward)
    for row, credit in zip(rows, (shoe, lamp), strict=True):
        judge = Judge(reward.retriever, shop.qrels[row["query_id"]], NDCG(10))
        assert credit.attribution.total == judge(["shoe, lamp"])[0]
    assert shoe.values[0] > shoe.values[-1]
    assert lamp.values[0] < lamp.values[-1]
    with pytest.raises(InputError, match="query 'map' has no judgments in two"):
        reward.value(["map"], [{"query_id": "map"}])


def test_trl_gets_the_whole_reward_of_finished_completions():
    reward = CompletionReward(
        Weighted([Part(Length()), Part(Length(), 10.0, attributed=False)]), end=9
    )
    values = reward(
        prompts=["a", "b", "c"],
        completions=["one", "four", "five 5"],
        completion_ids=[[1, 9], [1, 1], [9]],
        trainer_state=object(),
        log_metric=print,
    )
    assert values == [33.0, 0.0, 55.0]
    assert reward.__name__ == "weighted"


def test_columns_of_the_data_set_reach_the_reward():
    class Echo(Reward):
        def value(self, texts, rows):
            return np.array(
                [
                    float(row["wanted"] == text + row["prompt"])
                    for text, row in zip(texts, rows, strict=True)
                ]
            )

    values = CompletionReward(Echo())(
        prompts=["p", "q"], completions=["a", "b"], completion_ids=[[], []], wanted=["ap", "bp"]
    )
    assert values == [1.0, 0.0]


def test_messages_are_refused():
    with pytest.raises(InputError, match="give the data set prompts that are texts"):
        CompletionReward(Length())(
            prompts=["p"], completions=[[{"role": "assistant"}]], completion_ids=[[1]]
        )


def test_only_the_answer_is_valued_when_answers_are_cut_out():
    thought = "<think>red</think><answer>blue lamp</answer>"
    plain, answer = TrainingReward(Length()), TrainingReward(Length(), segmenter=Answer())
    assert plain.values([thought], [{}], [[1]]) == [float(len(thought.replace(" ", "")))]
    assert answer.values([thought, "red"], [{}, {}], [[1], [1]]) == [8.0, 0.0]
    form = Weighted([Part(Length()), Part(Length(), 0.5, attributed=False)])
    with_form = TrainingReward(form, segmenter=Answer())
    whole = 0.5 * len(thought.replace(" ", ""))
    assert with_form.values([thought], [{}], [[1]]) == [8.0 + whole]
    (credit,) = token_credits(Letters(), [ids(thought)], [{}], form, "shapley", Answer())
    assert (credit.attribution.total, credit.unattributed) == (8.0, whole)
    assert credit.credited.sum() == len("blue") + len("lamp")


def test_completions_for_one_query_are_searched_in_one_call(monkeypatch):
    shop = Collection(
        "one", Catalogue(("0",), {"title": ("red shoe",)}), {"q": "shoe"}, {"q": {"0": 1}}
    )
    calls = []
    look = BM25.look

    def counted(self, queries, product_ids, k):
        calls.append(queries)
        return look(self, queries, product_ids, k)

    monkeypatch.setattr(BM25, "look", counted)
    reward = RetrievalReward(shop, BM25(shop.catalogue), NDCG(10))
    texts = ["red", "shoe", "shoes", "red shoe", "lamp"]
    assert reward(texts, ["q"] * 5, [[1]] * 5) == [1.0, 1.0, 1.0, 1.0, 0.0]
    assert calls == [["red", "shoes", "red shoe"]]
    assert (reward.asked, reward.searched) == (5, 3)
