#!/bin/bash
# fifo_fed_back.sh - a shell reads from a FIFO the answers of a program to which it prints, and both wait for the first line.
# SPDX-License-Identifier: MIT
# expect: stuck
# source: unix.stackexchange.com/questions/53641 (a bidirectional pipe from a FIFO); the hanging twin of fifo_logged.sh
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkfifo "$folder/answers"
exec 3<>"$folder/answers"
while read -r -u 3 answer; do
	echo "what of $answer"
done | tr a b >"$folder/answers"
