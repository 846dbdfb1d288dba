"""A language model of random weights with a tokenizer of its own, made on the spot."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

from aim_memory.errors import InvalidInputError
from aim_memory.extras import needs

VOCABULARY = 2048
CONTEXT = 32768
_START, _TURN, _END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def make(folder: Path, hidden: int) -> int:
    """Writes a two-layer Llama in bfloat16, and returns how many parameters it has; equal each time.

    Raises InvalidInputError when the folder exists or the width is no multiple of 64.
    """
    if folder.exists():
        raise InvalidInputError(f"{folder} exists; name a folder that does not.", field="path")
    if hidden % 64:
        raise InvalidInputError(f"{hidden} is no multiple of 64.", field="hidden")
    with needs("embedded"):
        import torch
        from transformers import LlamaConfig, LlamaForCausalLM
    tokens = _tokenizer(folder)
    heads = hidden // 32
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=2,
        num_attention_heads=heads,
        num_key_value_heads=heads // 2,
        head_dim=32,
        max_position_embeddings=CONTEXT,
        bos_token_id=tokens[_START],
        eos_token_id=tokens[_END],
        pad_token_id=tokens[_START],
        tie_word_embeddings=False,
        dtype="bfloat16",
    )
    torch.manual_seed(0)
    model = LlamaForCausalLM(config).bfloat16()
    with contextlib.redirect_stderr(io.StringIO()):  # its progress bar
        model.save_pretrained(folder)
    return int(sum(weights.numel() for weights in model.parameters()))


def _tokenizer(folder: Path) -> dict[str, int]:
    """Writes a byte-level tokenizer that has read the example conversations; returns its special tokens."""
    with needs("embedded"):
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
        from transformers import PreTrainedTokenizerFast
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[_START, _TURN, _END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_texts(), trainer)
    shown = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=_START,
        eos_token=_END,
        pad_token=_START,
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
    )
    shown.chat_template = _TEMPLATE
    shown.save_pretrained(folder)
    return dict(shown.get_vocab())


def _texts() -> list[str]:
    """Something to learn pieces of words from: what this package says of itself, and some Chinese."""
    own = sorted(Path(__file__).parents[1].rglob("*.py"))
    return [file.read_text(encoding="utf-8") for file in own]
