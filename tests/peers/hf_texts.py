#!/usr/bin/env python3
"""Folders of texts of `export --to hf`, opened by `transformers.pipeline("text-classification", model=FOLDER)`.

For each kind of network of texts.py, with random weights and a learnt tokenizer: features, a head, and the exported folder at several
taps. One of them has dense layers behind its pooling. The pipeline gets whole texts in padded batches: short ones, long ones that lose
their end, other scripts, one of a single space, and pairs. Its logits must be ours to 1e-4 of the largest, and the class the same. An
empty text, where the tokenizer adds tokens to it, gets finite ones. `--verify-with` must find so too, on some. `extract` reads the
folder's features back to the bit.

Folders of real networks, GGUF files among them, may be given as arguments: 1,000 texts of banking77's test split, if it is in ../shared.
Needs torch, transformers and tokenizers; run from the repository's root, after `make`.
"""

import csv
import json
import os
import pathlib
import sys
import tempfile

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("TQDM_DISABLE", "1")

import numpy as np
import torch
import transformers

import texts
import tools

TOLERANCE = 1e-4
# What transformers itself has a class for.
NATIVE = {
    "bert": "BertForSequenceClassification", "roberta": "RobertaForSequenceClassification", "mpnet": "MPNetForSequenceClassification",
    "xlm-roberta": "XLMRobertaForSequenceClassification", "camembert": "CamembertForSequenceClassification",
    "albert": "AlbertForSequenceClassification", "albert, wide tables": "AlbertForSequenceClassification",
}
OURS = "HeadstartForSequenceClassification"
# Taps, and the kind of head on them.
CELLS = [(["mean"], "linear"), (["cls", "max"], "linear"), (["last"], "mlp"), (["layer:0", "layer:1"], "linear"), (["pooled"], "linear"), (["pooled"], "mlp")]


def sentences():
    """Texts that end in one of two ways, some longer than the network reads."""
    made = [text for text in texts.SENTENCES + texts.MORE if text]
    return made + [f"{a} {b}" for a, b in zip(made, made[3:])] + ["the card is good " * 40]


def saved(make, build, folder):
    """A network with random numbers, and its tokenizer, as transformers saves both."""
    torch.manual_seed(1)
    tokenizer = make()
    # Numbers of BERT's own size would hardly differ between texts.
    model = build(len(tokenizer)).eval()
    with torch.no_grad():
        for value in model.parameters():
            if value.dim() > 1:
                value.normal_(0, 0.2)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return tokenizer


def opened(model, rows):
    """The class, and (n, classes) logits as the pipeline gives them, eight texts at a time."""
    trusted = {"trust_remote_code": True} if (model / "modeling_headstart.py").exists() else {}
    run = transformers.pipeline("text-classification", model=str(model), device="cpu", truncation=True, **trusted)
    given = [row[0] if len(row) == 1 else {"text": row[0], "text_pair": row[1]} for row in rows]
    batch = 8 if run.tokenizer.pad_token else 1
    empty = [""] if run.tokenizer("")["input_ids"] else []
    said = run(given + empty, top_k=None, function_to_apply="none", batch_size=batch)
    names = [run.model.config.id2label[i] for i in range(run.model.config.num_labels)]
    logits = np.array([[{each["label"]: each["score"] for each in row}[name] for name in names] for row in said])
    assert np.isfinite(logits).all(), "a text without words has no logits"
    logits = logits[: len(given)]
    # With no further flags it says the best.
    assert run(given[:1])[0]["label"] == names[int(logits[0].argmax())]
    return type(run.model).__name__, logits


def layers(head):
    """The head's dense layers, in f64."""
    from safetensors.numpy import load_file

    tensors = load_file(head)
    count = sum(name.startswith("layers.") for name in tensors) // 2
    return [[tensors[f"layers.{at}.{part}"].astype("f8") for part in ("weight", "bias")] for at in range(count)]


def ours(parts, head, root):
    x = np.hstack([tools.matrix(part, root)[0] for part in parts]).astype("f8")
    for at, (weight, bias) in enumerate(layers(head)):
        x = (np.maximum(x, 0) if at else x) @ weight.T + bias
    return x


def features(table, folder, out, taps, flags, root):
    """Features of each tap, in folders of that name."""
    given = [part for tap in taps for part in ("--tap", tap)]
    # Labels are in turns, so that random features tell little; the head is there all the same.
    tools.tool("extract", table, "-o", root / out, "--weights", folder, *given, *flags, "--split", "60/40/0", "--force", "--quiet")
    name = pathlib.Path(out)
    return [root / (out if len(taps) == 1 else f"{name.stem}.{tap}.features") for tap in taps]


def check(name, folder, table, rows, taps, kind, flags, root, verified):
    parts = features(table, folder, "x.features", taps, flags, root)
    head, model = root / "x.head", root / "model"
    fit = ["--head", "linear", "--l2", "0.1", "--no-calibrate"] if kind == "linear" else ["--head", "mlp:16"]
    tools.tool("fit-head", *parts, "-o", head, *fit, *(["--concat"] if len(taps) > 1 else []), "--force", "--quiet")
    columns = ["--text-column-2", "second"] if len(rows[0]) > 1 else []
    verify = ["--verify-with", sys.executable, "--texts", table, *columns] if verified else []
    tools.tool("export", head, "-o", model, "--to", "hf", "--weights", folder, *verify, "--force")
    if verified:
        said = json.loads((model / "config.json").read_text())["headstart"]["verified"]
        assert said["samples"] == len(rows) and said["same_best"] == len(rows), said
    opener, logits = opened(model, rows)
    expected = ours(parts, head, root)
    is_native = taps == ["pooled"] and kind == "linear"
    assert opener == (NATIVE[name] if is_native else OURS), opener
    largest = np.abs(expected).max()
    assert largest > 1e-2, "the logits are next to nothing"
    assert (logits.argmax(1) == expected.argmax(1)).all(), "the best is another"
    # A pooler that moved into the classifier is none that a network has.
    if not is_native or name == "bert" or name.startswith("albert"):
        again = features(table, model, "again.features", taps, flags, root)
        for part, back in zip(parts, again):
            assert (tools.matrix(part, root)[0] == tools.matrix(back, root)[0]).all(), "extract reads other features from the folder"
    return opener, np.abs(logits - expected).max() / largest


def with_modules(folder, out):
    """The folder's network with dense layers behind its pooling, as sentence-transformers saves both."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense, Normalize, Pooling, Transformer

    torch.manual_seed(1)
    pooling = Pooling(48, "mean")
    dense = [Dense(48, 96, bias=False, activation_function=torch.nn.Identity()), Dense(96, 24, activation_function=torch.nn.GELU())]
    SentenceTransformer(modules=[Transformer(str(folder), max_seq_length=40), pooling, *dense, Normalize()], device="cpu").save(str(out))
    return out


def real(path, root):
    """1,000 texts of banking77 behind a linear head on what the folder gives by default."""
    data = tools.SHARED / "data/banking77"
    table = next((file for file in sorted(data.glob("*test*.csv"))), None)
    if table is None:
        return None
    with open(table, newline="", encoding="utf-8") as file:
        read = [row for row in csv.DictReader(file)][:: max(1, sum(1 for _ in open(table)) // 1000)][:1000]
    key, label = ("text" if "text" in read[0] else "sentence"), next(k for k in ("label", "category") if k in read[0])
    texts.write(root / "real.csv", [(row[key], row[label]) for row in read], ["text", "label"])
    tap = ["--tap", "last"] if path.suffix == ".gguf" else []
    tools.tool("extract", root / "real.csv", "-o", root / "r.features", "--weights", path, *tap, "--split", "60/40/0", "--force", "--quiet")
    tools.tool("fit-head", root / "r.features", "-o", root / "r.head", "--head", "linear", "--force", "--quiet")
    model = root / "real"
    verify = ["--verify-with", sys.executable, "--texts", root / "real.csv", "--verify-samples", len(read)]
    tools.tool("export", root / "r.head", "-o", model, "--to", "hf", "--weights", path, *verify, "--force")
    said = json.loads((model / "config.json").read_text())["headstart"]["verified"]
    expected = ours([root / "r.features"], root / "r.head", root)
    opener, logits = opened(model, [(row[key],) for row in read])
    same = int((logits.argmax(1) == expected.argmax(1)).sum())
    gap = np.abs(logits - expected).max() / np.abs(expected).max()
    return f"{opener}, {len(read)} texts, {said['same_best']} and {same} the same", gap, same == len(read) == said["same_best"]


def main():
    failed = 0
    print("| network | texts | taps | head | opened by | largest difference |\n|---|---|---|---|---|---|", flush=True)
    given = [pathlib.Path(path) for path in sys.argv[1:] if pathlib.Path(path).exists()]
    wanted = [word for word in sys.argv[1:] if not pathlib.Path(word).exists()]
    with tempfile.TemporaryDirectory() as scratch:
        root = pathlib.Path(scratch)
        made = sentences()
        pairs = list(zip(made, made[1:]))
        for name, (make, build) in texts.KINDS.items() if wanted or not given else ():
            if wanted and not any(word in name for word in wanted):
                continue
            folder = root / name
            tokenizer = saved(make, build, folder)
            if name == "electra":
                folder = with_modules(folder, root / "modules")
            # Here and there it has no token.
            singles = [(text,) for text in made] + ([(" ",)] if tokenizer(" ")["input_ids"] else [])
            for what, rows in (("single", singles), ("pair", pairs)):
                table = root / f"{what}.csv"
                texts.write(table, [(*row, "ab"[at % 2]) for at, row in enumerate(rows)], ["text", "second"][: len(rows[0])] + ["label"])
                flags = ["--text-column-2", "second"] if what == "pair" else []
                cells = CELLS if what == "single" else CELLS[:1]
                # How a sentence's vector is made is said by sentence-transformers.
                cells = cells + [(["sentence"], "linear")] if (folder / "modules.json").exists() else cells
                for taps, kind in cells:
                    if taps == ["pooled"] and name not in NATIVE:
                        continue
                    try:
                        # Another Python each time, which takes its time.
                        verified = taps in (["mean"], ["pooled"]) and kind == "linear"
                        opener, gap = check(name, folder, table, rows, taps, kind, flags, root, verified)
                    except Exception as error:
                        opener, gap = (getattr(error, "stderr", None) or repr(error)).strip()[-300:], float("inf")
                    bad = not gap <= TOLERANCE
                    failed += bad
                    print(f"| {name} | {what} | {' + '.join(taps)} | {kind} | {opener} | {gap:.1e}{' BAD' if bad else ''} |", flush=True)
        for path in given:
            found = real(path, root)
            if found is None:
                print(f"skipped: no banking77 in {tools.SHARED}")
                continue
            what, gap, same = found
            bad = not (gap <= TOLERANCE and same)
            failed += bad
            print(f"| {path.name} | banking77 | | linear | {what} | {gap:.1e}{' BAD' if bad else ''} |", flush=True)
    print(f"{failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
