#!/bin/bash
# fifo_server_logged.sh - a daemon rests in opening its FIFO, and all that it prints goes to a program that it has started.
# SPDX-License-Identifier: MIT
# forbid: deadlock stuck
# all: stuck
# source: stackoverflow.com/questions/3173131 (redirecting the output of a whole script within the script itself), beave/sagan#16
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkfifo "$folder/orders"
exec > >(cat >"$folder/log")
while read -r order <"$folder/orders"; do
	echo "did $order"
done
