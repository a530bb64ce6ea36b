#!/bin/bash
# dash_waits.sh - dash, which has a trap, waits for a child that reads to its end what dash itself has open.
# SPDX-License-Identifier: MIT
# expect: stuck deadlock
# source: unix.stackexchange.com/questions/207487, with the wait of dash, which sleeps until a signal comes
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkfifo "$folder/lines"
dash -c 'trap "echo interrupted" INT; exec 3<>"$1"; cat <&3 & wait' dash "$folder/lines"
