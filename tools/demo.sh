#!/bin/sh
# demo.sh - trace fork-count and draw it: what `make demo` shows.
# SPDX-License-Identifier: MIT
set -eu
cd "$(dirname "$0")/.."
out=build/demo
mkdir -p "$out"
say() { printf '\n$ %s\n' "$*"; "$@"; }
say build/pptrace run -o "$out/fork-count.db" build/demos/fork-count --delay 0.2
say build/pptrace tree -o "$out/fork-count-tree.svg" "$out/fork-count.db"
say build/pptrace timeline -o "$out/fork-count-timeline.svg" "$out/fork-count.db"
say build/pptrace tree -T txt "$out/fork-count.db"
say build/pptrace diagnose "$out/fork-count.db" || true
printf '\nThe pictures: %s/fork-count-tree.svg and %s/fork-count-timeline.svg\n' "$out" "$out"
