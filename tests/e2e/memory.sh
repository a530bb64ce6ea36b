#!/usr/bin/env bash
# memory.sh - how much memory pptrace takes.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../lib.sh"

for backend in ${BACKENDS:-$(backends)}; do

begin "$backend: rings take little memory while a program is quiet"
run "$PPTRACE" run --backend=$backend -o memory.db sh -c 'sleep 0.5; grep RssShmem /proc/$PPID/status'
expect_status 0
kb=$(awk '{print $2}' out)
[ "${kb:-99999}" -le 8192 ] || fail "$kb kB of shared memory" "$(show)"
end

done
