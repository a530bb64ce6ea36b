#!/bin/bash
# fifo_unnamed_piped.sh - a shell holds both sides of a FIFO whose name is gone, and waits for a pipeline that reads it to an end which never comes.
# SPDX-License-Identifier: MIT
# expect: deadlock
# source: lonkamikaze.github.io/2015/01/17/bin-sh-using-named-pipes-to-talk-to-your-main-process (a FIFO that is removed once it is open)
folder=$(mktemp -d)
mkfifo "$folder/lines"
exec 3<>"$folder/lines"
rm -r "$folder"
cat <&3 | cat
