#!/bin/bash
# fifo_two_parts.sh - two parts of a service keep each other's FIFO open, and rest until somebody from outside writes to one.
# SPDX-License-Identifier: MIT
# forbid: deadlock
# source: wiki.wooledge.org/BashFAQ/085 (a FIFO is kept open so that readers see no end); the healthy twin of fifos_talk.sh
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkfifo "$folder/orders" "$folder/reports"
(exec 4>"$folder/reports" <"$folder/orders"; while read -r line; do echo "$line" >&4; done) &
(exec <"$folder/reports" 4>"$folder/orders"; while read -r line; do echo "did $line"; done) &
wait
