#!/usr/bin/env python3
"""Features of texts, against transformers: tokens, networks and taps.

For each kind of network: random weights and a tokenizer that is learnt from a few sentences, saved by transformers' own
`save_pretrained`. `extract` reads the folder. Its rows of single texts and of pairs, some longer than the network reads, must be
transformers' to 1e-5 of their length. With a folder of sentence-transformers as an argument, and that package, its vectors too;
with a GGUF file, and the package gguf, transformers' on the numbers that the file's come to, to 1e-4, and its tokens.

Dense layers are sentence-transformers', and models of SentencePiece's are learnt and read by its own library.

Needs torch, transformers, tokenizers, sentence-transformers and sentencepiece; run from the repository's root, after `make`.
"""

import csv
import json
import os
import pathlib
import sys
import tempfile

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import numpy as np
import onnxruntime
import tokenizers
import torch
import transformers
from safetensors.numpy import save_file
from tokenizers import models, normalizers, pre_tokenizers, processors, trainers

import tools

TOLERANCE = 1e-5
TAPS = ["cls", "mean", "max", "last", "layer:0", "layer:1", "layer:2"]
SENTENCES = [
    "Where is my card?", "The card arrived, but it does not work.", "Why was I charged twice for one ticket?", "",
    "Une très bonne soirée à Genève", "7.5 mg of it, dissolved in water", "GREAT!!! would buy again", "again " * 60,
    "a slow film with a good ending; I would not watch it twice", "card  card\tcard",
]


# For a tokenizer of its own: digits, signs, capitals, other scripts, runs of spaces, and what it has no word for.
MORE = [
    "I was charged $1,234.56 on 2024-05-06 at 7:08pm.", "don't, can't, won't, I'd've", "ΑΒΓ δοκιμή и проба 試験 テスト 시험", "🙂👩‍👩‍👧 emoji",
    "tabs\tand  two   three spaces", "naïve café résumé coöperate", "HTTPServerError404NotFound", "x=y+z; if (a<b) {return c[1];}",
    "<|im_start|>user hello<|im_end|>", "   leading and trailing   ", "a", "1", "...",
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


def plain_byte_level():
    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet)
    tokenizer.train_from_iterator(SENTENCES * 20, trainer)
    return transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=48, eos_token="<|endoftext|>")


transformers.utils.logging.disable_progress_bar()
SIZES = dict(hidden_size=48, num_hidden_layers=2, num_attention_heads=4, intermediate_size=96)
# Whose tokenizers are also read where they lie in parts.
PARTS = ["bert", "roberta", "gpt2"]
# Four heads share two of keys and values; windows are shorter than the longest sentence.
DECODER = dict(SIZES, num_key_value_heads=2, max_position_embeddings=48)
T5 = dict(d_model=48, d_kv=10, d_ff=96, num_layers=2, num_heads=4)
LLAMA3 = dict(rope_type="llama3", rope_theta=5e3, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32)
NEAR = ["sliding_attention", "full_attention"]
GEMMA = dict(DECODER, head_dim=20, query_pre_attn_scalar=15, sliding_window=7, layer_types=NEAR)
KINDS = {
    "bert": (word_piece, lambda n: transformers.BertModel(transformers.BertConfig(vocab_size=n, max_position_embeddings=48, **SIZES))),
    "electra": (word_piece, lambda n: transformers.ElectraModel(transformers.ElectraConfig(vocab_size=n, embedding_size=48, max_position_embeddings=48, **SIZES))),
    "electra, narrow tables": (word_piece, lambda n: transformers.ElectraModel(transformers.ElectraConfig(vocab_size=n, embedding_size=20, max_position_embeddings=48, **SIZES))),
    "t5": (plain_byte_level, lambda n: transformers.T5EncoderModel(transformers.T5Config(vocab_size=n, **T5))),
    "t5, gated": (plain_byte_level, lambda n: transformers.T5EncoderModel(transformers.T5Config(vocab_size=n, feed_forward_proj="gated-gelu", relative_attention_num_buckets=16, relative_attention_max_distance=20, **T5))),
    "mt5": (plain_byte_level, lambda n: transformers.MT5EncoderModel(transformers.MT5Config(vocab_size=n, **T5))),
    "albert": (word_piece, lambda n: transformers.AlbertModel(transformers.AlbertConfig(vocab_size=n, embedding_size=20, max_position_embeddings=48, **SIZES))),
    "albert, wide tables": (word_piece, lambda n: transformers.AlbertModel(transformers.AlbertConfig(vocab_size=n, embedding_size=48, max_position_embeddings=48, **SIZES))),
    "nomic_bert": (word_piece, lambda n: transformers.NomicBertModel(transformers.NomicBertConfig(vocab_size=n, max_position_embeddings=48, **SIZES))),
    "gte": (byte_level, lambda n: transformers.GteModel(transformers.GteConfig(vocab_size=n, max_position_embeddings=48, **SIZES))),
    "distilbert": (word_piece, lambda n: transformers.DistilBertModel(transformers.DistilBertConfig(vocab_size=n, max_position_embeddings=48, dim=48, n_layers=2, n_heads=4, hidden_dim=96))),
    "roberta": (byte_level, lambda n: transformers.RobertaModel(transformers.RobertaConfig(vocab_size=n, max_position_embeddings=50, type_vocab_size=1, **SIZES))),
    "xlm-roberta": (byte_level, lambda n: transformers.XLMRobertaModel(transformers.XLMRobertaConfig(vocab_size=n, max_position_embeddings=50, type_vocab_size=1, **SIZES))),
    "camembert": (byte_level, lambda n: transformers.CamembertModel(transformers.CamembertConfig(vocab_size=n, max_position_embeddings=50, type_vocab_size=1, **SIZES))),
    "mpnet": (byte_level, lambda n: transformers.MPNetModel(transformers.MPNetConfig(vocab_size=n, max_position_embeddings=50, **SIZES))),
    "modernbert": (byte_level, lambda n: transformers.ModernBertModel(transformers.ModernBertConfig(vocab_size=n, max_position_embeddings=48, local_attention=8, pad_token_id=1, **SIZES))),
    "gpt2": (plain_byte_level, lambda n: transformers.GPT2Model(transformers.GPT2Config(vocab_size=n, n_positions=48, n_embd=48, n_layer=2, n_head=4))),
    "gpt_neox": (plain_byte_level, lambda n: transformers.GPTNeoXModel(transformers.GPTNeoXConfig(vocab_size=n, max_position_embeddings=48, rotary_pct=0.5, **SIZES))),
    "gpt_neox, not parallel": (plain_byte_level, lambda n: transformers.GPTNeoXModel(transformers.GPTNeoXConfig(vocab_size=n, max_position_embeddings=48, rotary_pct=1.0, rotary_emb_base=500, attention_bias=False, use_parallel_residual=False, **SIZES))),
    "llama": (byte_level, lambda n: transformers.LlamaModel(transformers.LlamaConfig(vocab_size=n, **DECODER))),
    "llama, biases and heads of 20": (byte_level, lambda n: transformers.LlamaModel(transformers.LlamaConfig(vocab_size=n, attention_bias=True, mlp_bias=True, head_dim=20, rope_parameters=LLAMA3, **DECODER))),
    "smollm3": (byte_level, lambda n: transformers.SmolLM3Model(transformers.SmolLM3Config(vocab_size=n, pad_token_id=1, no_rope_layer_interval=2, **DECODER))),
    "mistral": (byte_level, lambda n: transformers.MistralModel(transformers.MistralConfig(vocab_size=n, sliding_window=7, **DECODER))),
    "qwen2": (byte_level, lambda n: transformers.Qwen2Model(transformers.Qwen2Config(vocab_size=n, use_sliding_window=True, sliding_window=7, max_window_layers=1, **DECODER))),
    "qwen3": (byte_level, lambda n: transformers.Qwen3Model(transformers.Qwen3Config(vocab_size=n, head_dim=16, **DECODER))),
    "qwen3, heads of 20": (byte_level, lambda n: transformers.Qwen3Model(transformers.Qwen3Config(vocab_size=n, head_dim=20, rope_parameters=dict(rope_type="linear", rope_theta=1e6, factor=3.0), **DECODER))),
    "gemma": (byte_level, lambda n: transformers.GemmaModel(transformers.GemmaConfig(vocab_size=n, head_dim=20, **DECODER))),
    "gemma2": (byte_level, lambda n: transformers.Gemma2Model(transformers.Gemma2Config(vocab_size=n, attn_logit_softcapping=None, **GEMMA))),
    "gemma3_text": (byte_level, lambda n: transformers.Gemma3TextModel(transformers.Gemma3TextConfig(vocab_size=n, rope_scaling=dict(rope_type="linear", factor=3.0), **GEMMA))),
    "gemma3_text, both sides": (byte_level, lambda n: transformers.Gemma3TextModel(transformers.Gemma3TextConfig(vocab_size=n, use_bidirectional_attention=True, **GEMMA))),
}


def theirs(model, tokenizer, texts):
    """One text at a time, without padding, in f64."""
    rows = {tap: [] for tap in TAPS}
    for text in texts:
        tokens = tokenizer(*text, truncation="longest_first", return_tensors="pt")
        if model.config.model_type not in ("bert", "electra", "albert", "nomic_bert"):
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


def onnx_model(folder, root, table, texts):
    """A head on all of these taps as ONNX, in ONNX Runtime: the features of all texts in one batch, padded, by the tokenizer in the
    file's metadata. Gives the largest difference from the rows in the cache."""
    taps = ["cls", "mean", "max", "last"]
    flags = [part for tap in taps for part in ("--tap", tap)] + ([] if len(texts[0]) == 1 else ["--text-column-2", "second"])
    tools.tool("extract", table, "-o", root / "x.features", "--weights", folder, *flags, "--split", "60/40/0", "--force", "--quiet")
    parts = [root / f"x.{tap}.features" for tap in taps]
    tools.tool("fit-head", *parts, "--concat", "-o", root / "x.head", "--head", "linear", "--l2", "1", "--no-calibrate", "--force", "--quiet")
    tools.tool("export", root / "x.head", "--weights", folder, "-o", root / "x.onnx", "--force")
    session = onnxruntime.InferenceSession(str(root / "x.onnx"))
    tokenizer = tokenizers.Tokenizer.from_str(session.get_modelmeta().custom_metadata_map["headstart.tokenizer"])
    tokenizer.enable_truncation(48)
    tokenizer.enable_padding(pad_id=tokenizer.token_to_id("<pad>") or 0)
    encoded = tokenizer.encode_batch([text if len(text) > 1 else text[0] for text in texts])
    given = dict(input_ids="ids", attention_mask="attention_mask", token_type_ids="type_ids")
    names = [given.name for given in session.get_inputs()]
    given = {name: np.array([getattr(one, given[name]) for one in encoded], "i8") for name in names}
    # Rows are in the order of their ids, which is the table's.
    expected = np.hstack([tools.matrix(part, root)[0] for part in parts])
    return float(np.abs(session.run(["features"], given)[0] - expected).max() / np.linalg.norm(expected, axis=1).max())


def write(path, rows, names=("text", "second")):
    with open(path, "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, quoting=csv.QUOTE_ALL)
        out.writerow(names[: len(rows[0])])
        out.writerows(rows)


def modules(folder, root):
    """Dense layers behind the pooling, saved by sentence-transformers in both of its forms, and its vectors."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense, Normalize, Pooling, Transformer

    one = [Pooling(48, "cls"), Dense(48, 20)]
    two = [Pooling(48, "mean"), Dense(48, 96, bias=False, activation_function=torch.nn.Identity()), Dense(96, 24, activation_function=torch.nn.GELU()), Normalize()]
    worst = 0
    for at, (after, safe) in enumerate([(one, True), (two, True), (two, False)]):
        torch.manual_seed(at)
        model = SentenceTransformer(modules=[Transformer(str(folder), max_seq_length=48), *after], device="cpu")
        model.save(str(root / f"modules{at}"), safe_serialization=safe)
        worst = max(worst, sentence_transformers(root / f"modules{at}", root))
    return worst


# Models of SentencePiece's: how they are learnt, the numbers that the network has for pieces, and what stands around a text.
LLAMAS = dict(model_type="bpe", byte_fallback=True, normalization_rule_name="identity", remove_extra_whitespaces=False, split_digits=True, allow_whitespace_only_pieces=True)
MODELS = {
    "t5": ("spiece.model", dict(pad_id=0, eos_id=1, unk_id=2, bos_id=-1), lambda id: id, [], [1]),
    "xlm-roberta": ("sentencepiece.bpe.model", {}, lambda id: id + 1 if id else 3, [0], [2]),
    "camembert": ("sentencepiece.bpe.model", {}, lambda id: id + 4 if id else 3, [5], [6]),
    "albert": ("spiece.model", dict(pad_id=0, unk_id=1, bos_id=-1, eos_id=-1, control_symbols=["[CLS]", "[SEP]", "[MASK]"]), lambda id: id, [2], [3]),
    "llama": ("tokenizer.model", LLAMAS, lambda id: id, [1], []),
    "gemma": ("tokenizer.model", dict(LLAMAS, bos_piece="<bos>", eos_piece="<eos>", pad_id=0, eos_id=1, bos_id=2, unk_id=3, add_dummy_prefix=False, user_defined_symbols=["\n", "\n\n", "▁▁", "▁▁▁", "<b>"]), lambda id: id, [2], []),
}
SPACES = ["two\nlines\n\n\nand more", "<b>bold</b>", "a     b", " a", "\ta", "x\u3000y\u00a0z"]


def pieces(kind, root):
    """A folder with a model of SentencePiece's alone: rows of the network on the numbers that its own library gives."""
    import sentencepiece

    file, how, number, first, last = MODELS[kind]
    texts = [text for text in SENTENCES + MORE + SPACES if text.strip()]
    folder = root / f"pieces, {kind}"
    folder.mkdir()
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(texts * 20), model_prefix=str(folder / "m"), vocab_size=400, hard_vocab_limit=False, minloglevel=2, **how)
    (folder / "m.model").rename(folder / file)
    model = sentencepiece.SentencePieceProcessor(model_file=str(folder / file))

    def tokens(text, **_):
        ids = [number(id) for id in model.encode(text)]
        return transformers.BatchEncoding({"input_ids": torch.tensor([first + ids[: 48 - len(first + last)] + last])})

    if kind == "albert":
        # What becomes of characters is not in its model.
        tokens = transformers.AlbertTokenizer.from_pretrained(folder, model_max_length=48)
    torch.manual_seed(1)
    network = KINDS[kind][1](model.get_piece_size() + 200).eval()
    with torch.no_grad():
        for value in network.parameters():
            if value.dim() > 1:
                value.normal_(0, 0.2)
    network.save_pretrained(folder)
    (folder / "tokenizer_config.json").write_text(json.dumps(dict(model_max_length=48)))
    write(root / "p.csv", [(text,) for text in texts])
    expected, got = theirs(network.double(), tokens, [(text,) for text in texts]), ours(folder, root / "p.csv", (), root)
    return max(float((np.abs(got[tap] - expected[tap]).max(1) / np.linalg.norm(expected[tap], axis=1)).max()) for tap in TAPS)


def sentence_transformers(folder, root):
    from sentence_transformers import SentenceTransformer

    texts = [text for text in SENTENCES if text]
    write(root / "s.csv", [(text,) for text in texts])
    tools.tool("extract", root / "s.csv", "-o", root / "s.features", "--weights", folder, "--force", "--quiet")
    rows = tools.matrix(root / "s.features", root)[0]
    said = SentenceTransformer(str(folder), device="cpu").encode(texts)
    return np.abs(rows - said).max() / np.linalg.norm(said, axis=1).max()


def gguf(file, root):
    """Every layer's mean, first and last token. transformers reads the file itself, its tokenizer too."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    model = transformers.AutoModel.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32).eval().double()
    texts = [text for text in SENTENCES if text] + MORE
    write(root / "g.csv", [(text,) for text in texts])
    layers = range(model.config.num_hidden_layers + 1)
    taps = [part for tap in ["cls", "last", *(f"layer:{layer}" for layer in layers)] for part in ("--tap", tap)]
    tools.tool("extract", root / "g.csv", "-o", root / "g.features", "--weights", file, *taps, "--force", "--quiet")
    worst = 0
    rows = [tools.matrix(root / f"g.{tap}.features", root)[0] for tap in taps[1::2]]
    for at, text in enumerate(texts):
        with torch.inference_mode():
            out = model(**tokenizer(text, return_tensors="pt"), output_hidden_states=True)
        h = out.last_hidden_state[0]
        expected = [h[0], h[-1], *(hidden[0].mean(0) for hidden in out.hidden_states)]
        for got, said in zip(rows, expected):
            worst = max(worst, float(np.abs(got[at] - said.numpy()).max() / said.norm()))
    return worst


def stories(file, root):
    """stories260K, a Llama in the layout of llama2.c, whose forward pass is repeated here in f64: logits of every place."""
    raw = file.read_bytes()
    d, hidden, depth, heads, kv, vocabulary, places = np.frombuffer(raw, "<i4", 7)
    numbers, head = np.frombuffer(raw, "<f4", offset=28), d // heads
    at = 0

    def take(*shape):
        nonlocal at
        part = numbers[at : at + int(np.prod(shape))].reshape(shape)
        at += part.size
        return part

    embed, narrow = take(abs(vocabulary), d), kv * head
    names = ["input_layernorm", "q", "k", "v", "o", "post_attention_layernorm", "gate", "down", "up"]
    shapes = [(d,), (d, d), (narrow, d), (narrow, d), (d, d), (d,), (hidden, d), (d, hidden), (hidden, d)]
    w = dict(zip(names, [take(depth, *shape) for shape in shapes]))
    final = take(d)

    def norm(x, weight):
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-5) * weight

    def turn(x, place):
        pairs = x.reshape(len(x), -1, head // 2, 2)
        angle = place[:, None, None] * 1e4 ** (-np.arange(0, head, 2) / head)
        a, b = pairs[..., 0], pairs[..., 1]
        return np.stack([a * np.cos(angle) - b * np.sin(angle), a * np.sin(angle) + b * np.cos(angle)], -1)

    def logits(ids):
        x, n, place = embed[ids].astype("f8"), len(ids), np.arange(len(ids))
        for layer in range(depth):
            at = {name: part[layer].astype("f8") for name, part in w.items()}
            h = norm(x, at["input_layernorm"])
            q, k = (turn(h @ at[part].T, place).reshape(n, -1, head) for part in "qk")
            v = (h @ at["v"].T).reshape(n, kv, head)
            k, v = (part.repeat(heads // kv, 1) for part in (k, v))
            scores = np.einsum("qhd,khd->hqk", q, k) / np.sqrt(head) + np.triu(np.full((n, n), -np.inf), 1)
            share = np.exp(scores - scores.max(-1, keepdims=True))
            x = x + np.einsum("hqk,khd->qhd", share / share.sum(-1, keepdims=True), v).reshape(n, d) @ at["o"].T
            h = norm(x, at["post_attention_layernorm"])
            gate = h @ at["gate"].T
            x = x + (gate / (1 + np.exp(-gate)) * (h @ at["up"].T)) @ at["down"].T
        return norm(x, final) @ embed.T.astype("f8")

    folder = root / "stories"
    folder.mkdir()
    places_of = {"q": "self_attn.q_proj", "k": "self_attn.k_proj", "v": "self_attn.v_proj", "o": "self_attn.o_proj"}
    places_of |= {part: f"mlp.{part}_proj" for part in ("gate", "up", "down")}
    tensors = {"model.embed_tokens.weight": embed, "model.norm.weight": final}
    for name, parts in w.items():
        tensors |= {f"model.layers.{layer}.{places_of.get(name, name)}.weight": part for layer, part in enumerate(parts)}
    save_file({name: np.ascontiguousarray(part) for name, part in tensors.items()}, folder / "model.safetensors")
    sizes = dict(hidden_size=d, intermediate_size=hidden, num_hidden_layers=depth, num_attention_heads=heads, num_key_value_heads=kv, vocab_size=abs(vocabulary), max_position_embeddings=places)
    config = dict(model_type="llama", rms_norm_eps=1e-5, rope_interleave=True) | {key: int(value) for key, value in sizes.items()}
    (folder / "config.json").write_text(json.dumps(config))
    # A word for each token, so that texts are what is wanted.
    words = tokenizers.Tokenizer(models.WordLevel({f"t{at}": at for at in range(abs(vocabulary))}, unk_token="t0"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    words.save(str(folder / "tokenizer.json"))
    random = np.random.default_rng(0)
    texts = [np.r_[1, random.integers(3, abs(vocabulary), length)] for length in (0, 1, 5, 30, 200, 500)]
    write(root / "t.csv", [(" ".join(f"t{at}" for at in ids),) for ids in texts])
    tools.tool("extract", root / "t.csv", "-o", root / "t.features", "--weights", folder, "--tap", "last", "--tap", "mean", "--force", "--quiet")
    worst = 0
    last, mean = (tools.matrix(root / f"t.{tap}.features", root)[0] for tap in ("last", "mean"))
    for at, ids in enumerate(texts):
        said = logits(ids)
        for got, expected in [(last[at], said[-1]), (mean[at], said.mean(0))]:
            worst = max(worst, float(np.abs(got @ embed.T.astype("f8") - expected).max() / np.abs(expected).max()))
    return worst


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
            kinds = [("single", singles, ()), ("pair", pairs, ("--text-column-2", "second"))]
            for what, texts, flags in kinds + ([("in parts", pairs, kinds[1][2])] if name in PARTS else []):
                if what == "in parts":
                    # As older folders have it: `vocab.txt`, or `vocab.json` and `merges.txt`.
                    (root / name / "tokenizer.json").unlink()
                    tokenizer.backend_tokenizer.model.save(str(root / name))
                expected = theirs(model, tokenizer, texts)
                got = ours(root / name, root / f"{'single' if texts is singles else 'pair'}.csv", flags, root)
                worst = max(
                    float(np.abs(got[tap] - expected[tap]).max() / np.linalg.norm(expected[tap], axis=1).max()) for tap in TAPS
                )
                bad = not worst <= TOLERANCE
                failed += bad
                print(f"| {name} | {what} | {worst:.1e}{' BAD' if bad else ''} |", flush=True)
                if what != "in parts":
                    labelled = [(*text, "ab"[at % 2]) for at, text in enumerate(texts)]
                    write(root / "labelled.csv", labelled, ["text", "second"][: len(texts[0])] + ["label"])
                    worst = onnx_model(root / name, root, root / "labelled.csv", texts)
                    bad = not worst <= 5 * TOLERANCE
                    failed += bad
                    print(f"| {name} | {what}, ONNX | {worst:.1e}{' BAD' if bad else ''} |", flush=True)
        worst = modules(root / "electra", root)
        failed += not worst <= TOLERANCE
        print(f"| electra, dense layers behind it | sentence-transformers | {worst:.1e} |", flush=True)
        for kind in MODELS:
            worst = pieces(kind, root)
            failed += not worst <= TOLERANCE
            print(f"| {kind} | SentencePiece | {worst:.1e}{'' if worst <= TOLERANCE else ' BAD'} |", flush=True)
        tiny = tools.SHARED / "weights/stories260K.bin"
        if tiny.is_file():
            worst = stories(tiny, root)
            failed += not worst <= TOLERANCE
            print(f"| stories260K | logits | {worst:.1e} |")
        else:
            print(f"skipped: no `{tiny}`")
        for path in map(pathlib.Path, sys.argv[1:]):
            is_gguf = path.suffix == ".gguf"
            worst = (gguf if is_gguf else sentence_transformers)(path, root)
            failed += not worst <= (1e-4 if is_gguf else TOLERANCE)
            print(f"| {path.name} | {'GGUF' if is_gguf else 'sentence-transformers'} | {worst:.1e} |")
    print(f"{failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
