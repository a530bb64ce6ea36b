#!/bin/bash
# fifo_both_sides.sh - a shell holds both sides of its FIFO, so that it never sees an end, and takes its orders from there.
# SPDX-License-Identifier: MIT
# forbid: deadlock stuck
# all: stuck
# source: unix.stackexchange.com/questions/496810 (keeping a named pipe open); the healthy twin of fifo_handed_down.sh
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkfifo "$folder/orders"
exec 3<>"$folder/orders"
while read -r -u 3 order; do
	echo "did $order"
done
