#!/bin/bash
# fifo_unnamed_fed.sh - a FIFO whose name has been removed is read; another child of the script has it open, and takes its time.
# SPDX-License-Identifier: MIT
# forbid: deadlock stuck
# source: the healthy twin of fifo_unnamed.sh
folder=$(mktemp -d)
mkfifo "$folder/jobs"
exec 3<>"$folder/jobs"
(read -r -u 3) &
(sleep 600; echo >&3) &
rm -r "$folder"
wait
