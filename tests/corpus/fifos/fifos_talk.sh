#!/bin/bash
# fifos_talk.sh - two processes have a FIFO for each direction, and each reads first.
# SPDX-License-Identifier: MIT
# expect: stuck
# source: mawww/kakoune#4605; the hanging twin of fifo_two_parts.sh, which looks the same
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkfifo "$folder/ask" "$folder/answer"
(exec 4>"$folder/answer" <"$folder/ask"; read -r line && echo "$line" >&4) &
(exec <"$folder/answer" 4>"$folder/ask"; read -r line && echo "$line" >&4) &
wait
