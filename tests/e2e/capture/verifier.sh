#!/usr/bin/env bash
# verifier.sh - the kernel's verifier takes every eBPF program, and none is near its limit.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"

MOST=500000 # half of what the verifier accepts (BPF_COMPLEXITY_LIMIT_INSNS)

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

begin "editions for older kernels are taken by newer ones too"
# They need no kernel function by name: its arguments might change.
if [ "$(id -u)" != 0 ]; then skip "needs root"; else
	run "$BUILD/tests/kernels/insns" old
	expect_eq "$(grep -c ' refused: ' out)" 0 "refused programs" || show
fi
end
