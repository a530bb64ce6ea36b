#!/bin/bash
# fifo_handed_down.sh - a shell holds both sides of a FIFO, and waits for a pipeline that reads it to an end which never comes.
# SPDX-License-Identifier: MIT
# expect: stuck deadlock
# source: unix.stackexchange.com/questions/207487 (why a script with a FIFO does not terminate)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkfifo "$folder/lines"
exec 3<>"$folder/lines"
cat <&3 | cat
