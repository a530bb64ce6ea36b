# report.sh - the page of pptrace report, in a browser.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"

for name in deadlock-abba hostile many; do
	{
		echo "PRAGMA application_id = $((0x70707472)); PRAGMA user_version = 1; BEGIN;"
		cat "$ROOT"/schema/sql/schema.sql "$ROOT"/schema/sql/views.sql "$ROOT"/schema/sql/wait_for.sql \
			"$ROOT/tests/fixtures/$name.sql"
		echo "COMMIT;"
	} | sqlite3 -bail "$name.db"
	begin "a page of $name"
	run "$PPTRACE" report -o "$name.html" "$name.db"
	expect_status 0
	grep -q "default-src 'none'" "$name.html" || fail "no Content-Security-Policy"
	! grep -Eq '(src|href)="?(https?:|//)|@import|url\([^#]' "$name.html" || fail "it fetches something"
	end
done

begin "no page over a symbolic link, into nowhere, or on a full disk"
ln -s /nowhere/at/all link.html
run "$PPTRACE" report -o link.html many.db
expect_status 1
expect_err 'symbolic link'
run "$PPTRACE" report -o nowhere/x.html many.db
expect_status 1
expect_err 'No such file'
run "$PPTRACE" report -o /dev/full many.db
expect_status 1
expect_err 'No space left'
end

# The browser and its driver are not needed to use pptrace, hence not among its packages.
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
why=
[ -n "$chromium" ] || why="no chromium here (apt-get install chromium)"
command -v node >/dev/null && command -v npm >/dev/null || why="no node and npm here"
if [ -z "$why" ] && [ ! -d "$ROOT/tests/browser/node_modules/playwright-core" ]; then
	(cd "$ROOT/tests/browser" && timeout 100 npm ci --no-audit --no-fund >"$TMP/npm" 2>&1) ||
		why="npm ci failed: $(tail -1 "$TMP/npm")"
fi
begin "the page in a browser"
if [ -n "$why" ]; then
	skip "$why"
else
	LIMIT=150 CHROMIUM=$chromium run node "$ROOT/tests/browser/report.js" \
		"$TMP/deadlock-abba.html" "$TMP/hostile.html" "$TMP/many.html"
	expect_status 0
	grep -q '^1\.\.10' out || fail "it did not end" "$(show)"
	! grep -q '^not ok' out || fail "$(grep -A9 '^not ok' out)"
fi
end
