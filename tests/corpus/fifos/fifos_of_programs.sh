#!/bin/bash
# fifos_of_programs.sh - a shell has started two programs that take orders from a FIFO each, and keep that of the other open.
# SPDX-License-Identifier: MIT
# forbid: deadlock stuck
# all: stuck
# source: beave/sagan#16 (a service that reads a FIFO); the healthy twin of fifo_looped.sh
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkfifo "$folder/orders" "$folder/reports"
serve='exec 4<>"$2" <"$1" 5>"$2" 4>&-; while read -r line; do echo "$line" >&5; done'
bash -c "$serve" serve "$folder/orders" "$folder/reports" &
bash -c "$serve" serve "$folder/reports" "$folder/orders" &
wait
