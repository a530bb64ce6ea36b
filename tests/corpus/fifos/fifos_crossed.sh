#!/bin/bash
# fifos_crossed.sh - two shells each open one FIFO to read before they would write to that of the other.
# SPDX-License-Identifier: MIT
# expect: stuck
# source: mawww/kakoune#4605, stackoverflow.com/questions/9475442 (why opening a FIFO blocks); the hanging twin of fifo_two_servers.sh
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkfifo "$folder/ask" "$folder/answer"
(read -r line <"$folder/ask" && echo "$line" >"$folder/answer") &
(read -r line <"$folder/answer" && echo "$line" >"$folder/ask") &
wait
