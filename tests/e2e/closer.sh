#!/bin/bash
# closer.sh - before a live verdict is spoken, stacks and buffers of what is stuck are read.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../lib.sh"

for backend in $(backends); do
	begin "$backend: run says where both wait and what was never flushed"
	run "$PPTRACE" run --backend="$backend" -o "$TMP/$backend.db" --on-deadlock=kill \
		"$PROGRAMS/stuck" pipes
	expect_status 124
	expect_err 'reads from the empty pipe .*stuck.c:[0-9]+ \(mode_pipes\)'
	run "$PPTRACE" diagnose "$TMP/$backend.db"
	expect_status 1
	expect_out 'unflushed-output: stuck.* has 23 unwritten bytes'
	expect_sql "$TMP/$backend.db" "SELECT count(*), min(pending), max(pending) FROM stdio
		WHERE at = 'stuck'" "2|23|23"
	end
done
