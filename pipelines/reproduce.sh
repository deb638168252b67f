#!/bin/sh
# Runs the quickstart three times, on 1, 2 and 2 threads, with other batches and instruction sets, and fails unless every
# artefact is the same to the byte. An MLP head is fitted each time as well. Then compares the pictures and features with
# the digests that every machine must reproduce, pipelines/quickstart.lock. (Heads are the same wherever the matrix library
# cuts its products alike, so they are not in there.) All on the CPU: a card's bits are its own. `LOCK=new` writes that
# file: for a change that is meant to change bits. A new schema changes the files of features, and not their values (.npy).
set -eu
BIN=${BIN:-target/release}
OUT=${1:-target/reproduce}
rm -rf "$OUT"

digests() { (cd "$1" && find . -type f | LC_ALL=C sort | xargs sha256sum); }

one() { # NAME THREADS BATCH ISA
    mkdir -p "$OUT/$1"
    BIN=$BIN DEVICE=cpu pipelines/quickstart.sh "$OUT/$1" --threads "$2" --quiet >"$OUT/$1/summary.txt"
    "$BIN/extract" "$OUT/$1/sample" -o "$OUT/$1/layer3.features" --tap layer3 --device cpu --threads "$2" --batch "$3" $4 \
        --quiet
    for features in sample layer3; do
        "$BIN/export" "$OUT/$1/$features.features" -o "$OUT/$1/$features.npy" --quiet
    done
    "$BIN/fit-head" "$OUT/$1/sample.features" -o "$OUT/$1/mlp.head" --head mlp:64 --dropout 0.2 --threads "$2" --quiet
    "$BIN/evaluate" "$OUT/$1/sample.features" "$OUT/$1/mlp.head" -o "$OUT/$1/mlp.csv" --threads "$2" --quiet \
        >>"$OUT/$1/summary.txt"
    digests "$OUT/$1" >"$OUT/$1.sha256"
}

one first 1 7 ""
one second 2 64 "--isa portable"
one third 2 1 ""
for run in second third; do
    if ! diff "$OUT/first.sha256" "$OUT/$run.sha256"; then
        echo "reproduce: the first and the $run run differ" >&2
        exit 1
    fi
done
locked() { # What every machine must reproduce: all pictures as one digest, each file of features, and their values alone.
    echo "$(grep ' ./sample/' "$OUT/first.sha256" | sha256sum | cut -d ' ' -f 1)  sample"
    grep -e '\.features/' -e '\.npy$' "$OUT/first.sha256"
}
LOCKED=pipelines/quickstart.lock
[ "${LOCK:-}" != new ] || locked >"$LOCKED"
if ! locked | diff "$LOCKED" -; then
    echo "reproduce: this machine does not give the bytes of $LOCKED" >&2
    exit 1
fi
echo "reproduce: $(wc -l <"$OUT/first.sha256") files are the same to the byte in 3 runs (1, 2 and 2 threads; batch 7, 64 and 1; best and portable instructions), $(wc -l <"$LOCKED") as locked"
