#!/bin/sh
# What a table of labelled sentences is worth: features, a head, metrics with a report, one file to use, and its answers.
#   pipelines/sentiment.sh DATA.csv [OUT] [flags that every tool has, such as --threads 1]
# DATA.csv has the columns `text` and `label`; TEXT and LABEL name others. A column `split` is kept, else splits are drawn.
# WEIGHTS is the folder of a sentence encoder, or its address, such as hf://sentence-transformers/all-MiniLM-L6-v2. Without it,
# the embedded table of words is used. The programs are taken from $BIN (default target/release).
set -eu
if [ $# -lt 1 ]; then
    echo "usage: pipelines/sentiment.sh DATA.csv [OUT]" >&2
    exit 2
fi
BIN=${BIN:-target/release}
DATA=$1
OUT=${2:-target/sentiment}
shift
[ $# -eq 0 ] || shift
mkdir -p "$OUT"

"$BIN/extract" "$DATA" -o "$OUT/texts.features" --text-column "${TEXT:-text}" ${WEIGHTS:+--weights "$WEIGHTS"} --force "$@"
"$BIN/fit-head" "$OUT/texts.features" -o "$OUT/texts.head" --target-columns "${LABEL:-label}" --force "$@"
"$BIN/evaluate" "$OUT/texts.features" "$OUT/texts.head" -o "$OUT/metrics.csv" --report "$OUT/report.html" --force "$@"
"$BIN/export" "$OUT/texts.head" -o "$OUT/texts.hst" ${WEIGHTS:+--weights "$WEIGHTS"} --force "$@"
"$BIN/predict" "$OUT/texts.hst" "$DATA" -o "$OUT/predictions.csv" --text-column "${TEXT:-text}" --force "$@"
