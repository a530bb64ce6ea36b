#!/bin/bash
# fifo_jobs_idle.sh - two jobs take orders from a FIFO to which others write, and have nothing to do.
# SPDX-License-Identifier: MIT
# forbid: deadlock stuck
# all: stuck
# source: the healthy twin of fifo_tokens_lost.sh
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkfifo "$folder/orders"
exec 3<>"$folder/orders"
job='exec 4<>"$1"; while read -r -u4 order; do echo "did $order"; done'
bash -c "$job" job "$folder/orders" &
bash -c "$job" job "$folder/orders" &
wait
