# report.sh - the page of pptrace report, in a browser.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"
. "$ROOT/tests/lib_browser.sh"

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

begin "a page of wide names"
cp deadlock-abba.db wide.db
sqlite3 wide.db "UPDATE process SET name = 'WWWWWWWWWWWWWWWWWWWW'; UPDATE thread SET entry_site_id = NULL, name = CASE id % 2 WHEN 0 THEN 'WMWMWMWMWMWMWMW' ELSE '日本語の名前日本語の名前日本語の名前' END;
	INSERT INTO frame(stack_id, depth, site_id) SELECT id, 1, site_id FROM wait WHERE site_id IS NOT NULL
	UNION ALL SELECT w.id, 0, min(s.id) FROM wait w JOIN site s ON s.id <> w.site_id GROUP BY 1;
	UPDATE wait SET stack_id = id WHERE id IN (SELECT stack_id FROM frame)"
run "$PPTRACE" report -o wide.html wide.db
expect_status 0
end

begin "pages of real runs: make -j2, and a loop of 2,000 processes"
printf 'all: a b\na:\n\t@sleep 0.1\nb: c\n\t@sleep 0.3\nc:\n\t@sleep 0.2\n' >Makefile
run "$PPTRACE" run -o make.db make -s -j2
expect_status 0
run "$PPTRACE" run -o loop.db bash -c 'for ((i = 0; i < 2000; i++)); do /bin/true; done'
expect_status 0
for name in make loop; do
	run "$PPTRACE" report -o $name.html $name.db
	expect_status 0
done
end

begin "a page of 10 million holds: written in 3 s of processor time, at most 10 MB"
fixture threads-mutex
sqlite3 threads-mutex.db "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; DELETE FROM lock_hold;
	UPDATE process SET end_ns = 10000000000; UPDATE thread SET end_ns = 10000000000; UPDATE trace SET duration_ns = 10000000000;
	WITH RECURSIVE c(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM c WHERE i < 9999999)
	INSERT INTO lock_hold(lock_id, thread_id, acquire_ns, release_ns) SELECT 1, 1 + i % 4, i * 1000, i * 1000 + 600 FROM c;
	INSERT OR REPLACE INTO setting VALUES ('lane_ns', 1000000);
	INSERT OR REPLACE INTO lane SELECT 1 + b % 4, b / 4, 400000, 0, 700 FROM
	(WITH RECURSIVE c(b) AS (VALUES (0) UNION ALL SELECT b + 1 FROM c WHERE b < 39999) SELECT b FROM c);
	UPDATE lock_hold SET acquire_ns = 3000000000 WHERE id = 5000000" >/dev/null
expect_sql threads-mutex.db "SELECT count(*) FROM lock_hold" 10000000
run bash -c 'ulimit -t 3; exec "$@"' bash "$PPTRACE" report -o large.html threads-mutex.db
expect_status 0
[ "$(stat -c %s large.html)" -le 10000000 ] || fail "$(stat -c %s large.html) bytes"
# The one that lasted is not lost in the sums of the others.
grep -q 'from 3.00 s to 5.00 s: 2.00 s' large.html || fail "a long hold is not in the still timeline"
run "$PPTRACE" timeline --since 2.9 --until 5.1 -o - threads-mutex.db
expect_out 'from 3.00 s to 5.00 s: 2.00 s'
rm -f threads-mutex.db
end

begin "a page of 2.5 million waits: the table is read once, in 4 s of processor time or nine times what one query takes"
fixture threads-mutex
sqlite3 threads-mutex.db "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; DELETE FROM wait;
	UPDATE process SET end_ns = 10000000000; UPDATE thread SET end_ns = 10000000000; UPDATE trace SET duration_ns = 10000000000;
	WITH RECURSIVE c(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM c WHERE i < 2499999)
	INSERT INTO wait(thread_id, start_ns, end_ns, reason, lock_id, waker_id, mode)
	SELECT 1 + i % 4, i * 4000, i * 4000 + 1500 + i % 1000, 'lock', 1, 1 + (i + 1) % 4, 'x' FROM c" >/dev/null
# Machines differ: what one query takes that reads and sorts the table says how fast this one is. Measured: five to
# six times that, the kernel's time for pages counted; three times as much before its parts shared one reading.
times=$( (TIMEFORMAT='%U %S'; time sqlite3 threads-mutex.db "SELECT thread_id, sum(end_ns - start_ns) FROM wait GROUP BY thread_id" >/dev/null) 2>&1)
limit=$(awk '{ printf "%d", ($1 + $2) * 9 + 1 }' <<<"$times")
run bash -c 'ulimit -t "$0"; exec "$@"' $((limit > 4 ? limit : 4)) "$PPTRACE" report -o waits.html threads-mutex.db
expect_status 0
[ "$(stat -c %s waits.html)" -le 10000000 ] || fail "$(stat -c %s waits.html) bytes"
rm -f threads-mutex.db waits.html
end

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

begin "the page in a browser"
if [ -n "$no_browser" ]; then
	skip "$no_browser"
else
	LIMIT=300 CHROMIUM=$chromium run node "$ROOT/tests/browser/report.js" \
		"$TMP/deadlock-abba.html" "$TMP/hostile.html" "$TMP/many.html" "$TMP/make.html" "$TMP/loop.html" "$TMP/large.html" "$TMP/wide.html"
	expect_status 0
	grep -q '^1\.\.27' out || fail "it did not end" "$(show)"
	! grep -q '^not ok' out || fail "$(grep -A9 '^not ok' out)"
fi
end
