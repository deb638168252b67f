#!/bin/sh
# Makes docs/report.webp, the picture that opens README.md: the demo's report as Chromium shows it. `make picture` calls it.
set -eu
BIN=${BIN:-target/release}
OUT=${1:-target/picture}
CHROMIUM=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}
if [ -z "$CHROMIUM" ] || ! command -v cwebp >/dev/null; then
    echo "picture: skipped: no Chromium or no cwebp found"
    exit 0
fi
rm -rf "$OUT"
mkdir -p "$OUT"
"$BIN/make-sample" "$OUT/shapes"
"$BIN/extract" "$OUT/shapes" -o "$OUT/shapes.features" --device cpu --quiet
"$BIN/fit-head" "$OUT/shapes.features" -o "$OUT/shapes.head" --curve "$OUT/curve.csv" --quiet
"$BIN/evaluate" "$OUT/shapes.features" "$OUT/shapes.head" -o "$OUT/metrics.csv" --report "$OUT/report.html" \
    --images "$OUT/shapes" --quiet >/dev/null
"$CHROMIUM" --headless=new --no-sandbox --disable-gpu --hide-scrollbars --window-size=1280,1840 \
    --virtual-time-budget=8000 --screenshot="$OUT/report.png" "file://$PWD/$OUT/report.html" >/dev/null 2>&1
cwebp -quiet -q 80 -resize 960 0 "$OUT/report.png" -o docs/report.webp
echo "picture: docs/report.webp, $(wc -c <docs/report.webp) bytes"
