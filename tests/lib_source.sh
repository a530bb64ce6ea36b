# lib_source.sh - for tests that read the source itself, not what was built from it.
# SPDX-License-Identifier: MIT

# Tracked files and new ones that are not ignored, so that a mistake shows before it is committed; none that was removed.
files()
{
	comm -23 <(git ls-files --cached --others --exclude-standard -- "$@" | LC_ALL=C sort -u) \
		<(git ls-files --deleted -- "$@" | LC_ALL=C sort -u)
}

# first_lines N PROGRAM: runs the awk program over the first N lines of each file that standard input names. One
# process for all of them: there are a thousand files.
first_lines()
{
	xargs -d '\n' awk -v lines="$1" "FNR > lines { nextfile } $2"
}

# none TEXT LINES: fails with the lines if there are any.
none()
{
	[ -z "$2" ] || fail "$1:" "$2"
}

cd "$ROOT" || exit 1
if ! git rev-parse --git-dir >/dev/null 2>&1; then
	begin "source is a git checkout"
	skip "no git here: files cannot be listed"
	end
	exit 0
fi
