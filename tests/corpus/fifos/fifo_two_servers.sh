#!/bin/bash
# fifo_two_servers.sh - two parts of a service take their orders from a FIFO each, and rest until somebody opens one.
# SPDX-License-Identifier: MIT
# forbid: deadlock
# source: beave/sagan#16; the healthy twin of fifos_crossed.sh, which looks the same: it may be shown, and is not certain
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkfifo "$folder/orders" "$folder/queries"
serve()
{
	while read -r order <"$1"; do
		echo "did $order"
	done
}
serve "$folder/orders" &
serve "$folder/queries" &
wait
