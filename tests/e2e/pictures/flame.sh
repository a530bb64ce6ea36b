#!/usr/bin/env bash
# flame.sh - a flame graph in a browser: as wide as the window, with mouse and keyboard.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"
. "$ROOT/tests/lib_browser.sh"

begin "a flame graph in a browser"
if [ -n "$no_browser" ]; then
	skip "$no_browser"
else
	fixture many
	run "$PPTRACE" flame -o many.svg many.db
	expect_status 0
	LIMIT=100 CHROMIUM=$chromium run node "$ROOT/tests/browser/flame.js" "$PWD/many.svg"
	expect_status 0
	[ ! -s out ] || fail "$(cat out)"
fi
end
