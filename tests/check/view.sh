# view.sh - pictures of fixture databases, compared byte for byte with what is expected.
# SPDX-License-Identifier: MIT
#
# tests/fixtures/NAME.sql is loaded after the schema; tests/expect/NAME/COMMAND.FORMAT is what
# `pptrace COMMAND -T FORMAT` must answer. UPDATE=1 writes the answers there: look at the diff.
. "$(dirname "$0")/../lib.sh"
export TZ=UTC COLUMNS=100

for want in "$ROOT"/tests/expect/*/*.*; do
	IFS=/. read -r name command format <<<"${want#"$ROOT/tests/expect/"}"
	begin "$name $command -T $format"
	[ -e "$name.db" ] || fixture "$name" || fail "the fixture cannot be loaded"
	run "$PPTRACE" "$command" -T "$format" -o - "$name.db"
	expect_status 0
	[ "${UPDATE:-}" != 1 ] || cp out "$want"
	cmp -s out "$want" || fail "$(diff "$want" out | head -30)"
done

begin "hostile names stay text in every format"
command -v xmllint >/dev/null || skip "xmllint is not installed"
[ -e hostile.db ] || fixture hostile
for command in tree timeline waits locks pipes; do
	run "$PPTRACE" "$command" -T svg -o - hostile.db
	expect_status 0
	! grep -q '<script\|<img\|onerror="' out || fail "$command: markup came through"
	xmllint --noout out 2>err || fail "$command: not XML" "$(head -3 err)"
	run "$PPTRACE" "$command" -T txt -o - --color=never hostile.db
	! LC_ALL=C grep -q $'[\001-\010\013-\037\177]' out || fail "$command: control characters in txt"
	iconv -f UTF-8 -t UTF-8 out >/dev/null 2>err || fail "$command: txt is not UTF-8"
done
end

begin "a flame graph: hostile names stay text, and what the file says is all that it runs"
command -v xmllint >/dev/null || skip "xmllint is not installed"
for name in hostile deadlock-abba many; do
	[ -e $name.db ] || fixture $name
	run "$PPTRACE" flame -o - $name.db
	expect_status 0
	xmllint --noout out 2>err || fail "$name: not XML" "$(head -3 err)"
	expect_eq "$(grep -c '<script>' out)" 1
	! grep -q '<img\|onerror="' out || fail "$name: markup came through"
	run "$PPTRACE" export -T folded $name.db
	expect_status 0
	! LC_ALL=C grep -Evq '^[^;]+(;[^;]+)*;\[[^;]+\] [0-9]+$' out || fail "$name: not folded" "$(head -3 out)"
	! LC_ALL=C grep -q $'[\001-\010\013-\037\177]' out || fail "$name: control characters"
done
end

begin "a symbolic link at the output is not followed"
[ -e fork-count.db ] || fixture fork-count
echo precious >target
ln -s target link.svg
run "$PPTRACE" tree -o link.svg fork-count.db
expect_status 1
expect_err 'cannot write link.svg: it is a symbolic link'
expect_eq "$(cat target)" precious
end

begin "the format follows the name of the output"
run "$PPTRACE" tree -o x.png fork-count.db
expect_status 0
expect_eq "$(head -c 4 x.png | tail -c 3)" PNG
run "$PPTRACE" tree fork-count.db
expect_err 'wrote pptrace-tree.svg'
grep -q '<svg' pptrace-tree.svg || fail "no SVG"
expect_eq "$(echo ./*tmp*)" "./*tmp*" "files left over"
end

begin "at 60 columns nothing that matters is cut: who is deadlocked, how long, and where"
rm -f deadlock-abba.db
fixture deadlock-abba
for command in tree waits; do
	run "$PPTRACE" $command -T txt -w 60 deadlock-abba.db
	[ "$(LC_ALL=C.UTF-8 wc -L <out)" -le 60 ] || fail "$command: too wide" "$(cat out)"
	cp out $command.txt
done
expect_eq "$(grep -c DEADLOCKED tree.txt)" 3 "the process and its threads are marked"
grep -q 'abba.c:' waits.txt || fail "no place" "$(cat waits.txt)"
! grep -q '^    *[a-z ]*…$' waits.txt || fail "a detail is cut" "$(cat waits.txt)"
end

begin "programs that a process ran: seven are shown, of eight two are left out"
rm -f fork-count.db
for n in 7 8; do
	fixture fork-count
	sqlite3 fork-count.db "DELETE FROM exec WHERE process_id = 1;
		WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < $n)
		INSERT INTO exec(process_id, thread_id, ts_ns, path, argv) SELECT 1, 1, i, '/bin/stage' || i, '[\"stage' || i || '\"]' FROM n"
	run "$PPTRACE" tree -T svg -o - fork-count.db
	expect_eq "$(grep -c 'more programs' out)" $((n / 8))
	expect_out 'stage1<'
	expect_out "stage$n<"
	rm -f fork-count.db
done
end

begin "a semaphore without a name is called by its kind once, and a wait by what the thread does"
rm -f threads-mutex.db
fixture threads-mutex
sqlite3 threads-mutex.db "UPDATE lock SET kind = 'sem', name = NULL; UPDATE wait SET reason = 'sem' WHERE lock_id IS NOT NULL"
run "$PPTRACE" timeline -T svg -o - threads-mutex.db
expect_out '>sem [0-9]+'
! grep -q 'sem sem' out || fail "a semaphore is called sem sem"
run env COLUMNS=100 "$PPTRACE" timeline -T txt pipeline.db
! grep -q 'pipe-read' out || fail "a reason's name in the database is shown" "$(cat out)"
end

begin "at 60 and at 40 columns path and waits fold: nothing is cut, and no line is too long"
sqlite3 deadlock-abba.db "UPDATE lock SET name = 'a_lock_with_a_long_name_that_tells_it'; UPDATE process SET name = '日本語の名前'"
for columns in 60 40; do
	for command in path waits; do
		run env COLUMNS=$columns "$PPTRACE" $command -T txt deadlock-abba.db
		expect_status 0
		expect_out "a_lock_with_a_long"
		[ "$(LC_ALL=C.UTF-8 wc -L <out)" -le $columns ] || fail "$command: too wide for $columns" "$(cat out)"
		! grep -q '…' out || fail "$command at $columns: something is cut" "$(cat out)"
	done
done
end

begin "at 60 columns nothing that is said is cut: what is known of the recording, what the marks mean"
run env COLUMNS=60 "$PPTRACE" timeline -T txt many.db
expect_status 0
for words in 'processes' 'exit 0' 'holds a lock' 'zombie' 'signal' 'stuck' 'some of a fold live'; do
	expect_out "$words"
done
sed -n 2,3p out | grep -q '…' && fail "the line below the title is cut" "$(sed -n 2,3p out)"
[ "$(wc -L <out)" -le 60 ] || fail "a line has $(wc -L <out) columns"
run env COLUMNS=60 "$PPTRACE" tree -T txt many.db
sed -n 2,3p out | grep -q '…' && fail "the line below the title is cut" "$(sed -n 2,3p out)"
end
