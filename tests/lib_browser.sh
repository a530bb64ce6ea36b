# lib_browser.sh - Chromium and its driver: chromium is its path; no_browser says why there is none, else it is empty.
# SPDX-License-Identifier: MIT
#
# Neither is needed to use pptrace, hence they are not among its packages.
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
no_browser=
[ -n "$chromium" ] || no_browser="no chromium here (apt-get install chromium)"
command -v node >/dev/null && command -v npm >/dev/null || no_browser="no node and npm here"
if [ -z "$no_browser" ] && [ ! -d "$ROOT/tests/browser/node_modules/playwright-core" ]; then
	(cd "$ROOT/tests/browser" && timeout 100 npm ci --no-audit --no-fund >"$TMP/npm" 2>&1) ||
		no_browser="npm ci failed: $(tail -1 "$TMP/npm")"
fi
