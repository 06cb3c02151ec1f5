"""A tokenizer for any text without a file: every byte is a token, and a family's special tokens come after."""

from __future__ import annotations

from transformers import PreTrainedTokenizerFast, Qwen2Config

from benchmarks.released.vocabulary import tokenizer


def byte_tokenizer(
    special: list[str], *, eos: str, pad: str, bos: str = "", extra: dict[str, str] | None = None
) -> PreTrainedTokenizerFast:
    """256 bytes, then `special` in order.

    bos:   put before every text, as Llama's tokenizer does.
    extra: named special tokens a processor asks its tokenizer for, such as InternVL's `start_image_token`.
    """
    return tokenizer(dict(enumerate(special, 256)), eos=eos, pad=pad, bos=bos, **(extra or {}))


def ids(made: PreTrainedTokenizerFast, **names: str) -> dict[str, int]:
    """Ids of some tokens under the names a config gives them: `ids(t, image_token_id="<image>")`."""
    return {name: made.convert_tokens_to_ids(token) for name, token in names.items()}


TEXT_SIZES = {  # of a language model in miniature
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 6,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 4096,
}


def qwen2_text(tokenizer) -> Qwen2Config:
    """Qwen2 in miniature, the language model of InternVL3 and LLaVA-OneVision."""
    marks = ids(tokenizer, eos_token_id="<|im_end|>", pad_token_id="<|endoftext|>", bos_token_id="<|endoftext|>")
    return Qwen2Config(
        vocab_size=len(tokenizer),
        **TEXT_SIZES,
        tie_word_embeddings=True,
        **marks,
    )
