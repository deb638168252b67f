#!/bin/sh
# Runs the peers' checks: `light` needs Pillow, numpy, scikit-learn, cleanlab, onnx, onnxruntime, polars and pyarrow; `torch` needs PyTorch
# too, `keras` needs requirements-keras.txt. `gluon` needs requirements-gluon.txt, in a virtual environment of its own: GLUON names its Python.
set -eu
PYTHON=.venv/bin/python
case ${1:-} in
light)
    cargo build --quiet --release --workspace --examples
    $PYTHON tests/peers/preprocess.py
    $PYTHON tests/peers/augment.py
    $PYTHON tests/peers/metrics.py
    $PYTHON tests/peers/head.py
    $PYTHON tests/peers/onnx_model.py
    $PYTHON tests/peers/onnx_export.py
    $PYTHON tests/peers/suspects.py
    $PYTHON tests/peers/rows.py
    $PYTHON tests/peers/protocols.py
    ;;
torch)
    cargo build --quiet --release --workspace --examples
    $PYTHON tests/peers/attention.py
    $PYTHON tests/peers/gradients.py
    $PYTHON tests/peers/tune.py
    $PYTHON tests/peers/checkpoints.py
    $PYTHON tests/peers/accuracy.py
    $PYTHON tests/peers/fast.py
    $PYTHON tests/peers/fetch.py
    $PYTHON tests/peers/loads.py
    $PYTHON tests/peers/sources.py
    $PYTHON tests/peers/hf.py
    $PYTHON tests/peers/hf_texts.py
    $PYTHON tests/peers/texts.py
    $PYTHON tests/peers/tables.py
    $PYTHON tests/peers/onnx_import.py
    ;;
keras)
    $PYTHON tests/peers/keras_files.py
    $PYTHON tests/peers/keras_export.py
    ;;
gluon)
    GLUON=${GLUON:-.venv/gluon/bin/python}
    if ! "$GLUON" -c 'import mxnet' 2>/dev/null; then
        echo "skipped: mxnet cannot be imported by $GLUON; see tests/peers/README.md"
        exit 0
    fi
    cargo build --quiet --release --workspace --examples
    "$GLUON" tests/peers/gluon.py
    ;;
*)
    echo "usage: tests/peers/run.sh light|torch|keras|gluon" >&2
    exit 2
    ;;
esac
