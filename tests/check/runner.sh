#!/usr/bin/env bash
# runner.sh - what run.sh and lib.sh say of a test file that ends before its last test.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../lib.sh"

# ends_early LINE...: runs a file whose second of three tests has these lines.
ends_early()
{
	mkdir -p early
	{
		printf '. "%s/tests/lib.sh"\n' "$ROOT"
		printf 'begin "first"\nend\nbegin "second"\n'
		printf '%s\n' "$@"
		printf 'end\nbegin "third"\nend\n'
	} >early/early.sh
	run env -u TEST "$ROOT/tests/run.sh" -j 1 "$PWD/early/early.sh"
}

begin "a file of which all tests pass has passed"
ends_early ':'
expect_status 0
expect_out '^3 passed, 0 failed, 0 skipped$'
end

begin "a test in which set -u aborts its file has failed"
# shellcheck disable=SC2016 # the file is to expand it
ends_early 'echo "$no_such_variable"'
expect_status 1
expect_out '^not ok 2 - .*: second$'
expect_out 'the file ended with status [1-9][0-9]* in this test'
expect_out '^1 passed, 1 failed, 0 skipped$'
end

begin "a test that leaves its file with a status has failed"
ends_early 'exit 3'
expect_status 1
expect_out '^not ok 2 - .*: second$'
expect_out 'the file ended with status 3 in this test'
expect_out '^1 passed, 1 failed, 0 skipped$'
end

begin "a file that a signal ends has failed"
# shellcheck disable=SC2016 # the file is to expand it
ends_early 'kill -KILL $$'
expect_status 1
expect_out '^not ok 0 - .*early.sh ended with status 137 before its end$'
end
end
