#!/usr/bin/env python3
"""The whole recipe of headstart_words, in one command:

    python3 train.py --wordnet FOLDER --teacher FOLDER --scratch /tmp/headstart_words

1. Read WordNet 3.0 (its own permissive licence): definitions and sentences of use. The names of animals, plants, people and
   places are left out. No text of banking77 or of sentiment_sentences is opened.
2. Choose 8,192 words and parts of words by how often they are used, a word in a sentence of use for three in a definition.
3. Ask all-MiniLM-L6-v2 (Apache-2.0) what each text means. Our own extract runs it, so the answers are the same to the bit on
   every machine.
4. Solve for the table whose averaged rows come nearest to these answers: ridge regression, and of what it foretells the 96
   directions that vary most (reduced-rank regression: Izenman, 1975).

Nothing is drawn at random. Another linear-algebra library may change the last digit of a number before it is rounded to f16.
Step 3 is kept in the scratch folder and is not repeated.
"""

import argparse
import collections
import csv
import json
import re
import subprocess
from pathlib import Path

import numpy as np
import scipy.linalg
import scipy.sparse
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

ROWS, WIDTH = 8192, 96
# Ends of words, such as ##ing, among the rows.
ENDS = 1200
# Of the regression, where a text's rows are averaged.
PENALTY = 0.1
# noun.animal and noun.plant, among whose definitions half of the words are Latin.
KINDS_LEFT_OUT = {5, 20}
PROBES = ["Where is my card?", "The food was awful, and the waiter was rude.", "déjà vu 7.5 zyzzyva", "a"]

NORMALIZER = normalizers.BertNormalizer(lowercase=True)
SPLITTER = pre_tokenizers.BertPreTokenizer()


def words(text):
    return [word for word, _ in SPLITTER.pre_tokenize_str(NORMALIZER.normalize_str(text))]


def read(folder):
    """Definitions, as `refund, repayment: money returned to a payer`, and sentences of use. (Definitions, sentences)."""
    definitions, uses = [], []
    for part in ("noun", "verb", "adj", "adv"):
        for line in (folder / f"data.{part}").read_text(encoding="ascii").splitlines():
            if line.startswith(" "):
                continue
            head, gloss = line.split(" | ", 1)
            fields = head.split()
            if part == "noun" and (int(fields[1]) in KINDS_LEFT_OUT or fields[4][0].isupper()):
                continue
            count = int(fields[3], 16)
            lemmas = [re.sub(r"\(\w+\)$", "", word).replace("_", " ") for word in fields[4 : 4 + 2 * count : 2]]
            definition = re.sub(r'\s*;?\s*"[^"]*"(?:\s*-\s*[^;"]*)?', "", gloss).strip(" ;")
            if definition:
                definitions.append(f"{', '.join(lemmas[:2])}: {definition}")
            uses += [use.strip() for use in re.findall(r'"([^"]+)"', gloss) if len(use.split()) > 2]
    return list(dict.fromkeys(definitions)), list(dict.fromkeys(uses))


def ranked(folder, definitions, uses):
    """Words, the most used first, and how often each is used."""
    used = collections.Counter()
    for text in definitions:
        used.update(words(text))
    for text in uses:
        used.update(words(text) * 3)
    # How often a word's meanings were found in a million words of prose.
    for line in (folder / "cntlist.rev").read_text(encoding="ascii").splitlines():
        key, _, count = line.split()
        for word in words(key.split("%")[0].replace("_", " ")):
            used[word] += int(count)
    return sorted((word for word in used if word.isascii()), key=lambda word: (-used[word], word)), used


def vocabulary(order, used):
    """Characters, words, and the most frequent ends of words that are not among them."""
    characters = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
    tokens = ["[UNK]", *characters, *("##" + c for c in characters if c.isalnum())]
    tokens += [word for word in order if len(word) > 1][: ROWS - len(tokens) - ENDS]
    known, ends = set(tokens), collections.Counter()
    for word in order:
        if word in known or used[word] < 2:
            continue
        start = next(length for length in range(len(word) - 1, 0, -1) if word[:length] in known)
        if len(word) - start > 1:
            ends["##" + word[start:]] += 1
    tokens += sorted(ends, key=lambda end: (-ends[end], end))[:ENDS]
    assert len(set(tokens)) == len(tokens) == ROWS
    tokenizer = Tokenizer(models.WordPiece({token: at for at, token in enumerate(tokens)}, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = NORMALIZER, SPLITTER
    return tokenizer


def averages(tokenizer, texts):
    """(n, rows), sparse: how much each row counts in the mean of a text. Unknown tokens are left out, as model2vec does."""
    at, columns, shares = [], [], []
    for text, encoding in enumerate(tokenizer.encode_batch_fast(texts, add_special_tokens=False)):
        ids = [token for token in encoding.ids if token != 0]
        at += [text] * len(ids)
        columns += ids
        shares += [1 / len(ids)] * len(ids)
    return scipy.sparse.csr_matrix((shares, (at, columns)), shape=(len(texts), tokenizer.get_vocab_size()))


def ask_teacher(args, texts):
    """(n, 384)."""
    answers = args.scratch / "teacher.npy"
    if not answers.exists():
        table, features, rows = args.scratch / "texts.csv", args.scratch / "teacher.features", args.scratch / "rows.csv"
        with open(table, "w", newline="", encoding="utf-8") as file:
            out = csv.writer(file, quoting=csv.QUOTE_ALL)
            out.writerow(["id", "text", "split"])
            out.writerows((f"{at:09}", text, "train") for at, text in enumerate(texts))
        tool = lambda name, *flags: subprocess.run([args.bin / name, *flags, "--force"], check=True)
        tool("extract", table, "-o", features, "--weights", args.teacher, "--dtype", "f16")
        tool("export", features, "-o", args.scratch / "part.npy", "--rows", rows)
        with open(rows, newline="", encoding="utf-8") as file:
            assert [int(row["id"]) for row in csv.DictReader(file)] == list(range(len(texts)))
        (args.scratch / "part.npy").rename(answers)
    return np.load(answers)


def learn(x, answers):
    """The table (rows, WIDTH) f16, and the share of the answers' variance that it foretells."""
    wanted = answers.astype(np.float64) - answers.mean(0)
    gram = (x.T @ x).toarray()
    gram[np.diag_indices(len(gram))] += PENALTY
    table = scipy.linalg.solve(gram, x.T @ wanted, assume_a="pos")
    foretold = x @ table
    _, directions = np.linalg.eigh(foretold.T @ foretold)
    directions = directions[:, ::-1][:, :WIDTH]
    # An eigenvector has no sign of its own.
    largest = directions[np.abs(directions).argmax(0), np.arange(WIDTH)]
    directions = directions * np.sign(largest)
    left = ((wanted - (foretold @ directions) @ directions.T) ** 2).sum() / (wanted**2).sum()
    return (table @ directions).astype(np.float16), 1 - left


def write_probe(tokenizer, table, path):
    """Sentences and their vectors in float64, to check another implementation against."""
    rows = averages(tokenizer, PROBES) @ table.astype(np.float64)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    tokens = [encoding.ids for encoding in tokenizer.encode_batch_fast(PROBES, add_special_tokens=False)]
    probes = [dict(text=text, tokens=[t for t in ids if t], sentence=row.tolist()) for text, ids, row in zip(PROBES, tokens, rows)]
    path.write_text(json.dumps({"output": "sentence, computed in f64", "probes": probes}) + "\n")


def main():
    here = Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wordnet", type=Path, required=True, help="folder with data.noun and others, as Debian's wordnet-base has it")
    parser.add_argument("--teacher", type=Path, required=True, help="folder of all-MiniLM-L6-v2, as on the Hugging Face hub")
    parser.add_argument("--scratch", type=Path, required=True, help="folder for about 1 GB")
    parser.add_argument("--bin", type=Path, default=here.parents[1] / "target/release", help="folder of extract and export")
    parser.add_argument("--out", type=Path, default=here, help="folder for table, tokenizer and probe")
    args = parser.parse_args()
    args.scratch.mkdir(parents=True, exist_ok=True)

    definitions, uses = read(args.wordnet)
    print(f"{len(definitions)} definitions, {len(uses)} sentences", flush=True)
    tokenizer = vocabulary(*ranked(args.wordnet, definitions, uses))
    tokenizer.save(str(args.out / "tokenizer.json"), pretty=False)
    texts = definitions + uses
    table, share = learn(averages(tokenizer, texts), ask_teacher(args, texts))
    weights = args.out / "headstart_words.safetensors"
    save_file({"embedding.weight": table}, weights)
    write_probe(tokenizer, table, args.out / "probe.json")
    print(f"wrote {weights}, {weights.stat().st_size} bytes: {100 * share:.1f} % of the teacher's variance is foretold")


if __name__ == "__main__":
    main()
