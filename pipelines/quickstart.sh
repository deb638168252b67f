#!/bin/sh
# The whole job on embedded data: a sample data set, features, a head, metrics, models, predictions.
#   pipelines/quickstart.sh [FOLDER] [flags that every tool has, such as --threads 1]
# The programs are taken from $BIN (default target/release); $DEVICE says where the network runs (default auto).
# `make demo` is the same with file targets.
set -eu
BIN=${BIN:-target/release}
OUT=${1:-target/quickstart}
[ $# -eq 0 ] || shift
mkdir -p "$OUT"

"$BIN/make-sample" "$OUT/sample" --force
"$BIN/extract" "$OUT/sample" -o "$OUT/sample.features" --device "${DEVICE:-auto}" --force "$@"
"$BIN/fit-head" "$OUT/sample.features" -o "$OUT/sample.head" --force "$@"
"$BIN/evaluate" "$OUT/sample.features" "$OUT/sample.head" -o "$OUT/metrics.parquet" \
    --predictions "$OUT/predictions.parquet" --report "$OUT/report.html" --images "$OUT/sample" --force "$@"
"$BIN/export" "$OUT/sample.head" -o "$OUT/sample.onnx" --force "$@"
"$BIN/export" "$OUT/sample.head" -o "$OUT/sample.hst" --force "$@"
"$BIN/predict" "$OUT/sample.hst" "$OUT/sample" -o "$OUT/said.csv" --device "${DEVICE:-auto}" --force "$@"
