#!/usr/bin/env bash
# rings.sh - programs that write nonsense into the rings that they share with pptrace.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../lib.sh"

for backend in ${BACKENDS:-auto shim}; do
	begin "$backend: ${ROUNDS:-100} programs that scribble over their rings"
	for i in $(seq "${ROUNDS:-100}"); do
		rm -f s.db*
		LIMIT=30 run "$PPTRACE" run -q --backend="$backend" --on-deadlock=kill -o s.db "$PROGRAMS/forge" scribble "$((${SEED:-0} + i))"
		[ "$status" = 0 ] || fail "seed $i: status $status" "$(show)"
		grep -q '^forged$' out || fail "seed $i: output" "$(show)"
		[ "$(sql s.db 'PRAGMA integrity_check')" = ok ] || fail "seed $i: the file is not sound"
		[ "$(sql s.db 'SELECT complete, lost >= 0, typeof(lost) FROM trace')" = '1|1|integer' ] ||
			fail "seed $i: trace is $(sql s.db 'SELECT complete, lost, typeof(lost) FROM trace')"
		for command in "timeline -T txt -o -" diagnose; do
			# shellcheck disable=SC2086
			LIMIT=20 run "$PPTRACE" $command s.db
			[ "$status" -le 1 ] || fail "seed $i: $command: status $status" "$(show)"
		done
	done
	left=$(find /dev/shm -maxdepth 1 -name 'pptrace-arena-*' -newer "$PPTRACE" -user "$(id -u)" 2>/dev/null | while read -r f; do
		pid=${f#/dev/shm/pptrace-arena-}
		kill -0 "${pid%%-*}" 2>/dev/null || echo "$f"
	done)
	expect_eq "$left" "" "left behind"
	end
done
