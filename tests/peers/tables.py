#!/usr/bin/env python3
"""Features of tables of tokens, against model2vec and sentence-transformers.

For each kind of tokenizer: a random table, saved by the library's own `save_pretrained`. `extract` reads the folder. Its rows of
short and long texts, some with words that the tokenizer does not know, must be the library's to 1e-6. The same for the table that
comes with Headstart, which model2vec opens as a folder.

Needs model2vec, sentence-transformers and tokenizers; run from the repository's root, after `make`.
"""

import csv
import json
import os
import pathlib
import shutil
import sys
import tempfile

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
import tokenizers
from model2vec import StaticModel
from safetensors.numpy import load_file, save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding
from tokenizers import models, normalizers, pre_tokenizers, processors, trainers

import tools

TOLERANCE = 1e-6
TEXTS = [
    "Where is my card?", "The card arrived, but it does not work.", "Why was I charged twice for one ticket?",
    "Une très bonne soirée à Genève, 試験", "7.5 mg of it, dissolved in water", "GREAT!!! would buy again", "again " * 60,
    "a slow film with a good ending; I would not watch it twice", "card  card\tcard", "zyxw card", "é" * 90 + " card",
]


def word_level():
    words = sorted({word for text in TEXTS[:8] for word in text.lower().split()})
    tokenizer = tokenizers.Tokenizer(models.WordLevel({word: at for at, word in enumerate(["[UNK]", *words])}, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.WhitespaceSplit()
    return tokenizer


def word_piece():
    tokenizer = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    trainer = trainers.WordPieceTrainer(vocab_size=200, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(TEXTS[:3] * 20, trainer)
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.enable_padding()
    return tokenizer


def unigram():
    tokenizer = tokenizers.Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=60, special_tokens=["<unk>"], unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator(TEXTS[:3] * 20, trainer)
    return tokenizer


def byte_level():
    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(TEXTS[:3] * 20, trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, show_progress=False))
    return tokenizer


def ours(folder, root, *flags):
    """Rows, and which texts they are of: without a known token there is none."""
    with open(root / "t.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([("id", "text"), *((f"{at:03}", text) for at, text in enumerate(TEXTS))])
    tools.tool("extract", root / "t.csv", "-o", root / "t.features", *folder, *flags, "--max-skipped", "50", "--force", "--quiet")
    rows, ids, *_ = tools.matrix(root / "t.features", root)
    return rows, [int(name) for name in ids]


def main():
    failed = 0
    print("| table | by | rows | largest difference |\n|---|---|---|---|")

    def check(what, library, got, said):
        nonlocal failed
        rows, at = got
        missing = [i for i in range(len(TEXTS)) if i not in at]
        # What has no row here is zeros there, and nothing else is.
        sound = all((i in missing) == (not said[i].any()) for i in range(len(TEXTS)))
        worst = float(np.abs(rows - said[at]).max() / np.linalg.norm(said, axis=1).max())
        bad = not (worst <= TOLERANCE and sound)
        failed += bad
        print(f"| {what} | {library} | {len(at)} | {worst:.1e}{' BAD' if bad else ''} |", flush=True)

    with tempfile.TemporaryDirectory() as scratch:
        root = pathlib.Path(scratch)
        for make in (word_level, word_piece, unigram, byte_level):
            tokenizer = make()
            table = np.random.default_rng(1).standard_normal((tokenizer.get_vocab_size(), 40)).astype(np.float32)
            for normalize, length in ((True, 512), (False, 20), (True, None)):
                folder = root / f"{make.__name__}-{normalize}-{length}"
                model = StaticModel(table, tokenizer, normalize=normalize, max_length=length)
                model.save_pretrained(folder)
                name = f"{make.__name__}, max_length {length}"
                check(name, "model2vec", ours(("--weights", folder), root), model.encode(TEXTS))
                if length == 512:
                    said = model.encode(TEXTS, max_length=9)
                    check(f"{make.__name__}, --max-tokens 9", "model2vec", ours(("--weights", folder), root, "--max-tokens", "9"), said)
            folder = root / f"{make.__name__}-modules"
            encoder = SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_weights=table), Normalize()], device="cpu")
            encoder.save_pretrained(str(folder))
            check(make.__name__, "sentence-transformers", ours(("--weights", folder), root), encoder.encode(TEXTS))
        own = root / "own"
        own.mkdir()
        words = pathlib.Path("data/words")
        shutil.copy(words / "tokenizer.json", own)
        table = load_file(words / "headstart_words.safetensors")["embedding.weight"].astype(np.float32)
        save_file({"embeddings": table}, own / "model.safetensors")
        (own / "config.json").write_text(json.dumps({"model_type": "model2vec", "normalize": True}))
        said = StaticModel.from_pretrained(own).encode(TEXTS)
        check("headstart_words", "model2vec", ours(("--backbone", "headstart_words"), root), said)
    print(f"{failed} failed")
    sys.exit(failed > 0)


main()
