# cli.sh - query, events, export, help and demo, on fixture databases.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../lib.sh"

for name in fork-count hostile pipeline signals; do fixture $name; done
cp pipeline.db lossy.db
sqlite3 lossy.db "UPDATE trace SET complete = 0, lost = 12;
	INSERT INTO lost VALUES ('ebpf', 'PIPE_IO', 10), ('shim', 'any', 2)"

# no_control FILE: nothing in it that a terminal could act on.
no_control()
{
	! LC_ALL=C grep -q $'[\001-\010\013-\037\177]' "$1" || fail "control characters in $1"
	iconv -f UTF-8 -t UTF-8 "$1" >/dev/null 2>&1 || fail "$1 is not UTF-8"
}

begin "query without arguments lists queries and views"
run "$PPTRACE" query
expect_status 0
for word in summary longest_waits process_tree event; do
	expect_out "^  $word +[a-z]"
done
end

begin "every query and view answers on every fixture"
for db in fork-count hostile pipeline signals; do
	for name in $("$PPTRACE" query | awk '/^  / { print $1 }'); do
		run "$PPTRACE" query -f $db.db "$name"
		expect_status 0
		no_control out
	done
done
end

begin "query: SQL in each format"
run "$PPTRACE" query -f fork-count.db "SELECT count(*) AS n, 'a b' AS t FROM process"
expect_status 0
expect_out '^ *n  t$'
run "$PPTRACE" query -f fork-count.db --format=json "SELECT 1 AS a, NULL AS b, 'x\"y' AS c"
expect_eq "$(cat out)" '[{"a":1,"b":null,"c":"x\"y"}]'
run "$PPTRACE" query -f fork-count.db --format csv "SELECT 1 AS a, 'x,y' AS b"
expect_eq "$(cat out)" $'a,b\n1,"x,y"'
run "$PPTRACE" query -f fork-count.db --format jsonl "SELECT 1 AS a UNION SELECT 2"
expect_eq "$(cat out)" $'{"a":1}\n{"a":2}'
run "$PPTRACE" query -f fork-count.db "SELECT 1 AS a; SELECT 2 AS b"
expect_out '^2$'
run "$PPTRACE" query "SELECT count(*) AS n FROM process" fork-count.db
expect_out '^ *n$'
run "$PPTRACE" query process_tre fork-count.db
expect_status 2
expect_err "did you mean 'process_tree'"
run "$PPTRACE" query "SELECT 1" "SELECT 2"
expect_err 'only one query can be given'
end

begin "query: mistakes in SQL are one sentence and status 2"
for sql in 'SELEC 1' 'SELECT * FROM nowhere' 'SELECT 1 FROM' 'DELETE FROM process' 'DROP TABLE trace' \
	"SELECT abs(-9223372036854775808)" nonsense; do
	run "$PPTRACE" query -f fork-count.db "$sql"
	expect_status 2
	expect_eq "$(wc -l <err)" 1 "lines on stderr for: $sql"
	expect_err '^pptrace: query: '
done
expect_sql fork-count.db "SELECT count(*) > 0 FROM process" 1
run "$PPTRACE" query a b
expect_status 2
end

begin "query cannot write anywhere"
run "$PPTRACE" query -f fork-count.db "ATTACH 'other.db' AS o; CREATE TABLE o.t(x)"
expect_status 2
[ ! -e other.db ] || fail "a file was made"
run "$PPTRACE" query -f fork-count.db "PRAGMA user_version = 7"
expect_sql fork-count.db "PRAGMA user_version" 1
end

begin "query --schema is the manual"
run "$PPTRACE" query -f fork-count.db --schema
expect_status 0
expect_out 'CREATE TABLE process \( -- a process'
expect_out 'CREATE VIEW zombie AS -- '
end

begin "a file that is no recording is refused"
echo text >text.db
head -c 5000 fork-count.db >cut.db
sqlite3 foreign.db "CREATE TABLE t(x)"
: >empty.db
cp fork-count.db newer.db
sqlite3 newer.db "PRAGMA user_version = 99"
for command in "query -f" events export tree; do
	for db in text cut foreign empty newer missing; do
		run "$PPTRACE" $command $db.db ${command:+$([ "$command" = "query -f" ] && echo summary)}
		expect_status 1
		expect_eq "$(wc -l <err)" 1 "lines on stderr for $command $db"
		expect_err "^pptrace: .*$db.db"
	done
done
end

begin "a query that fails is an error, and never taken for nothing"
# Without one of its tables a recording gives either the same answer as with it, or none.
fixture deadlock-abba
sqlite3 deadlock-abba.db "UPDATE trace SET complete = 0; DELETE FROM finding_member; DELETE FROM finding"
"$PPTRACE" diagnose -q --all deadlock-abba.db >whole
refused=0
for table in $(sqlite3 deadlock-abba.db "SELECT name FROM sqlite_schema WHERE type = 'table'"); do
	cp deadlock-abba.db less.db
	sqlite3 less.db "DROP TABLE $table" 2>/dev/null || sqlite3 less.db "PRAGMA legacy_alter_table = ON; DROP TABLE $table"
	run "$PPTRACE" diagnose -q --all less.db
	if [ "$status" = 2 ]; then
		refused=$((refused + 1))
		expect_eq "$(wc -l <err)" 1 "lines on stderr without the table $table"
	else
		diff whole out >diff || fail "without the table $table the answer is another one" "$(head -20 diff)"
	fi
done
[ "$refused" -gt 10 ] || fail "only $refused tables are needed"
end

# answers COMMAND...: its output, and with --output=page what it wrote; the name of the file is always the same.
answers()
{
	rm -f page
	"$@" >out 2>err
	status=$?
	[ ! -s page ] || mv page out
}

begin "a damaged table is an error that is said once, or is of no interest, and never taken for nothing"
# The first page of each table is overwritten in turn, as a bad disk does: only a command that reads the table can notice.
fixture threads-mutex
for case in "deadlock-abba diagnose -q --all" "deadlock-abba waits -q -T txt" "deadlock-abba timeline -q -T txt" \
	"pipeline tree -q -T txt" "pipeline pipes -q -T txt" "pipeline export" "threads-mutex diagnose --json" \
	"threads-mutex locks -q -T txt" "threads-mutex report -q -o page"; do
	read -r db command <<<"$case"
	size=$(sqlite3 "$db.db" "PRAGMA page_size")
	sqlite3 "$db.db" "SELECT name, rootpage - 1 FROM sqlite_schema WHERE rootpage > 0" >pages
	cp "$db.db" damaged.db
	answers "$PPTRACE" $command damaged.db
	mv out whole
	refused=0
	while IFS='|' read -r table page; do
		cp "$db.db" damaged.db
		dd if=/dev/zero of=damaged.db bs="$size" seek="$page" count=1 conv=notrunc 2>/dev/null
		answers "$PPTRACE" $command damaged.db
		if [ "$status" = 2 ] || { [ "$status" = 1 ] && [[ $command != diagnose* ]]; }; then
			refused=$((refused + 1))
			expect_eq "$(grep -vc 'is not complete' err)" 1 "lines on stderr of $command on $db with a damaged $table"
		elif [ "$status" -gt 1 ]; then
			fail "$command on $db with a damaged $table: status $status"
		else
			cmp -s whole out || fail "$command on $db with a damaged $table answers something else" "$(diff whole out | head -5)"
		fi
	done <pages
	[ "$refused" -gt 1 ] || fail "$command on $db reads only $refused tables"
done
end

begin "what was recorded before processes had titles is read"
cp fork-count.db untitled.db
sqlite3 untitled.db "ALTER TABLE process RENAME COLUMN title TO before; DROP TABLE title; PRAGMA user_version = 1004"
for command in diagnose "tree -T txt" "waits -T txt" events "query process_tree -f" "report -o untitled.html"; do
	run "$PPTRACE" $command untitled.db
	expect_status 0
	expect_eq "$(grep -c 'older pptrace' err)" 0
done
end

begin "an older minor version says what it lacks, a newer one is read, another major one refused"
cp fork-count.db older.db
sqlite3 older.db "ALTER TABLE thread RENAME COLUMN runtime_name TO x; ALTER TABLE process RENAME COLUMN program TO y"
for command in diagnose "tree -T txt" "timeline -T txt"; do
	run "$PPTRACE" $command older.db
	[ "$status" -ne 0 ] || continue
	expect_eq "$(wc -l <err)" 1 "lines on stderr for $command"
	expect_err 'an older pptrace made the recording: its format is 1\.0, and (thread.runtime_name|process.program) came with 1\.1; record it again'
done
run "$PPTRACE" diagnose older.db
expect_status 2
cp fork-count.db newer.db
sqlite3 newer.db "ALTER TABLE process ADD COLUMN colour TEXT; CREATE TABLE dream (id INTEGER PRIMARY KEY); PRAGMA user_version = 1999"
for command in "diagnose -q" "tree -T txt" "events" "query -f"; do
	"$PPTRACE" $command fork-count.db ${command:+$([ "$command" = "query -f" ] && echo summary)} >known
	run "$PPTRACE" $command newer.db ${command:+$([ "$command" = "query -f" ] && echo summary)}
	expect_status 0
	diff known out >diff || fail "$command says something else of a newer minor version" "$(head -5 diff)"
done
sqlite3 newer.db "PRAGMA user_version = 2000"
run "$PPTRACE" diagnose newer.db
expect_status 2
expect_err 'newer.db was made by a newer pptrace: its format is 2\.0, and this one reads up to 1\.x'
end

begin "what was lost is said by every command"
for command in "query -f lossy.db summary" "events lossy.db" "export lossy.db" "tree -T txt lossy.db" \
	"timeline -T txt lossy.db" "diagnose lossy.db" "waits -T txt lossy.db" "pipes -T txt lossy.db"; do
	run "$PPTRACE" $command
	expect_err 'lossy.db is not complete'
	expect_err '12 events lost \(10 PIPE_IO from ebpf, 2 from shim\)'
	run "$PPTRACE" $command -q
	expect_no_err 'lost'
done
end

begin "events: in time order, one line each"
for db in fork-count pipeline signals hostile; do
	run "$PPTRACE" events $db.db
	expect_status 0
	no_control out
	awk 'NR > 1 && $1 + 0 < last { exit 1 } { last = $1 + 0 }' out || fail "$db: not in time order"
	expect_eq "$(wc -l <out)" "$(sql $db.db 'SELECT count(*) FROM event')" "lines for $db"
done
end

begin "events: filters"
run "$PPTRACE" events fork-count.db --kind exit
expect_eq "$(wc -l <out)" "$(sql fork-count.db "SELECT count(*) FROM event WHERE kind = 'exit'")" exits
pid=$(sql fork-count.db "SELECT pid FROM process WHERE id = 2")
run "$PPTRACE" events fork-count.db --process "$pid" --kind=process,exit
expect_eq "$(grep -vc "^ *[0-9.]* *$pid" out)" 0 "lines of other processes"
all=$(sql fork-count.db "SELECT count(*) FROM event WHERE ts_ns >= 100000000 AND ts_ns <= 300000000")
run "$PPTRACE" events fork-count.db --since 100ms --until 0.3
expect_eq "$(wc -l <out)" "$all" "lines between 100 and 300 ms"
run "$PPTRACE" events fork-count.db --kind nonsense
expect_status 2
expect_err "takes one of process, thread"
run "$PPTRACE" events fork-count.db --since yesterday
expect_status 2
end

begin "export: trace JSON, JSON lines, CSV"
for db in fork-count pipeline signals hostile; do
	run "$PPTRACE" export -o $db.json $db.db
	expect_status 0
	sqlite3 :memory: "SELECT CASE WHEN json_valid(readfile('$db.json')) THEN
		json_array_length(readfile('$db.json'), '\$.traceEvents') > 0 END" >answer
	expect_eq "$(cat answer)" 1 "$db.json is JSON with events"
	run "$PPTRACE" export --format jsonl $db.db
	expect_eq "$(wc -l <out)" "$(sql $db.db 'SELECT count(*) FROM event')" "lines of JSON"
	run "$PPTRACE" export --format csv --table process $db.db
	expect_status 0
	[ "$(head -1 out | cut -d, -f1-2)" = id,pid ] || fail "no names in the first line"
done
expect_eq "$(stat -c %a fork-count.json)" 600 mode
run "$PPTRACE" export --format csv --table 'x"; DROP TABLE process' fork-count.db
expect_status 1
run "$PPTRACE" export --table process fork-count.db
expect_status 2
ln -s target link.json
run "$PPTRACE" export -o link.json fork-count.db
expect_status 1
[ ! -e target ] || fail "a symbolic link was followed"
end

begin "export: parts by process, kind and time"
all=$("$PPTRACE" export pipeline.db | grep -c '"ph"')
for part in "--process sort" "--kind wait" "--since 0.005" "--until 5ms"; do
	# shellcheck disable=SC2086
	run "$PPTRACE" export $part pipeline.db
	expect_status 0
	n=$(grep -c '"ph"' out)
	if [ "$n" -le 0 ] || [ "$n" -ge "$all" ]; then fail "$part: $n of $all events"; fi
	sqlite3 :memory: "SELECT 1 WHERE json_valid(readfile('out'))" | grep -q 1 || fail "$part: no JSON"
done
run "$PPTRACE" export -T folded pipeline.db
all=$(awk '{ sum += $NF } END { print sum }' out)
if ! grep -q '^sort;' out || ! grep -qv '^sort;' out; then fail "the waits of sort are not there, or alone" "$(show)"; fi
run "$PPTRACE" export -T folded --process sort pipeline.db
expect_status 0
if [ ! -s out ] || grep -qv '^sort;' out; then fail "folded: not the waits of sort alone" "$(show)"; fi
run "$PPTRACE" export -T folded --until 5ms --kind wait pipeline.db
expect_status 0
n=$(awk '{ sum += $NF } END { print sum + 0 }' out)
if [ "$n" -le 0 ] || [ "$n" -ge "$all" ]; then fail "folded: $n of $all us until 5 ms"; fi
run "$PPTRACE" export -T folded --kind io pipeline.db
expect_status 2
run "$PPTRACE" export -T csv -t process --process sort pipeline.db
expect_eq "$(wc -l <out)" 2 "lines about sort"
run "$PPTRACE" export -T jsonl --kind exec,exit pipeline.db
expect_eq "$(grep -cvE '"kind":"(exec|exit)"' out)" 0 "other kinds"
run "$PPTRACE" export -T csv -t wait --kind io pipeline.db
expect_status 1
expect_err "^pptrace: export: --kind does not go with the table 'wait'"
run "$PPTRACE" export -T csv -t setting --process sort pipeline.db
expect_status 1
expect_err "^pptrace: export: --process does not go with the table 'setting', whose rows have no process"
run "$PPTRACE" export --process sord pipeline.db
expect_status 1
expect_err "did you mean 'sort'"
end

begin "a closed or full output"
run sh -c '"$0" events "$1" | head -1' "$PPTRACE" fork-count.db
expect_status 0
expect_no_err .
run sh -c '"$0" events "$1" >/dev/full' "$PPTRACE" fork-count.db
expect_status 1
expect_err 'No space left'
run "$PPTRACE" export -o /dev/full fork-count.db
expect_status 1
end

begin "help says the same everywhere"
run "$PPTRACE" help
expect_status 0
commands=$(awk '/^  / { print $1 }' out)
for c in $commands; do
	run "$PPTRACE" "$c" --help
	expect_status 0
	expect_out "^usage: pptrace $c"
	cp out long
	run "$PPTRACE" "$c" -h
	cmp -s out long || fail "$c: -h and --help differ"
	run "$PPTRACE" help "$c"
	cmp -s out long || fail "help $c differs from $c --help"
	[ "$(awk '{ if (length($0) > 100) n++ } END { print n + 0 }' long)" = 0 ] || fail "$c: lines too long"
	run "$PPTRACE" "$c" --no-such-option
	[ "$status" = 2 ] || [ "$status" = 125 ] || fail "$c: status $status for an unknown option"
	expect_err "unknown or ambiguous option '--no-such-option'"
	# Of each option that takes a name of a file: an empty one.
	sed -nE 's/^.*(--[a-z-]+)[ =](FILE|DIR|PATH)\b.*/\1/p' long >named
	while read -r option; do
		run "$PPTRACE" "$c" "$option" ""
		[ "$status" = 2 ] || [ "$status" = 125 ] || fail "$c $option '': status $status"
		expect_err "option $option needs .*, not an empty name"
	done <named
	cat named >>all_named
done
[ "$(wc -l <all_named)" -ge 10 ] || fail "only $(wc -l <all_named) options with the name of a file"
run "$PPTRACE" tee
expect_status 2
expect_err "did you mean 'tree'"
run "$PPTRACE"
expect_status 2
run "$PPTRACE" --version
expect_out '^pptrace [0-9]'
end

begin "help has two examples of each command, with options that it has"
for c in $commands; do
	"$PPTRACE" help "$c" >long
	sed '1,/^examples:$/d' long | grep '^  pptrace ' >examples
	[ "$(wc -l <examples)" -ge 2 ] || fail "$c: $(wc -l <examples) examples"
	grep -vq "^  \(sudo \)\?pptrace $c\b" examples && fail "$c: an example is of another command"
	sed 's/ && .*//' examples | grep -oE -- ' --?[a-zA-Z][a-z-]*' | sort -u | while read -r o; do
		grep -qE -- "(^|[ ,])$o([ =,]|\$)" <(sed '/^examples:$/,$d' long) || echo "$o"
	done >wrong
	for o in $(grep -vxE -- '-j|--count' wrong); do fail "$c: an example has $o, which is no option"; done
	grep -q "^.B pptrace $c" "$BUILD/pptrace.1" || fail "$c: no example in the manual"
done
end

begin "a word that is misspelt is answered with the one that was meant"
fixture deadlock-abba
while IFS='|' read -r want_status command meant; do
	# shellcheck disable=SC2086
	run "$PPTRACE" $command
	expect_status "$want_status"
	expect_err "did you mean '$meant'\?" || fail "$command"
done <<'WORDS'
2|diagnos|diagnose
2|exprot|export
2|--halp|--help
2|help tmeline|timeline
125|run --tiemout 3 true|--timeout
2|tree --formt=txt|--format
2|diagnose --rule zombi deadlock-abba.db|zombie
2|explain dead|deadlock
2|demo philosopher|philosophers
2|query -f deadlock-abba.db longest-wait|longest_waits
2|query -f deadlock-abba.db proces|process
2|evnts|events
1|events -p deadlock-abb deadlock-abba.db|deadlock-abba
2|events -k sygnal deadlock-abba.db|signal
2|diagnose -T sarf deadlock-abba.db|sarif
1|export -T jsonl -t wiat deadlock-abba.db|wait
WORDS
# Half of the letters are another word.
run "$PPTRACE" nope
expect_status 2
expect_no_err 'did you mean'
run "$PPTRACE" explain qqqqqq
expect_err "^pptrace: no rule is called 'qqqqqq'; 'pptrace explain' lists them"
end

begin "a process or a time that the recording does not have is said, and fails"
run "$PPTRACE" events -p 123456 deadlock-abba.db
expect_status 1
expect_err "^pptrace: events: the recording has no process '123456'; "
run "$PPTRACE" events --since 99 deadlock-abba.db
expect_status 1
run "$PPTRACE" waits --at 99 deadlock-abba.db
expect_status 1
expect_err '^pptrace: waits: --at 99.0 s is after the end of the recording, which lasts '
run "$PPTRACE" diagnose --at 99 deadlock-abba.db
expect_status 2
end

begin "demo NAME --help is the demo's own help, and records nothing"
run "$PPTRACE" demo -o none.db fork-count --help
expect_status 0
expect_out '^usage: .*fork-count '
[ ! -e none.db ] || fail "it was recorded"
end

begin "a picture on a terminal without a display says how to draw there"
if command -v script >/dev/null; then
	DISPLAY='' WAYLAND_DISPLAY='' env -u DISPLAY -u WAYLAND_DISPLAY script -qc "'$PPTRACE' tree -o t.svg deadlock-abba.db" typescript >said </dev/null
	grep -q 'wrote t.svg; there is no display here: pptrace tree -T txt draws in the terminal' said || fail "$(cat said)"
	DISPLAY=:0 script -qc "'$PPTRACE' tree -o t.svg deadlock-abba.db" typescript >said </dev/null
	if grep -q 'no display' said; then fail "there is one: $(cat said)"; fi
	script -qc "stty cols 50; '$PPTRACE' tree -T txt many.db" typescript >said </dev/null
	[ "$(sed 's/\x1b\[[0-9;]*m//g' said | tr -d '\r' | wc -L)" -le 50 ] || fail "wider than the terminal"
else
	skip "script is not installed"
fi
end

begin "doctor says nothing twice"
run "$PPTRACE" doctor --no-cost
none_twice=$(grep -E '^      (why|instead|to do):' out | sort | uniq -d)
expect_eq "$none_twice" "" "said twice"
if [ "$(id -u)" = 0 ]; then
	run "${nobody[@]}" "$PPTRACE" doctor --no-cost
	expect_eq "$(grep -E '^      (why|instead|to do):' out | sort | uniq -d)" "" "said twice to an ordinary user"
	expect_eq "$(grep -c 'setcap' out)" 1 "how often setcap is advised"
fi
end

begin "completion knows commands and options"
run bash -c '. "$1"; COMP_WORDS=(pptrace tim) COMP_CWORD=1; _pptrace; echo "${COMPREPLY[*]}"
	COMP_WORDS=(pptrace events --si) COMP_CWORD=2; _pptrace 2>/dev/null; echo "${COMPREPLY[*]}"' x "$BUILD/pptrace.bash"
expect_eq "$(cat out)" $'timeline\n--since='
end

begin "completion knows the words that an option takes, in each shell"
cp "$BUILD/pptrace" pptrace
run bash -c 'PATH=$PWD:$PATH; . "$1"; COMP_WORDS=(pptrace tree --format = p) COMP_CWORD=4; _pptrace; echo "${COMPREPLY[*]}"
	COMP_WORDS=(pptrace run --backend =) COMP_CWORD=3; _pptrace; echo "${COMPREPLY[*]}"' x "$BUILD/pptrace.bash"
expect_eq "$(cat out)" $'png pdf\nauto ebpf shim'
if command -v zsh >/dev/null; then
	run zsh -n "$BUILD/pptrace.zsh"
	expect_status 0
	run zsh -fc 'path=($PWD $path); autoload -Uz compinit; compinit -D -u; compadd() { print -r -- ${(P)2}; }
		. $1; pptrace_command=tree _pptrace_value format' x "$BUILD/pptrace.zsh"
	expect_out '^svg png pdf dot txt$'
fi
if command -v fish >/dev/null; then
	run env HOME="$TMP" PATH="$PWD:$PATH" fish -c 'source $argv[1]; complete -C "pptrace tree --format=p"; complete -C "pptrace tim"' "$BUILD/pptrace.fish"
	expect_out '^--format=pdf'
	expect_out '^--format=png'
	expect_out '^timeline'
fi
rm -f pptrace
end

begin "demo lists every program in demos/"
run "$PPTRACE" demo
expect_status 0
for f in "$ROOT"/demos/*/*.c; do
	expect_out "^  $(basename "$f" .c) +[a-z]"
	expect_out "^$(basename "$(dirname "$f")")$"
done
for f in "$ROOT"/demos/python/*.py; do
	expect_out "^  python/$(basename "$f" .py) +[a-z]"
done
run "$PPTRACE" demo nonsense
expect_status 2
end

begin "diagnose counts many findings of one kind that are only worth knowing"
[ -e fork-count.db ] || fixture fork-count
cp fork-count.db infos.db
sqlite3 infos.db "DELETE FROM finding_member; DELETE FROM finding;
	INSERT INTO finding (id, rule, severity, certainty, ts_ns, summary) SELECT value, 'interrupted-call', 'info', 'certain', value,
	'call ' || value FROM generate_series(1, 108); INSERT INTO finding (id, rule, severity, certainty, ts_ns, summary)
	VALUES (200, 'broken-pipe', 'info', 'certain', 5, 'one pipe'), (201, 'zombie', 'warning', 'certain', 1, 'z1'),
	(202, 'zombie', 'warning', 'certain', 2, 'z2'), (203, 'zombie', 'warning', 'certain', 3, 'z3')"
run "$PPTRACE" diagnose infos.db
expect_out 'info: interrupted-call: 108 findings, the first: call 1$'
expect_eq "$(grep -c 'call [0-9]' out)" 1 "lines about calls"
expect_out 'one pipe'
expect_eq "$(grep -c 'z[123]' out)" 3 "warnings"
run "$PPTRACE" diagnose -v infos.db
expect_eq "$(grep -c 'call [0-9]' out)" 108 "lines about calls"
run "$PPTRACE" diagnose --rule=interrupted-call infos.db
expect_eq "$(grep -c 'call [0-9]' out)" 108 "lines about calls"
end
