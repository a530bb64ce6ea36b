#!/usr/bin/env bash
# verifier.sh - the kernel's verifier takes every eBPF program, and none is near its limit.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"

MOST=500000     # half of what the verifier accepts (BPF_COMPLEXITY_LIMIT_INSNS)
TOGETHER=100000 # all programs of the newest edition

begin "every program of the edition that this kernel uses is verified within half of the limit"
if [ "$(id -u)" != 0 ]; then skip "needs root"; else
	taken=
	for edition in casts plain old; do
		run "$BUILD/tests/kernels/insns" "$edition"
		expect_status 0
		expect_eq "$(awk -v most=$MOST '$3 > most && !/ refused: /' out)" "" "programs above the limit in $edition"
		grep -q ' refused: ' out || taken=${taken:-$edition}
		echo "# $edition: $(grep -c -v refused out) verified, $(grep -c refused out) refused, most: $(
			grep -v refused out | sort -k3 -n -r | head -n 1)"
	done
	[ -n "$taken" ] || fail "no edition is taken as a whole" "$(show)"
	[ "$(wc -l <out)" -gt 30 ] || fail "only $(wc -l <out) programs were tried"
fi
end

# Every recording waits for that; an instruction takes a processor about half a microsecond.
begin "what the verifier goes through before a recording on a new kernel begins is little"
if [ "$(id -u)" != 0 ]; then skip "needs root"; else
	run "$BUILD/tests/kernels/insns" casts
	if grep -q ' refused: ' out; then skip "this kernel takes an older edition"; else
		# Each program has two lines: with the bytes that are kept by default, and with many.
		n=$(awk '!seen[$2]++ { n += $3 } END { print n }' out)
		echo "# all programs: $n"
		[ "$n" -lt $TOGETHER ] || fail "$n instructions" "$(show)"
	fi
fi
end

begin "editions for older kernels are taken by newer ones too"
# They need no kernel function by name: its arguments might change.
if [ "$(id -u)" != 0 ]; then skip "needs root"; else
	run "$BUILD/tests/kernels/insns" old
	expect_eq "$(grep -c ' refused: ' out)" 0 "refused programs" || show
fi
end
