#!/bin/bash
# fifo_unnamed.sh - a FIFO whose name has been removed is read by a child of the script, which alone could write to it and waits for the child.
# SPDX-License-Identifier: MIT
# expect: deadlock
# source: lonkamikaze.github.io/2015/01/17/bin-sh-using-named-pipes-to-talk-to-your-main-process (a FIFO that is removed once it is open)
folder=$(mktemp -d)
mkfifo "$folder/jobs"
exec 3<>"$folder/jobs"
(read -r -u 3) &
rm -r "$folder"
wait
