#!/usr/bin/env python3
"""Features of texts, against transformers: tokens, networks and taps.

For each kind of network: random weights and a tokenizer that is learnt from a few sentences, saved by transformers' own
`save_pretrained`. `extract` reads the folder. Its rows of single texts and of pairs, some longer than the network reads, must be
transformers' to 1e-5 of their length. With a folder of sentence-transformers as an argument, and that package, its vectors too.

Needs torch, transformers and tokenizers; run from the repository's root, after `make`.
"""

import csv
import os
import pathlib
import sys
import tempfile

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import numpy as np
import tokenizers
import torch
import transformers
from tokenizers import models, normalizers, pre_tokenizers, processors, trainers

import tools

TOLERANCE = 1e-5
TAPS = ["cls", "mean", "max", "last", "layer:0", "layer:1", "layer:2"]
SENTENCES = [
    "Where is my card?", "The card arrived, but it does not work.", "Why was I charged twice for one ticket?", "",
    "Une très bonne soirée à Genève", "7.5 mg of it, dissolved in water", "GREAT!!! would buy again", "again " * 60,
    "a slow film with a good ending; I would not watch it twice", "card  card\tcard",
]


def word_piece():
    tokenizer = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(SENTENCES * 20, trainers.WordPieceTrainer(vocab_size=200, special_tokens=special))
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    names = dict(unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]", mask_token="[MASK]", model_input_names=["input_ids", "token_type_ids", "attention_mask"])
    return transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=48, **names)


def byte_level():
    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=special, initial_alphabet=alphabet)
    tokenizer.train_from_iterator(SENTENCES * 20, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    names = dict(unk_token="<unk>", pad_token="<pad>", cls_token="<s>", sep_token="</s>", bos_token="<s>", eos_token="</s>")
    return transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=48, **names)


transformers.utils.logging.disable_progress_bar()
SIZES = dict(hidden_size=48, num_hidden_layers=2, num_attention_heads=4, intermediate_size=96)
# Four heads share two of keys and values; windows are shorter than the longest sentence.
DECODER = dict(SIZES, num_key_value_heads=2, max_position_embeddings=48)
LLAMA3 = dict(rope_type="llama3", rope_theta=5e3, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32)
KINDS = {
    "bert": (word_piece, lambda n: transformers.BertModel(transformers.BertConfig(vocab_size=n, max_position_embeddings=48, **SIZES))),
    "electra": (word_piece, lambda n: transformers.ElectraModel(transformers.ElectraConfig(vocab_size=n, embedding_size=48, max_position_embeddings=48, **SIZES))),
    "distilbert": (word_piece, lambda n: transformers.DistilBertModel(transformers.DistilBertConfig(vocab_size=n, max_position_embeddings=48, dim=48, n_layers=2, n_heads=4, hidden_dim=96))),
    "roberta": (byte_level, lambda n: transformers.RobertaModel(transformers.RobertaConfig(vocab_size=n, max_position_embeddings=50, type_vocab_size=1, **SIZES))),
    "xlm-roberta": (byte_level, lambda n: transformers.XLMRobertaModel(transformers.XLMRobertaConfig(vocab_size=n, max_position_embeddings=50, type_vocab_size=1, **SIZES))),
    "camembert": (byte_level, lambda n: transformers.CamembertModel(transformers.CamembertConfig(vocab_size=n, max_position_embeddings=50, type_vocab_size=1, **SIZES))),
    "mpnet": (byte_level, lambda n: transformers.MPNetModel(transformers.MPNetConfig(vocab_size=n, max_position_embeddings=50, **SIZES))),
    "modernbert": (byte_level, lambda n: transformers.ModernBertModel(transformers.ModernBertConfig(vocab_size=n, max_position_embeddings=48, local_attention=8, pad_token_id=1, **SIZES))),
    "gpt2": (byte_level, lambda n: transformers.GPT2Model(transformers.GPT2Config(vocab_size=n, n_positions=48, n_embd=48, n_layer=2, n_head=4))),
    "llama": (byte_level, lambda n: transformers.LlamaModel(transformers.LlamaConfig(vocab_size=n, **DECODER))),
    "llama, biases and heads of 20": (byte_level, lambda n: transformers.LlamaModel(transformers.LlamaConfig(vocab_size=n, attention_bias=True, mlp_bias=True, head_dim=20, rope_parameters=LLAMA3, **DECODER))),
    "mistral": (byte_level, lambda n: transformers.MistralModel(transformers.MistralConfig(vocab_size=n, sliding_window=7, **DECODER))),
    "qwen2": (byte_level, lambda n: transformers.Qwen2Model(transformers.Qwen2Config(vocab_size=n, use_sliding_window=True, sliding_window=7, max_window_layers=1, **DECODER))),
    "qwen3": (byte_level, lambda n: transformers.Qwen3Model(transformers.Qwen3Config(vocab_size=n, head_dim=16, **DECODER))),
    "qwen3, heads of 20": (byte_level, lambda n: transformers.Qwen3Model(transformers.Qwen3Config(vocab_size=n, head_dim=20, rope_parameters=dict(rope_type="linear", rope_theta=1e6, factor=3.0), **DECODER))),
}


def theirs(model, tokenizer, texts):
    """One text at a time, without padding, in f64."""
    rows = {tap: [] for tap in TAPS}
    for text in texts:
        tokens = tokenizer(*text, truncation="longest_first", return_tensors="pt")
        if model.config.model_type not in ("bert", "electra"):
            tokens.pop("token_type_ids", None)
        with torch.inference_mode():
            out = model(**tokens, output_hidden_states=True)
        h = out.last_hidden_state[0]
        rows["cls"].append(h[0])
        rows["mean"].append(h.mean(0))
        rows["max"].append(h.max(0).values)
        rows["last"].append(h[-1])
        for layer in (0, 1, 2):
            rows[f"layer:{layer}"].append(out.hidden_states[layer][0].mean(0))
    return {tap: torch.stack(values).double().numpy() for tap, values in rows.items()}


def ours(folder, table, flags, root):
    taps = [part for tap in TAPS for part in ("--tap", tap)]
    tools.tool("extract", table, "-o", root / "x.features", "--weights", folder, *taps, *flags, "--force", "--quiet")
    return {tap: tools.matrix(root / f"x.{tap}.features", root)[0] for tap in TAPS}


def write(path, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, quoting=csv.QUOTE_ALL)
        out.writerow(["text", "second"][: len(rows[0])])
        out.writerows(rows)


def sentence_transformers(folder, root):
    from sentence_transformers import SentenceTransformer

    texts = [text for text in SENTENCES if text]
    write(root / "s.csv", [(text,) for text in texts])
    tools.tool("extract", root / "s.csv", "-o", root / "s.features", "--weights", folder, "--force", "--quiet")
    rows = tools.matrix(root / "s.features", root)[0]
    said = SentenceTransformer(str(folder), device="cpu").encode(texts)
    return np.abs(rows - said).max() / np.linalg.norm(said, axis=1).max()


def main():
    failed = 0
    print("| network | texts | largest difference |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        root = pathlib.Path(scratch)
        singles = [(text,) for text in SENTENCES if text]
        pairs = [(a[0], b[0]) for a, b in zip(singles, singles[1:])]
        write(root / "single.csv", singles)
        write(root / "pair.csv", pairs)
        for name, (make, build) in KINDS.items():
            torch.manual_seed(1)
            tokenizer = make()
            # Numbers of BERT's own size would hardly differ between texts.
            model = build(len(tokenizer)).eval()
            with torch.no_grad():
                for key, value in model.named_parameters():
                    if value.dim() > 1:
                        value.normal_(0, 0.2)
            model.save_pretrained(root / name)
            tokenizer.save_pretrained(root / name)
            model = model.double()
            for what, texts, flags in [("single", singles, ()), ("pair", pairs, ("--text-column-2", "second"))]:
                expected = theirs(model, tokenizer, texts)
                got = ours(root / name, root / f"{what}.csv", flags, root)
                worst = max(
                    float(np.abs(got[tap] - expected[tap]).max() / np.linalg.norm(expected[tap], axis=1).max()) for tap in TAPS
                )
                bad = not worst <= TOLERANCE
                failed += bad
                print(f"| {name} | {what} | {worst:.1e}{' BAD' if bad else ''} |", flush=True)
        for folder in sys.argv[1:]:
            worst = sentence_transformers(pathlib.Path(folder), root)
            failed += not worst <= TOLERANCE
            print(f"| {pathlib.Path(folder).name} | sentence-transformers | {worst:.1e} |")
    print(f"{failed} failed")
    sys.exit(failed > 0)


main()
