from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from tokenizers.processors import TemplateProcessing  # noqa: E402
from torch import Tensor  # noqa: E402
from transformers import (  # noqa: E402
    AutoModelForCausalLM,
    AutoTokenizer,
    DynamicCache,
    PreTrainedTokenizerFast,
)

from ospo.data import Catalogue, Collection  # noqa: E402
from ospo.errors import InputError  # noqa: E402
from ospo.train.policy.model import (  # noqa: E402
    CopyAttention,
    CopyDecoderConfig,
    CopyDecoderForCausalLM,
    small_policy,
)
from ospo.train.policy.policy import PLACE, Policy  # noqa: E402
from ospo.train.policy.tokenizer import completion, prompt, train_tokenizer  # noqa: E402
from ospo.train.policy.warm_start import warm_start  # noqa: E402

TITLES = [f"{colour} {kind}" for colour in ("oak", "navy", "red") for kind in ("lamp", "kettle")]
CONTEXTS = ["looking for a red lamp, just bought kettle", "i need oak", "navy navy, as a gift"]


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return train_tokenizer(TITLES * 3, vocab_size=320)


@pytest.fixture(scope="module")
def model(tokenizer: PreTrainedTokenizerFast) -> CopyDecoderForCausalLM:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return small_policy(tokenizer).eval()


@pytest.fixture(scope="module")
def catalogue() -> Collection:
    products = Catalogue(tuple("123456"), {"title": tuple(TITLES)})
    return Collection("tiny", products, {"q": "lamp"}, {"q": {"1": 1}})


def batch(tokenizer: PreTrainedTokenizerFast, texts: list[str]) -> dict[str, Tensor]:
    return dict(tokenizer([prompt(text) for text in texts], return_tensors="pt", padding=True))


def greedy(
    model: CopyDecoderForCausalLM, inputs: dict[str, Tensor], *, use_cache: bool = True
) -> Tensor:
    with torch.no_grad():
        ids = model.generate(**inputs, do_sample=False, max_new_tokens=12, use_cache=use_cache)
    return ids[:, inputs["input_ids"].shape[1] :]


@given(text=st.text())
def test_every_text_is_decoded_exactly(tokenizer: PreTrainedTokenizerFast, text: str) -> None:
    assert tokenizer.decode(tokenizer.encode(text, split_special_tokens=True)) == text


def test_a_word_is_the_same_tokens_in_a_context_and_in_a_completion(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    tokens = tokenizer.tokenize
    assert tokens(prompt("a red lamp, b"))[-6:-3] == [*tokens(" red"), *tokens(" lamp"), ","]
    assert tokens(completion("red, lamp")) == [*tokens(" red"), ",", *tokens(" lamp"), "<eos>"]
    assert tokens(completion("x"))[0] == tokens(" x")[0]
    assert tokens(prompt("x"))[0] == "<bos>"


def test_a_tokenizer_is_the_same_for_the_same_texts_and_survives_saving(
    tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    assert train_tokenizer(TITLES * 3, vocab_size=320).get_vocab() == tokenizer.get_vocab()
    tokenizer.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    texts = [prompt(text) for text in CONTEXTS]
    assert loaded(texts, padding=True).data == tokenizer(texts, padding=True).data
    assert loaded.padding_side == "left"
    assert loaded.decode(loaded.encode(" red , lamp")) == " red , lamp"


def test_the_pointer_copies_what_followed_a_state_like_this_one() -> None:
    config = CopyDecoderConfig(hidden_size=4, num_attention_heads=1, num_hidden_layers=1)
    pointer = CopyAttention(config)
    with torch.no_grad():
        pointer.query.weight.copy_(40 * torch.eye(4))
        pointer.key.weight.copy_(torch.eye(4))
    states = torch.eye(4)[[0, 1, 2, 1]][None]  # the last state is like the second
    embedded = torch.arange(16.0).reshape(1, 4, 4)
    copied = pointer(states, embedded, mask=None, cache=None)
    torch.testing.assert_close(copied[0, 3], embedded[0, 2])
    torch.testing.assert_close(copied[0, 0], torch.zeros(4))
    hidden = pointer(states, embedded, mask=torch.tensor([[0, 0, 1, 1]]), cache=None)
    assert not torch.allclose(hidden[0, 3], embedded[0, 2])


def test_probabilities_sum_to_one_and_the_model_is_small(
    model: CopyDecoderForCausalLM, tokenizer: PreTrainedTokenizerFast
) -> None:
    logits = model(**batch(tokenizer, CONTEXTS)).logits
    sums = logits.log_softmax(dim=-1).logsumexp(dim=-1)
    torch.testing.assert_close(sums, torch.zeros_like(sums), atol=1e-5, rtol=0)
    spare = 2048 - len(tokenizer)
    parameters = sum(weight.numel() for weight in model.parameters())
    assert parameters + spare * model.config.hidden_size <= 550_000
    assert model.lm_head.weight is model.model.embed_tokens.weight


def test_generation_with_the_cache_equals_generation_without(
    model: CopyDecoderForCausalLM, tokenizer: PreTrainedTokenizerFast
) -> None:
    inputs = batch(tokenizer, CONTEXTS)
    assert greedy(model, inputs).tolist() == greedy(model, inputs, use_cache=False).tolist()
    assert greedy(model, inputs).tolist() == greedy(model, inputs).tolist()


def test_logits_do_not_depend_on_how_much_is_cached(
    model: CopyDecoderForCausalLM, tokenizer: PreTrainedTokenizerFast
) -> None:
    ids = batch(tokenizer, CONTEXTS[:1])["input_ids"]
    whole = model(ids).logits
    cache = DynamicCache(config=model.config)
    pieces = [
        model(piece, past_key_values=cache, use_cache=True).logits
        for piece in ids.split([5, 1, 2, ids.shape[1] - 8], dim=1)
    ]
    torch.testing.assert_close(torch.cat(pieces, dim=1), whole, atol=1e-4, rtol=1e-4)


def test_padding_and_neighbours_change_nothing(
    model: CopyDecoderForCausalLM, tokenizer: PreTrainedTokenizerFast
) -> None:
    inputs = batch(tokenizer, CONTEXTS)
    together = model(**inputs).logits
    for row, context in enumerate(CONTEXTS):
        alone = model(**batch(tokenizer, [context])).logits[0]
        torch.testing.assert_close(together[row, -len(alone) :], alone, atol=1e-4, rtol=1e-4)
        written = greedy(model, batch(tokenizer, [context]))[0].tolist()
        assert greedy(model, inputs)[row, : len(written)].tolist() == written


def test_only_the_last_logits_are_computed_when_only_they_are_wanted(
    model: CopyDecoderForCausalLM, tokenizer: PreTrainedTokenizerFast
) -> None:
    inputs = batch(tokenizer, CONTEXTS)
    last = model(**inputs, logits_to_keep=3).logits
    torch.testing.assert_close(last, model(**inputs).logits[:, -3:])


def test_trl_trains_the_distribution_that_generates(tokenizer: PreTrainedTokenizerFast) -> None:
    utils = pytest.importorskip("trl.trainer.utils")
    if not hasattr(utils, "add_fused_lm_head"):
        pytest.skip("this version of TRL reads the model's own logits")
    policy = small_policy(tokenizer)
    inputs = batch(tokenizer, CONTEXTS)
    ids, mask = inputs["input_ids"], inputs["attention_mask"]
    own = policy(**inputs).logits[:, :-1].log_softmax(dim=-1)
    own = own.gather(2, ids[:, 1:, None])[..., 0]
    utils.add_fused_lm_head(policy)
    labels = ids.masked_fill(mask == 0, -100)
    fused = policy(**inputs, labels=labels, fused_lm_head=True).log_probs
    known = labels[:, 1:] != -100
    torch.testing.assert_close(fused[known], own[known], atol=1e-5, rtol=1e-5)


def test_every_weight_learns(
    model: CopyDecoderForCausalLM, tokenizer: PreTrainedTokenizerFast
) -> None:
    model.zero_grad()
    model(**batch(tokenizer, CONTEXTS)).logits.logsumexp(dim=-1).sum().backward()
    for name, weight in model.named_parameters():
        assert weight.grad is not None, name
        assert torch.isfinite(weight.grad).all(), name
        assert weight.grad.abs().sum() > 0, name


def test_a_policy_survives_saving(
    model: CopyDecoderForCausalLM, tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    model.save_pretrained(tmp_path)
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert type(loaded) is CopyDecoderForCausalLM
    inputs = batch(tokenizer, CONTEXTS)
    assert torch.equal(loaded(**inputs).logits, model(**inputs).logits)


def test_a_warm_start_learns_to_copy_and_repeats_for_a_seed(catalogue: Collection) -> None:
    seen: list[tuple[int, int, float]] = []
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first, tokenizer = warm_start(catalogue, steps=40, on_step=lambda *step: seen.append(step))
    assert torch.equal(torch.random.get_rng_state(), before)
    second, _ = warm_start(catalogue, steps=40)
    inputs = batch(tokenizer, CONTEXTS)
    assert torch.equal(first(**inputs).logits, second(**inputs).logits)
    assert [step[:2] for step in seen] == [(i, 40) for i in range(1, 41)]
    assert sum(loss for *_, loss in seen[-5:]) < 0.6 * sum(loss for *_, loss in seen[:5])


def test_a_warm_start_of_no_steps_is_refused(catalogue: Collection) -> None:
    with pytest.raises(InputError, match="at least 1"):
        warm_start(catalogue, steps=0)


def test_what_a_policy_writes_depends_on_its_seed_and_changes_nothing_outside(
    model: CopyDecoderForCausalLM, tokenizer: PreTrainedTokenizerFast
) -> None:
    policy = Policy(model, tokenizer, prompt(PLACE), longest=7)
    prompts = [policy.prompt(context) for context in CONTEXTS]
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    model.train()
    first = policy.write(prompts, temperature=1.0, seed=3)
    assert model.training
    model.eval()
    assert policy.write(prompts, temperature=1.0, seed=3) == first
    assert policy.write(prompts, temperature=1.0, seed=4) != first
    assert torch.equal(torch.random.get_rng_state(), before)
    assert max(map(len, first)) <= 7
    end = tokenizer.eos_token_id
    assert all(end not in ids[:-1] for ids in first)


def test_a_chat_template_wraps_a_prompt_and_no_token_begins_it_twice(
    model: CopyDecoderForCausalLM,
) -> None:
    chatting = train_tokenizer(TITLES * 3, vocab_size=320)
    chatting.backend_tokenizer.post_processor = TemplateProcessing(
        single="<bos> $A", special_tokens=[("<bos>", chatting.bos_token_id)]
    )
    chatting.chat_template = "<bos>{% for m in messages %}[{{ m.content }}]{% endfor %}"
    policy = Policy(model, chatting, "Find: {context}")
    assert policy.prompt("a lamp") == "[Find: a lamp]"
    ids = chatting(policy.prompt("a lamp")).input_ids
    assert ids.count(chatting.bos_token_id) == 1


def test_a_policy_is_read_as_it_was_saved(
    model: CopyDecoderForCausalLM, tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    policy = Policy(model, tokenizer, "<bos> find {context}<sep>", longest=5)
    policy.save(tmp_path)
    loaded = Policy.load(tmp_path)
    assert (loaded.template, loaded.longest) == (policy.template, 5)
    assert loaded.rewrite(CONTEXTS) == policy.rewrite(CONTEXTS)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(InputError, match="cannot be read"):
        Policy.load(tmp_path)
