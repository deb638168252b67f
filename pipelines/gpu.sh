#!/usr/bin/env bash
# Everything that can only be checked on a card, and the figures that can only be taken there.
#
#     pipelines/gpu.sh kit            # builds it, in target/gpu-kit: needs Rust and nvcc, and no card
#     pipelines/gpu.sh check          # tests; each says 'skipped' without a card
#     pipelines/gpu.sh bench [FOLDER] # times, beside PyTorch where python3 has it; into FOLDER as well
#
# `make gpu-check` and `make gpu-bench` do the first and one of the others. A machine with a card needs no Rust: the kit is
# taken there as it is, and has this file. Photographs, weights and the peers' own script come from the folder that
# HEADSTART_SHARED names, else the kit's own folder shared/, else ../shared; what needs them says 'skipped' without.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$here/..
kit=$root/target/gpu-kit
[[ -x $here/deps/cards ]] && kit=$here
[[ -d $kit/shared ]] && export HEADSTART_SHARED=${HEADSTART_SHARED:-$kit/shared}
shared=${HEADSTART_SHARED:-$root/../shared}

build() { # KIND NAME: builds a test or benchmark with CUDA in it and says where it is
  local command=test
  [[ $1 == bench ]] && command=bench
  "${CARGO:-cargo}" $command --workspace --features headstart-extract/cuda "--$1" "$2" --no-run --message-format=json \
    $([[ $1 == test ]] && echo --release) | sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -1
}

make_kit() {
  cd "$root"
  rm -rf "$kit" && mkdir -p "$kit/deps"
  cp "$(build test cards)" "$kit/deps/cards"
  cp "$(build test gpu)" "$kit/deps/gpu"
  cp "$(build bench cards)" "$kit/bench-cards"
  # Those of `make cuda`, which these tests call.
  cp target/release/{extract,fit-head,evaluate} benches/peers/gpu.py benches/peers/gpu_end_to_end.py pipelines/gpu.sh "$kit"
}

case ${1:-} in
kit) make_kit ;;
check | bench) [[ -x $kit/deps/cards ]] || { echo "${0##*/}: no kit; run make gpu-kit first" >&2; exit 1; } ;;&
check)
  # One at a time: there is one card.
  "$kit/deps/cards" --nocapture --test-threads 1 real::
  "$kit/deps/gpu" --nocapture --test-threads 1
  ;;
bench)
  out=${2:-$kit/figures} python=${PYTHON:-python3}
  mkdir -p "$out"
  "$python" "$kit/gpu.py" --bench "$kit/bench-cards" --peers "$shared/bench/peers.py" --layers "$out/layers" \
    --json "$out/gpu.json" | tee "$out/gpu.txt"
  "$python" "$kit/gpu_end_to_end.py" "$shared/data/flowers" --extract "$kit/extract" --bench "$kit/bench-cards" |
    tee "$out/end_to_end.txt"
  ;;
*)
  echo "usage: ${0##*/} kit|check|bench [FOLDER]" >&2
  exit 2
  ;;
esac
