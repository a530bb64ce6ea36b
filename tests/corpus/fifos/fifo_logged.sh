#!/bin/bash
# fifo_logged.sh - a shell takes its orders from a FIFO of which it holds both sides, and what it prints goes through a pipeline.
# SPDX-License-Identifier: MIT
# forbid: deadlock stuck
# all: stuck
# source: unix.stackexchange.com/questions/496810 (keeping a named pipe open); the healthy twin of fifo_handed_down.sh and fifo_fed_back.sh
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkfifo "$folder/orders"
exec 3<>"$folder/orders"
while read -r -u 3 order; do
	echo "did $order"
done | tr a-z A-Z | cat >"$folder/log"
