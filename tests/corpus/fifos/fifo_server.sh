#!/bin/bash
# fifo_server.sh - a daemon takes its orders from a FIFO, and rests in opening it until somebody comes.
# SPDX-License-Identifier: MIT
# forbid: deadlock stuck
# all: stuck
# source: beave/sagan#16, nguyenyou/scalex#318
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkfifo "$folder/orders"
while read -r order <"$folder/orders"; do
	echo "did $order"
done
