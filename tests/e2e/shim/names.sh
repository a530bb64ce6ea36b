#!/usr/bin/env bash
# names.sh - each wrapper calls the next function of its own name: other preload libraries stay in the way.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"

# What the program printed and which functions of the library it reached. Signal handlers of whatever name are set
# by sigaction, which alone tells a handler who sent the signal.
answers()
{
	sed 's/ [_a-z]*sysv_signal\>//g' "$1"
}

for order in "" -DREVERSED; do
	${CC:-cc} -shared -fPIC -O1 -D_GNU_SOURCE $order -o "$TMP/crossed$order.so" "$ROOT/tests/e2e/shim/crossed.c" -ldl ||
		exit 1

	begin "two names for one function: a library in which one calls the other ${order:-(first the second)}"
	LD_PRELOAD="$TMP/crossed$order.so" run "$PROGRAMS/twin_names" file
	expect_status 0
	expect_out '^called .*open64.*wait'
	answers "$TMP/out" >alone
	for mode in $(shim_modes); do
		LD_PRELOAD="$TMP/crossed$order.so" run "$PPTRACE" run -q $mode -o names.db "$PROGRAMS/twin_names" file
		expect_status 0
		expect_eq "$(answers "$TMP/out")" "$(<alone)"
		LD_PRELOAD="$TMP/crossed$order.so" run "$PPTRACE" run -q $mode --locks=off -o names.db "$PROGRAMS/twin_names" file
		expect_status 0
		expect_eq "$(answers "$TMP/out")" "$(<alone)"
	done
	expect_sql names.db "SELECT lost FROM trace" 0
	end
done
