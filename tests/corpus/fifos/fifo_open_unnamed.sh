#!/bin/bash
# fifo_open_unnamed.sh - a child of the script opens a FIFO, whose name is removed before anybody has opened the other side.
# SPDX-License-Identifier: MIT
# expect: stuck
# source: golang/go#33050, NagiosEnterprises/nagioscore#309
folder=$(mktemp -d)
mkfifo "$folder/jobs"
(exec cat "$folder/jobs") &
until [ "$(cat /proc/$!/wchan)" = wait_for_partner ]; do
	[ $((++tries)) -lt 2000 ] || exec echo "skip: the kernel does not say where threads sleep"
done
rm -r "$folder"
wait
