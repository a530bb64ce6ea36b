# given.sh - pipes that the command was given by who called pptrace: they are none of its own.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/../../lib.sh"

# given BACKEND: records a pipeline whose output goes into a pipe of ours, and which has another one at 9.
given()
{
	"$PPTRACE" run -q --backend="$1" -o "$1.db" sh -c 'echo a | cat; sleep 0.05' 9> >(cat) | cat >/dev/null
}

for backend in $(backends); do
	begin "$backend: \"pipe 1\" is the first that the command makes, what it was given is at stdout"
	given "$backend"
	expect_sql $backend.db "SELECT name FROM pipe WHERE id = 1" 'pipe 1 (sh -> cat)'
	expect_sql $backend.db "SELECT name FROM pipe WHERE id > 1 AND name NOT LIKE 'pipe at fd %'" 'pipe at stdout (cat -> ?)'
	expect_sql $backend.db "SELECT count(*) FROM pipe WHERE name = 'pipe at fd 9'" 1
	run "$PPTRACE" pipes -T txt $backend.db
	expect_out '→ pipe at stdout  in 1 write'
	! grep -q 'never used' out || fail "an end that everybody was given counts as left open" "$(cat out)"
	run "$PPTRACE" diagnose $backend.db
	expect_status 0
	expect_out '^nothing found'
	end
done
