#!/usr/bin/env bash
# path.sh - pptrace path of recordings from the fixtures: text, JSON, SQL, picture, diagnose -v and the page.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../lib.sh"

begin "the steps fill the run, in text, JSON and SQL alike"
for name in deadlock-abba threads-mutex pipeline signals many hostile; do
	fixture $name
	run "$PPTRACE" path --json $name.db
	expect_status 0
	expect_eq "$(sqlite3 :memory: "SELECT count(*), sum(json_extract(value, '\$.end_ns') - json_extract(value, '\$.start_ns'))
		FROM json_each(readfile('out'), '\$.steps')")" \
		"$("$PPTRACE" query -f $name.db -T csv "SELECT count(*) || '|' || sum(end_ns - start_ns) AS n FROM critical_path" | tail -1)" "$name"
	expect_eq "$(sqlite3 :memory: "SELECT sum(json_extract(value, '\$.ns')) FROM json_each(readfile('out'), '\$.sums')")" \
		"$(sqlite3 :memory: "SELECT sum(json_extract(value, '\$.end_ns') - json_extract(value, '\$.start_ns')) FROM json_each(readfile('out'), '\$.steps')")" "$name: sums"
	steps=$(sqlite3 :memory: "SELECT json_array_length(readfile('out'), '\$.steps')")
	run "$PPTRACE" path --all $name.db
	expect_status 0
	expect_out "decided by $steps steps? through [0-9]+ threads?\$"
done
run "$PPTRACE" query -f pipeline.db critical-path
expect_status 0
expect_out 'forked by '
end

begin "nothing of a hostile recording reaches the terminal as it is, and lines fit"
run "$PPTRACE" path --all hostile.db
! LC_ALL=C grep -q $'[\x01-\x09\x0b-\x1f\x7f]' out || fail "a control character"
for width in 60 200; do
	run "$PPTRACE" path --all -w $width many.db
	[ "$(LC_ALL=C.UTF-8 wc -L <out)" -le $width ] || fail "lines wider than $width" "$(show)"
done
end

begin "nor does anything of findings that somebody forged, or of the words in them"
fixture deadlock-abba
cp deadlock-abba.db forged.db
sqlite3 forged.db "UPDATE finding SET summary = char(27) || '[2JA' || char(10) || char(8238), remedy = char(27) || 'B',
	explanation = 'C\x1b' || char(27) || '[31m'; UPDATE finding_member SET text = char(27) || 'D', thread_id = NULL;"
for options in "" -v --color=never; do
	# shellcheck disable=SC2086
	run "$PPTRACE" diagnose $options forged.db
	expect_status 1
	! LC_ALL=C grep -q $'[\x01-\x09\x0b-\x1f\x7f]' out || fail "a control character"
	! LC_ALL=C grep -q $'\xe2\x80\xae' out || fail "a character that turns a line around"
	expect_out '\\x1b\[2JA\\n'
	# What was made printable once is not made so again.
	expect_out 'C\\x1b\\x1b\[31m'
done
end

begin "the picture has the threads of the path alone, the timeline all of them"
run "$PPTRACE" path -o p.svg pipeline.db
expect_status 0
run "$PPTRACE" timeline --path -o t.svg pipeline.db
run "$PPTRACE" timeline -o plain.svg pipeline.db
grep -q 'class="node path"' p.svg || fail "no path in the picture"
grep -q 'class="node path"' t.svg || fail "no path in the timeline"
! grep -q 'class="node path"' plain.svg || fail "a path that was not asked for"
grep -q 'critical path' t.svg || fail "the legend does not explain it"
end

begin "diagnose -v says where the time went, and the page has the path"
run "$PPTRACE" diagnose -v pipeline.db
expect_out '^[Ww]here the .* from start to end went: [0-9]+% '
run "$PPTRACE" diagnose pipeline.db
! grep -q "from start to end went" out || fail "without -v too"
run "$PPTRACE" report -o page.html pipeline.db
grep -Eq 'path("|&quot;|&#34;):\[\[' page.html || fail "no path in the page"
grep -q 'id="path">Where the .* from start to end went' page.html || fail "no sentence in the page"
end

begin "mistakes"
run "$PPTRACE" path pipeline.db more.db
expect_status 2
run "$PPTRACE" path -T nonsense pipeline.db
expect_status 2
run "$PPTRACE" path nowhere.db
expect_status 1
end
