#!/usr/bin/env python3
"""`extract` on sentences against sentence-transformers, and ONNX Runtime and OpenVINO as its backends run them.

    .venv/bin/python benches/peers/texts.py TABLE.csv FOLDER [FOLDER…] [--rounds 3] [--threads 2]

TABLE has a column `text`. FOLDER is as on the Hugging Face hub; the mean of the last layer is what all compute. All run f32, on as
many threads, in turn. With --bf16 ours and OpenVINO are in bf16, PyTorch autocasts, and ONNX Runtime stays f32. Peers sort by length
and take 32 together, as sentence-transformers does; tokenisation is included.
ONNX Runtime gets PyTorch's own export, and the same after its own optimiser of transformers, which fastembed ships. What is loaded
and compiled is not timed; of ours, the time from a table of half the rows is taken off that from all of them, so that starting,
reading weights and asking probes is not counted either. Figures are sentences a second, medians over the rounds.
"""

import argparse
import csv
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")

import numpy as np
import torch
import transformers

ROOT = pathlib.Path(__file__).resolve().parents[2]
BATCH, MOST = 32, 256


def sorted_batches(texts):
    order = sorted(range(len(texts)), key=lambda at: -len(texts[at]))
    return [order[at : at + BATCH] for at in range(0, len(order), BATCH)]


def tokens(tokenizer, texts, names):
    found = tokenizer(texts, padding=True, truncation=True, max_length=MOST, return_tensors="np")
    return {name: found[name] for name in names if name in found}


def mean(hidden, mask):
    mask = mask[..., None].astype("f4")
    return (hidden * mask).sum(1) / mask.sum(1)


def over(texts, tokenizer, names, run):
    rows = [None] * len(texts)
    for batch in sorted_batches(texts):
        given = tokens(tokenizer, [texts[at] for at in batch], names)
        for at, row in zip(batch, mean(run(given), given["attention_mask"])):
            rows[at] = row
    return np.stack(rows)


def exported(folder, path):
    model = transformers.AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    names = ["input_ids", "attention_mask"]
    # Where it tells segments, transformers has zeros in their place.
    example = tuple(torch.ones(2, 8, dtype=torch.long) for _ in names)

    class Last(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, ids, mask):
            return self.model(input_ids=ids, attention_mask=mask).last_hidden_state

    axes = {name: {0: "batch", 1: "tokens"} for name in [*names, "hidden"]}
    with torch.no_grad():
        torch.onnx.export(Last(), example, str(path), dynamo=False, opset_version=17, input_names=names, output_names=["hidden"], dynamic_axes=axes)
    return model.config, names


def onnx_runtime(path, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda given: session.run(None, given)[0]


def openvino(path, threads, bf16):
    import openvino as ov

    settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
    if not bf16:
        settings["INFERENCE_PRECISION_HINT"] = "f32"
    request = ov.Core().compile_model(str(path), "CPU", settings).create_infer_request()
    return lambda given: request.infer(given)[request.model_outputs[0]]


def peers(folder, scratch, threads, bf16):
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    plain, fused = scratch / "plain.onnx", scratch / "fused.onnx"
    config, names = exported(folder, plain)
    found = {}
    try:
        from sentence_transformers import SentenceTransformer, models

        transformer = models.Transformer(str(folder), max_seq_length=MOST)
        pooling = models.Pooling(transformer.get_word_embedding_dimension())
        whole = SentenceTransformer(modules=[transformer, pooling], device="cpu")

        def encode(texts):
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                return whole.encode(texts, batch_size=BATCH)

        found["sentence-transformers"] = encode
    except ImportError:
        print("skipped: no sentence-transformers")
    found["ONNX Runtime"] = lambda texts, run=onnx_runtime(plain, threads): over(texts, tokenizer, names, run)
    from onnxruntime.transformers import optimizer

    optimizer.optimize_model(str(plain), "bert", num_heads=config.num_attention_heads, hidden_size=config.hidden_size).save_model_to_file(str(fused))
    found["ONNX Runtime, fused"] = lambda texts, run=onnx_runtime(fused, threads): over(texts, tokenizer, names, run)
    try:
        found["OpenVINO"] = lambda texts, run=openvino(plain, threads, bf16): over(texts, tokenizer, names, run)
    except ImportError:
        print("skipped: no openvino")
    return found


def ours(folder, table, scratch, threads, bf16):
    out = scratch / "x.features"
    command = [str(ROOT / "target/release/extract"), str(table), "-o", str(out), "--weights", str(folder), "--tap", "mean"]
    command += ["--text-column", "text", "--max-tokens", str(MOST), "--threads", str(threads), "--force", "--quiet"]
    command += ["--precision", "bf16"] if bf16 else []
    start = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("table", type=pathlib.Path)
    parser.add_argument("folders", type=pathlib.Path, nargs="+")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--bf16", action="store_true", help="ours in bf16, OpenVINO as it comes, PyTorch by autocast")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    with open(arguments.table, newline="", encoding="utf-8") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    print(f"{len(texts)} sentences, {sum(map(len, texts)) / len(texts):.0f} characters in the mean, {arguments.threads} threads")
    print("| network | program | sentences a second | largest difference |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        tables = []
        for name, part in [("half.csv", texts[: len(texts) // 2]), ("all.csv", texts)]:
            tables.append(scratch / name)
            with open(tables[-1], "w", newline="", encoding="utf-8") as file:
                csv.writer(file, quoting=csv.QUOTE_ALL).writerows([["text"], *([text] for text in part)])
        for folder in arguments.folders:
            found = peers(folder, scratch, arguments.threads, arguments.bf16)
            rates, rows = {name: [] for name in [*found, "Headstart", "Headstart, whole command"]}, {}
            for name, run in found.items():
                rows[name] = np.asarray(run(texts[:200]))
            first = next(iter(rows.values()))
            for _ in range(arguments.rounds):
                for name, run in found.items():
                    start = time.perf_counter()
                    run(texts)
                    rates[name].append(len(texts) / (time.perf_counter() - start))
                half, whole = (ours(folder, table, scratch, arguments.threads, arguments.bf16) for table in tables)
                rates["Headstart"].append((len(texts) - len(texts) // 2) / (whole - half))
                rates["Headstart, whole command"].append(len(texts) / whole)
            middle = {name: statistics.median(each) for name, each in rates.items()}
            for name, rate in middle.items():
                apart = np.abs(rows[name] - first).max() if name in rows else float("nan")
                print(f"| {folder.name} | {name} | {rate:,.0f} | {apart:.1e} |")
            best = max(rate for name, rate in middle.items() if not name.startswith("Headstart"))
            print(f"{folder.name}: {middle['Headstart'] / best:.2f} times the best peer; whole command {middle['Headstart, whole command'] / best:.2f}", flush=True)


sys.exit(main())
