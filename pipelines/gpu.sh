#!/usr/bin/env bash
# Everything that can only be checked on a card, and the figures that can only be taken there.
#
#     pipelines/gpu.sh kit            # builds it, in target/gpu-kit: needs Rust and nvcc, and no card
#     pipelines/gpu.sh check          # tests; each says 'skipped' without a card
#     pipelines/gpu.sh bench [FOLDER] # times, beside PyTorch where python3 has it; into FOLDER as well
#
# `make gpu-check` and `make gpu-bench` do the first and one of the others. A machine with a card needs no Rust: the kit is
# taken there as it is, and has this file; its glibc must not be older than the building machine's. Photographs, weights and
# the peers' own script come from the folder that HEADSTART_SHARED names, else the kit's own folder shared/, else ../shared
# beside the repository; what needs them says 'skipped' without. HEADSTART_ROWS=resnet checks only the networks of that name.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [[ -x $here/deps/cards ]]; then
  root='' kit=$here
else
  root=$(dirname "$here") kit=$(dirname "$here")/target/gpu-kit
fi
shared=${HEADSTART_SHARED:-}
for folder in "$kit/shared" "$root/../shared"; do [[ -z $shared && -d $folder ]] && shared=$folder; done
export HEADSTART_SHARED=${shared:-/nowhere}

build() { # KIND NAME: builds a test or benchmark with CUDA in it and says where it is
  local command=(test --release)
  [[ $1 == bench ]] && command=(bench)
  "${CARGO:-cargo}" "${command[@]}" --workspace --features headstart-extract/cuda "--$1" "$2" --no-run --message-format=json |
    sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -1
}

make_kit() {
  [[ -n $root ]] || { echo "${0##*/}: this is a kit already" >&2; exit 2; }
  cd "$root"
  "${CARGO:-cargo}" build --release --features headstart-extract/cuda
  mkdir -p "$kit/deps"
  local name
  for name in card cards gpu; do cp "$(build test $name)" "$kit/deps/$name"; done
  cp "$(build bench cards)" "$kit/bench-cards"
  cp target/release/{extract,fit-head,evaluate} benches/peers/gpu.py benches/peers/gpu_end_to_end.py pipelines/gpu.sh "$kit"
}

check() {
  local name failed=()
  # Here the programs must have CUDA in them.
  export HEADSTART_HAS_CUDA=1
  # One at a time: there is one card. All of them, whatever fails.
  for name in card cards gpu; do
    local tests=()
    [[ $name == cards ]] && tests=(real::)
    "$kit/deps/$name" --nocapture --test-threads 1 "${tests[@]}" || failed+=("$name")
  done
  ((${#failed[@]} == 0)) || { echo "${0##*/}: failed: ${failed[*]}" >&2; exit 1; }
}

bench() {
  local out=${1:-$kit/figures} python=${PYTHON:-python3}
  mkdir -p "$out"
  "$python" "$kit/gpu.py" --bench "$kit/bench-cards" --peers "$HEADSTART_SHARED/bench/peers.py" --layers "$out/layers" \
    --json "$out/gpu.json" | tee "$out/gpu.txt"
  "$python" "$kit/gpu_end_to_end.py" "$HEADSTART_SHARED/data/flowers" --extract "$kit/extract" --bench "$kit/bench-cards" |
    tee "$out/end_to_end.txt"
}

case ${1:-} in
kit) make_kit ;;
check | bench)
  [[ -x $kit/deps/cards ]] || { echo "${0##*/}: no kit; run make gpu-kit first" >&2; exit 1; }
  "$@"
  ;;
*)
  echo "usage: ${0##*/} kit|check|bench [FOLDER]" >&2
  exit 2
  ;;
esac
