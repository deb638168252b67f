#!/bin/sh
# The classic tutorial: VGG16 without its top, frozen; global average pooling; dense 512 with ReLU; softmax; Adam;
# 10 epochs; validation.
#   pipelines/tutorial.sh FOLDER WEIGHTS [OUT]
# FOLDER holds a folder of images per class, with or without train/, val/ and test/ on top. WEIGHTS are Keras' own file
# (vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5), torchvision's or timm's. Pictures are prepared as that ecosystem does.
set -eu
if [ $# -lt 2 ]; then
    echo "usage: pipelines/tutorial.sh FOLDER WEIGHTS [OUT]" >&2
    exit 2
fi
BIN=${BIN:-target/release}
DATA=$1
WEIGHTS=$2
OUT=${3:-target/tutorial}
mkdir -p "$OUT"

"$BIN/extract" "$DATA" -o "$OUT/vgg16.features" --backbone vgg16 --tap gap --weights "$WEIGHTS" --force
"$BIN/fit-head" "$OUT/vgg16.features" -o "$OUT/vgg16.head" --head mlp:512 --epochs 10 --table "$OUT/epochs.csv" --force
"$BIN/evaluate" "$OUT/vgg16.features" "$OUT/vgg16.head" -o "$OUT/metrics.csv" --force
"$BIN/export" "$OUT/vgg16.head" -o "$OUT/vgg16.onnx" --weights "$WEIGHTS" --force
