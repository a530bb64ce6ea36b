#!/bin/bash
# fifo_kept_by_part.sh - a daemon takes orders from a FIFO, which the part of it that answers questions from another FIFO keeps open.
# SPDX-License-Identifier: MIT
# forbid: deadlock stuck
# all: stuck
# source: unix.stackexchange.com/questions/496810 (keeping a named pipe open), wiki.wooledge.org/BashFAQ/085
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkfifo "$folder/orders" "$folder/questions"
(exec 4>"$folder/orders" <"$folder/questions"; while read -r line; do echo "answer $line" >&4; done) &
exec <"$folder/orders" 4>"$folder/questions"
while read -r order; do
	echo "did $order"
done
