#!/bin/sh
# Runs the quickstart three times, on 1, 2 and 2 threads and with other batches, and fails unless every artefact is the
# same to the byte. An MLP head is fitted twice as well.
set -eu
BIN=${BIN:-target/release}
OUT=${1:-target/reproduce}
rm -rf "$OUT"

digests() { (cd "$1" && find . -type f | LC_ALL=C sort | xargs sha256sum); }

one() { # NAME THREADS BATCH
    mkdir -p "$OUT/$1"
    BIN=$BIN pipelines/quickstart.sh "$OUT/$1" --threads "$2" --quiet >"$OUT/$1/summary.txt"
    "$BIN/extract" "$OUT/$1/sample" -o "$OUT/$1/layer3.features" --tap layer3 --threads "$2" --batch "$3" --quiet
    "$BIN/fit-head" "$OUT/$1/sample.features" -o "$OUT/$1/mlp.head" --head mlp:64 --dropout 0.2 --threads "$2" --quiet
    "$BIN/evaluate" "$OUT/$1/sample.features" "$OUT/$1/mlp.head" -o "$OUT/$1/mlp.csv" --threads "$2" --quiet \
        >>"$OUT/$1/summary.txt"
    digests "$OUT/$1" >"$OUT/$1.sha256"
}

one first 1 7
one second 2 64
one third 2 1
for run in second third; do
    if ! diff "$OUT/first.sha256" "$OUT/$run.sha256"; then
        echo "reproduce: the first and the $run run differ" >&2
        exit 1
    fi
done
echo "reproduce: $(wc -l <"$OUT/first.sha256") files are the same to the byte in 3 runs (1, 2 and 2 threads; batch 7, 64 and 1)"
