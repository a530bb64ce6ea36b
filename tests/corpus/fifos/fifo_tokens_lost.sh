#!/bin/bash
# fifo_tokens_lost.sh - two jobs take turns with a token in a FIFO, as those of make do, and one of them loses it.
# SPDX-License-Identifier: MIT
# expect: stuck
# misses: why   who has written to the FIFO before is not known there: jobs that wait for orders look the same
# source: savannah.gnu.org/bugs/?57242 (a lost token of make's jobserver), ninja-build/ninja#2450 (a jobserver in a FIFO)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkfifo "$folder/tokens"
exec 3<>"$folder/tokens"
printf + >&3
job='exec 4<>"$1"; read -r -n1 -u4; printf + >&4; read -r -n1 -u4; read -r -n1 -u4'
bash -c "$job" job "$folder/tokens" &
bash -c "$job" job "$folder/tokens" &
wait
