#!/bin/bash
# fifo_open_second.sh - a child of the script opens a FIFO, whose name is removed; another one will open it by its second name.
# SPDX-License-Identifier: MIT
# forbid: deadlock stuck
# source: the healthy twin of fifo_open_unnamed.sh
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkfifo "$folder/jobs"
ln "$folder/jobs" "$folder/second"
(exec cat "$folder/jobs") &
(sleep 600; echo >"$folder/second") &
rm "$folder/jobs"
wait
