#!/usr/bin/env bash
# ci.sh - findings in the forms that services for continuous integration read.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../lib.sh"

for name in deadlock-abba zombies hostile many signals; do
	begin "$name: SARIF has what the standard requires, a result for each finding"
	fixture $name
	"$PPTRACE" diagnose --json --fail-on=never $name.db >all.json
	findings=$(python3 -c 'import json, sys; print(len(json.load(open(sys.argv[1]))["findings"]))' all.json)
	run "$PPTRACE" diagnose -T sarif --fail-on=never $name.db
	expect_status 0
	expect_eq "$(python3 "$ROOT/tests/sarif.py" out 2>&1 | tail -1)" "$findings" "results of the SARIF log"
	end

	begin "$name: JUnit is XML whose numbers are right"
	run "$PPTRACE" diagnose -T junit --fail-on=warning $name.db
	if command -v xmllint >/dev/null; then
		xmllint --noout out 2>xml.err || fail "no XML:" "$(head -3 xml.err)"
		count() { xmllint --xpath "string($1)" out; }
		expect_eq "$(count 'count(//testcase)')" "$(count /testsuites/@tests)" "test cases"
		expect_eq "$(count 'count(//failure)')" "$(count //testsuite/@failures)" "failures"
		expect_eq "$(count 'count(//failure) > 0')" "$([ "$status" = 1 ] && echo true || echo false)" "failed, and the exit status"
		expect_eq "$(count 'count(//testcase[failure or system-out])')" "$findings" "test cases with a finding"
		expect_eq "$(count 'count(//testcase[@name = preceding::testcase/@name])')" 0 "names used twice"
	else
		skip "xmllint is not installed"
	fi
	end

	begin "$name: annotations are one line each"
	run "$PPTRACE" diagnose -T github --fail-on=never $name.db
	[ "$findings" -gt 2 ] || expect_eq "$(grep -cE '^::(error|warning|notice) ([a-z]+=[^:,]*,?)+::.+' out)" "$findings" annotations
	expect_eq "$(grep -cvE '^::(error|warning|notice) |^nothing found$|^[0-9]+ more that' out)" 0 "other lines"
	if grep -q $'[\e\r]' out; then fail "a control character got through"; fi
	end
done

begin "a deadlock is reported at its line, with both places"
run "$PPTRACE" diagnose -T github deadlock-abba.db
expect_status 1
expect_out '^::error file=[^:,]*\.c,line=[0-9]+,title=pptrace%3A deadlock::.*%0A.*waits for B'
run "$PPTRACE" diagnose -T sarif deadlock-abba.db
expect_eq "$(sqlite3 :memory: "SELECT json_array_length(readfile('out'), '\$.runs[0].results[0].relatedLocations') > 1")" 1 "related locations"
end

begin "paths below the working directory are relative to it; others are absolute"
sqlite3 deadlock-abba.db "UPDATE site SET file = '$TMP/src dir/a,b:c%.c'"
run "$PPTRACE" diagnose -T github deadlock-abba.db
expect_out '^::error file=src dir/a%2Cb%3Ac%25.c,line='
run "$PPTRACE" diagnose -T sarif deadlock-abba.db
expect_out '"uri":"src%20dir/a%2Cb%3Ac%25.c"'
expect_eq "$(cd / && "$PPTRACE" diagnose -T sarif "$TMP/deadlock-abba.db" | grep -c "\"uri\":\"file://$TMP/src%20dir")" 1
end

begin "--rule and --fail-on choose what is reported and what fails; -T json is --json"
run "$PPTRACE" diagnose -T junit --rule zombie --rule orphan --fail-on=never zombies.db
expect_status 0
expect_out '<testsuites name="pptrace" tests="[0-9]+" failures="0"'
expect_out '<testcase .*name="zombie"'
if grep -qE 'name="(deadlock|crash)"' out; then fail "a rule that was not asked for"; fi
run "$PPTRACE" diagnose -T junit --rule zombie zombies.db
expect_status 1
expect_out '<failure type="zombie" message="'
"$PPTRACE" diagnose --json zombies.db >a.json
"$PPTRACE" diagnose -T json zombies.db >b.json
cmp a.json b.json || fail "they differ"
run "$PPTRACE" diagnose -T xml zombies.db
expect_status 2
expect_err "^pptrace: --format takes one of text, json, sarif, junit, github, not 'xml'"
end

begin "members have one shape, and nothing is JSON inside a string"
"$PPTRACE" diagnose --json --fail-on=never hostile.db >h.json
python3 - a.json h.json <<'PY' || fail "the JSON is wrong"
import json, sys
for path in sys.argv[1:]:
    d = json.load(open(path))
    assert isinstance(d["trace"]["command"], list), d["trace"]
    for f in d["findings"]:
        for m in f["members"]:
            assert isinstance(m, dict) and "ordinal" in m and "text" in m, m
PY
"$PPTRACE" query -f zombies.db -T jsonl "SELECT command, blind_spots FROM trace" >t.json
expect_eq "$(sqlite3 :memory: "SELECT json_type(readfile('t.json'), '\$.command')")" array
end
