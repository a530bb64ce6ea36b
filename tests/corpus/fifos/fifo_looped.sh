#!/bin/bash
# fifo_looped.sh - what a pipeline reads from a FIFO it writes there itself, and nothing is in it at the beginning.
# SPDX-License-Identifier: MIT
# expect: stuck
# source: unix.stackexchange.com/questions/53641 (a bidirectional pipe from a FIFO); the hanging twin of fifos_of_programs.sh
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkfifo "$folder/loop"
cat <"$folder/loop" | tr a b >"$folder/loop"
