# hostile.sh - recordings made by an attacker: each command that reads one says one sentence, at once.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"

endless='WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT'
commands=(tree timeline waits locks pipes report diagnose events export flame query)

# refused FILE PATTERN: each command that reads refuses the file, and ends.
refused()
{
	local command
	for command in "${commands[@]}"; do
		case $command in
		query) LIMIT=10 run "$PPTRACE" query -f "$1" summary ;;
		tree | timeline | waits | locks | pipes) LIMIT=10 run "$PPTRACE" "$command" -T txt -o - "$1" ;;
		report | export | flame) LIMIT=10 run "$PPTRACE" "$command" -o x.out "$1" ;;
		*) LIMIT=10 run "$PPTRACE" "$command" "$1" ;;
		esac
		case $status in
		1 | 2) ;;
		*) fail "$command $1: status $status" "$(show)" ;;
		esac
		expect_eq "$(wc -l <err)" 1 "lines on stderr of $command"
		expect_err "$2"
	done
}

for table in finding process thread trace wait; do
	begin "an endless view in place of the table $table"
	rm -f evil.db
	fixture fork-count && mv fork-count.db evil.db
	sqlite3 evil.db "DROP TABLE $table; CREATE VIEW $table AS $endless i AS id FROM n"
	refused evil.db "its table $table is a view"
	end
done

begin "a recording that does not say what it is of, and a format without a version, are refused by all that read them"
run "$PPTRACE" run -q -o whole.db true
cp whole.db empty.db
cp whole.db odd.db
sqlite3 empty.db "DELETE FROM trace"
sqlite3 odd.db "PRAGMA user_version = -5"
for command in "2 diagnose" "1 events" "1 locks" "1 pipes" "1 timeline" "1 tree" "1 waits" "1 path" "1 flame" "1 report" "2 diff whole.db" "1 export --format=chrome"; do
	wanted=${command%% *} command=${command#* }
	run "$PPTRACE" $command empty.db
	expect_status $wanted
	expect_eq "$(cat err)" "pptrace: cannot read empty.db: the table trace is empty" "$command"
	run "$PPTRACE" $command odd.db
	expect_status $wanted
	expect_eq "$(cat err)" "pptrace: odd.db is damaged: its format has no version" "$command"
done
end

begin "a FIFO in place of the journal"
fixture fork-count
mkfifo fork-count.db-journal
refused fork-count.db 'fork-count.db-journal is not a regular file'
end
