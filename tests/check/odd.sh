# odd.sh - odd command lines: one sentence that says what to do instead, and the right status.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../lib.sh"

fixture deadlock-abba
# Commands that read a recording, with what each needs beside it.
readers="report -o -|tree -T txt|timeline -T txt|path|waits -T txt|locks -T txt|pipes -T txt|flame -o -|events|export|query -f @ summary|diagnose|top --once"
# reader COMMAND FILE: the words of a command line in which that file is the recording.
reader()
{
	case $1 in
	*@*) echo "${1/@/$2}" ;;
	*) echo "$1 $2" ;;
	esac
}

begin "a recording that is none: one line, no output, and a status that is not that of a finding"
: >empty.db
echo text >text.db
mkdir folder.db
ln -s nowhere.db dangling.db
mkfifo fifo.db
head -c 5000 deadlock-abba.db >cut.db
IFS='|' read -ra commands <<<"$readers"
for command in "${commands[@]}"; do
	for file in missing.db empty.db text.db folder.db dangling.db fifo.db cut.db; do
		# shellcheck disable=SC2046
		LIMIT=10 run "$PPTRACE" $(reader "$command" $file)
		expect_status "$([[ $command == diagnose ]] && echo 2 || echo 1)"
		expect_eq "$(wc -l <err)" 1 "lines on stderr of $command with $file"
		expect_err "^pptrace: .*$file" || fail "$command"
		[ ! -s out ] || fail "$command $file prints something"
	done
done
end

begin "a recording without a name"
for command in tree events diagnose top; do
	run "$PPTRACE" $command ''
	expect_err '^pptrace: the name of the recording is empty$'
done
run "$PPTRACE" run -o - true
expect_status 125
expect_err 'cannot go to standard output: name a file with -o'
[ ! -e ./- ] || fail "a file was made"
run "$PPTRACE" run ''
expect_status 127
expect_err "^pptrace: '': command not found"
end

begin "what could not be written is a failure, also where standard output is closed"
# As each command says in other cases of failure: a script does not take 1 of diagnose or diff for something that was found.
for command in "${commands[@]}" "diff deadlock-abba.db" help demo explain --version "doctor --no-cost" "tree -h" "why $$" "run --help" "diagnose -h"; do
	case $command in diagnose* | diff* | why*) failure=2 ;; run*) failure=125 ;; *) failure=1 ;; esac
	[[ $command == *' '* || $command =~ ^(path|events|export|diagnose)$ ]] && [[ ! $command =~ ^(doctor|why|run) ]] &&
		command=$(reader "$command" deadlock-abba.db)
	for to in '>/dev/full' '>&-'; do
		# shellcheck disable=SC2086
		run bash -c '"$@" '"$to" bash "$PPTRACE" $command
		expect_status $failure
		expect_eq "$(grep -c '^pptrace: cannot write to standard output: ' err)" 1 "sentences about it, of $command $to"
	done
done
run bash -c '"$@" >&-' bash "$PPTRACE" tree -o tree.svg deadlock-abba.db
expect_status 0
[ -s tree.svg ] || fail "a picture needs no standard output"
end

begin "a name that promises another format than it can get"
for name in "tree -o x.jpg" "waits -o x.HTML" "path -o x.json" "report -o x.pdf" "report -o x.svg" "flame -o x.png"; do
	# shellcheck disable=SC2086
	run "$PPTRACE" $name deadlock-abba.db
	expect_status 2
	expect_err '^pptrace: [a-z]+: (cannot write (jpg|html|json): a picture is svg|it writes (html|svg), and the name ends in \.(pdf|svg|png)$)'
done
for name in "tree -o x.new" "tree -T png -o x.jpg" "report -o x.html" "report -o page" "flame -o x.SVG"; do
	# shellcheck disable=SC2086
	run "$PPTRACE" $name deadlock-abba.db
	expect_status 0
	rm "${name##* }"
done
[ -z "$(ls x.* 2>/dev/null)" ] || fail "written:" x.*
end

begin "a process, a program or a recording where something else is wanted"
sleep 50 &
sleeper=$!
cp "$(command -v sleep)" oddly-called
./oddly-called 50 &
odd=$!
wait_for 5 grep -q oddly-called "/proc/$odd/comm"
while IFS='|' read -r want_status command said; do
	# shellcheck disable=SC2086
	run "$PPTRACE" $command
	expect_status "$want_status"
	grep -qF -- "$said" err || fail "$command does not say: $said" "$(show)"
done <<WORDS
1|top sleep|there is no file sleep; 'pptrace top -- sleep' runs that program
2|top sleep 50|a command stands after --: 'pptrace top -- sleep ...'
1|top $sleeper|there is no file $sleeper; 'pptrace top -p $sleeper' looks at the process of that number
1|tree ./oddly-called|./oddly-called is not a pptrace file; 'pptrace run ./oddly-called' runs that program
2|diagnose $sleeper|there is no file $sleeper; 'pptrace why $sleeper' looks at the process of that number
2|why deadlock-abba.db|deadlock-abba.db is a recording: 'pptrace diagnose deadlock-abba.db' says what is wrong in it
2|why oddly-called-|'oddly-called-' is not a process ID
2|attach -p oddly-called|'oddly-called' is not a process ID, but a process is called so: $odd
2|explain deadlock stuck|only one rule can be given; unexpected 'stuck'
1|query summary nowhere.db|there is no file nowhere.db
2|export -f chrome deadlock-abba.db|unknown option -f; did you mean --format?
2|demo fork-count --cuont=3|fork-count has no option '--cuont'; did you mean '--count'?
2|demo python/fork-count --nonsense|'pptrace demo python/fork-count --help' lists them
WORDS
kill $sleeper $odd
[ ! -e pptrace.db ] || fail "something was recorded"
end
