# formats.sh - each format is read by somebody else's parser, whatever the names in a recording.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"

# readable FILE: the format's own parser has no complaint.
readable()
{
	case $1 in
	*.dot) dot -Tcanon -o /dev/null "$1" ;;
	*.svg) xmllint --noout "$1" ;;
	*.png) pngcheck -q "$1" ;;
	*.pdf) pdfinfo "$1" | grep -q '^Pages: *1$' && pdftoppm -r 20 -png "$1" page ;;
	*.json) python3 -c 'import json, sys; json.load(open(sys.argv[1]))' "$1" ;;
	*.jsonl) python3 -c 'import json, sys; [json.loads(line) for line in open(sys.argv[1])]' "$1" ;;
	*.csv) python3 -c 'import csv, sys
csv.field_size_limit(1 << 24)
rows = list(csv.reader(open(sys.argv[1], newline="", errors="surrogateescape")))
assert rows and {len(row) for row in rows} == {len(rows[0])}, "rows of several lengths"' "$1" ;;
	*.txt) iconv -f UTF-8 -t UTF-8 -o /dev/null "$1" ;;
	esac >said 2>&1 || return 1
	[ ! -s said ]
}

for tool in dot xmllint pngcheck pdfinfo pdftoppm python3; do
	command -v $tool >/dev/null || { begin "formats"; skip "$tool is not installed"; end; exit; }
done

for name in long hostile deadlock-abba pool pipeline; do
	begin "$name: every picture in every format"
	fixture $name || fail "the fixture cannot be loaded"
	for command in tree timeline waits locks pipes; do
		for format in dot svg png pdf txt; do
			run "$PPTRACE" "$command" -T $format -o "$command.$format" $name.db
			expect_status 0
			readable "$command.$format" || fail "$command.$format:" "$(head -c 300 said)"
			[ "$(stat -c %s "$command.$format")" -le 2000000 ] || fail "$command.$format is large"
		done
		[ "$(wc -L <"$command.dot")" -le 16384 ] || fail "$command.dot has a long line"
	done
	end

	begin "$name: exports, verdict and queries"
	for format in chrome:json jsonl:jsonl; do
		run "$PPTRACE" export -T ${format%:*} -o x.${format#*:} $name.db
		expect_status 0
		readable x.${format#*:} || fail "$format:" "$(head -c 300 said)"
	done
	run "$PPTRACE" diagnose --json --fail-on=never $name.db
	cp out d.json
	readable d.json || fail "diagnose --json:" "$(head -c 300 said)"
	for format in json jsonl csv; do
		run "$PPTRACE" query -f $name.db -T $format "SELECT * FROM process"
		expect_status 0
		cp out "q.$format"
		readable "q.$format" || fail "query -T $format:" "$(head -c 300 said)"
	done
	end
done
