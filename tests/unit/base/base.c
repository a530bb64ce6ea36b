/* base.c - tests of strings, memory and the hash table. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/source.h"
#include "base/text.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/script.h"
#include "tests/unit/test.h"

TEST(buf_grows)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	for (int i = 0; i < 1000; i++)
		buf_addf(&b, "%d,", i);
	ASSERT_INT(b.len, 10 * 2 + 90 * 3 + 900 * 4);
	ASSERT_INT(strlen(b.data), b.len);
	buf_reset(&b);
	ASSERT_STR(b.data, "");
}

TEST(buf_printable_escapes_what_a_terminal_would_obey)
{
	static const char hostile[] = "a\033[2J\n\xff\xe2\x80\xae\xc3\xa9\\";
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_add_printable(&b, hostile, sizeof hostile - 1);
	ASSERT_STR(b.data, "a\\x1b[2J\\n\\xff\\xe2\\x80\\xae\xc3\xa9\\\\");
}

TEST(buf_printable_keeps_characters_of_every_length)
{
	static const char text[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80";
	static const char broken[] = "\xf8\xf4\x90\x80\x80\xed\xa0\x80\xe2\x82";
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_add_printable(&b, text, sizeof text - 1);
	ASSERT_STR(b.data, text);
	buf_reset(&b);
	/* No first byte, above U+10FFFF, half of a pair, cut short. */
	buf_add_printable(&b, broken, sizeof broken - 1);
	ASSERT_STR(b.data, "\\xf8\\xf4\\x90\\x80\\x80\\xed\\xa0\\x80\\xe2\\x82");
}

TEST(buf_json_is_valid_for_any_bytes)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_add_json(&b, "\"\\\n\0\xc0\x80x", 7);
	ASSERT_STR(b.data, "\"\\\"\\\\\\u000a\\u0000\xef\xbf\xbd\xef\xbf\xbdx\"");
}

TEST(buf_html_escapes_markup)
{
	static const char hostile[] = "\"><script>'&\x01";
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_add_html(&b, hostile, sizeof hostile - 1);
	ASSERT_STR(b.data, "&quot;&gt;&lt;script&gt;&#39;&amp;\xef\xbf\xbd");
}

TEST(buf_duration_picks_the_unit)
{
	static const struct {
		long long ns;
		const char *text;
	} rows[] = {{0, "0 ns"}, {999, "999 ns"}, {1250, "1.25 µs"}, {12500000, "12.5 ms"},
		{2000000000, "2.00 s"}, {125000000000, "125 s"}, {999499, "999 µs"},
		{999500, "1.00 ms"}, {999600000, "1.00 s"}, {9994000000, "9.99 s"},
		{9996000000, "10.0 s"}, {99960000000, "100 s"}, {-999600000, "-1.00 s"}};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;

		buf_add_duration(&b, rows[i].ns);
		ASSERT_STR(b.data, rows[i].text);
	}
}

/* Every key that was set and not removed is found, whatever order they came and went in. */
TEST(hash_keeps_what_it_was_told)
{
	enum { KEYS = 5000 };
	static int values[KEYS];
	struct hash h = {0};
	size_t pos = 0, seen = 0;

	for (uint64_t k = 0; k < KEYS; k++)
		ASSERT(!hash_set(&h, k * 64, &values[k]));
	for (uint64_t k = 0; k < KEYS; k += 3)
		ASSERT(hash_del(&h, k * 64) == &values[k]);
	for (uint64_t k = 0; k < KEYS; k++)
		ASSERT(hash_get(&h, k * 64) == (k % 3 ? &values[k] : NULL));
	ASSERT(!hash_del(&h, 7));
	while (hash_next(&h, &pos))
		seen++;
	ASSERT_INT(seen, h.len);
	ASSERT_INT(seen, KEYS - (KEYS + 2) / 3);
	hash_done(&h);
}

TEST(steal_leaves_nothing_behind)
{
	_cleanup_free_ char *p = xstrdup("x");
	_cleanup_free_ char *q = steal(&p);

	ASSERT(!p);
	ASSERT_STR(q, "x");
}

TEST(text_fit_cuts_by_columns)
{
	_cleanup_free_ char *same = text_fit("short", 5);
	_cleanup_free_ char *cut = text_fit("a long command line", 10);
	_cleanup_free_ char *umlauts =
		text_fit("\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f\xc3\xa4\xc3\xb6", 5);
	_cleanup_free_ char *wide = text_fit("日本語の名前とても長い", 10);
	_cleanup_free_ char *few = text_fit("日本語", 3);
	_cleanup_free_ char *marks = text_fit("e\xcc\x81"
					      "e\xcc\x81"
					      "e\xcc\x81"
					      "e\xcc\x81"
					      "e\xcc\x81",
		4);

	ASSERT_STR(same, "short");
	ASSERT_STR(cut, "a long\xe2\x80\xa6ine");
	ASSERT_INT(text_width(cut), 10);
	ASSERT_INT(text_width(umlauts), 5);
	ASSERT_STR(wide, "日本語…い");
	ASSERT_STR(few, "日");
	ASSERT_STR(marks, "e\xcc\x81"
			  "e\xcc\x81"
			  "…"
			  "e\xcc\x81");
}

TEST(text_width_is_that_of_a_terminal)
{
	ASSERT_INT(text_width("\xe6\xbc\xa2"), 2);
	ASSERT_INT(text_width("한국어 イヌ"), 11);
	ASSERT_INT(text_width("🚀⌚✅"), 6);
	ASSERT_INT(text_width("✖ ◆ ▼ → │ … ↳"), 13);
	ASSERT_INT(text_width("e\xcc\x81"), 1);
	ASSERT_INT(text_width("שָׁלוֹם"), 4);
	ASSERT_INT(text_width("\xe2\x80\x8b"), 0);
}

/* A text of few columns is one of few bytes, or Graphviz could not read it. */
TEST(text_of_many_marks_is_cut)
{
	enum { N = 10000 };
	_cleanup_buf_ struct buf b = BUF_INIT;
	_cleanup_free_ char *cut = NULL;
	size_t columns;

	buf_adds(&b, "e");
	for (int i = 0; i < N; i++)
		buf_adds(&b, "\xcc\x81");
	cut = text_fit(b.data, 240);
	ASSERT(strlen(cut) <= 240 * TEXT_CHAR_MAX);
	ASSERT(text_char(b.data, &columns) <= TEXT_CHAR_MAX);
	ASSERT_INT(columns, 1);
	ASSERT_INT(text_char("", &columns), 0);
}

/* What an interpreter runs, of arguments that are parted by blanks. */
static bool runs(const char *path, const char *arguments, const char *want)
{
	char argv[256], *program;
	size_t len = strlen(arguments) + 1;
	bool is_wanted;

	memcpy(argv, arguments, len);
	for (char *c = argv; *c; c++)
		*c = *c == ' ' ? '\0' : *c;
	program = script_of(path, argv, len);
	is_wanted = want ? program && !strcmp(program, want) : !program;
	free(program);
	return is_wanted;
}

TEST(program_of_interpreter)
{
	ASSERT(runs("/usr/bin/python3.11", "python3 -u -W error /srv/bank.py --now", "bank.py"));
	ASSERT(runs("/usr/bin/python3", "python3 -Bm http.server 80", "http.server"));
	ASSERT(runs("/usr/bin/python3", "python3 -mpytest", "pytest"));
	ASSERT(runs("/usr/bin/python3", "python3 -c print(1) x.py", NULL));
	ASSERT(runs("/usr/bin/python3", "python3 -uc print(1) x.py", NULL));
	ASSERT(runs("/usr/bin/python3", "python3 - x.py", NULL));
	ASSERT(runs("/usr/bin/python3", "python3", NULL));
	ASSERT(runs("/usr/bin/python3", "python3 -m", NULL));
	ASSERT(runs("/usr/bin/python3", "python3 -- -x.py", "-x.py"));
	ASSERT(runs("/usr/bin/python3", "python3 /srv/", NULL));
	ASSERT(runs("/usr/bin/ruby3.1", "ruby -w -rjson -I lib bin/pool", "pool"));
	ASSERT(runs("/usr/bin/ruby", "ruby -e p(1) x.rb", NULL));
	ASSERT(runs("/usr/bin/node", "node --enable-source-maps -r esm server.js", "server.js"));
	ASSERT(runs("/usr/bin/pythonic", "pythonic x.py", NULL));
	ASSERT(runs("/usr/bin/cat", "cat x.py", NULL));
	ASSERT(runs("/usr/bin/python3", "python3 /srv/bank/__main__.py", "bank"));
	ASSERT(runs("/usr/bin/python3", "python3 __main__.py", "__main__.py"));
	ASSERT(runs("/usr/bin/python3", "python3 /__main__.py", "__main__.py"));
	/* One that is cut is not known. */
	ASSERT(script_of("/usr/bin/python3", "python3\0x.py", 12) == NULL);
	ASSERT(script_of("/usr/bin/python3", NULL, 0) == NULL);
}

TEST(name_of_a_script)
{
	static const char *const rows[][2] = {{"/srv/bank.py", "bank.py"}, {"bank.py", "bank.py"},
		{"/srv/bank/__main__.py", "bank"}, {"bank.pyz/__main__.py", "bank.pyz"},
		{"/__main__.py", "__main__.py"}, {"//__main__.py", "__main__.py"}, {"/srv/", ""},
		{"<string>", ""}, {"-e", ""}, {"", ""}};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *name = script_name(rows[i][0]);

		ASSERT_STR(name ? name : "", rows[i][1]);
	}
}

TEST(times_do_not_leave_their_range)
{
	ASSERT(ns_add(1, 2) == 3);
	ASSERT(ns_sub(1, 2) == -1);
	ASSERT(ns_add(INT64_MAX, 1) == INT64_MAX);
	ASSERT(ns_add(INT64_MIN, -1) == INT64_MIN);
	ASSERT(ns_sub(INT64_MIN, 2000000000) == INT64_MIN);
	ASSERT(ns_sub(INT64_MAX, INT64_MIN) == INT64_MAX);
}

TEST(proc_comm)
{
	char comm[PROC_COMM];

	ASSERT(prctl(PR_SET_NAME, "two\nlines, cut here") == 0);
	proc_comm((uint32_t)getpid(), comm);
	ASSERT_STR(comm, "two\nlines, cut ");
	ASSERT(prctl(PR_SET_NAME, "short") == 0);
	proc_comm((uint32_t)getpid(), comm);
	ASSERT_STR(comm, "short");
	proc_comm(UINT32_MAX, comm);
	ASSERT_STR(comm, "");
}

TEST(source_headers)
{
	ASSERT(source_is_header("/usr/include/c++/12/mutex"));
	ASSERT(source_is_header("/usr/include/x86_64-linux-gnu/c++/12/bits/gthr-default.h"));
	ASSERT(source_is_header(
		"/usr/bin/../lib/gcc/x86_64-linux-gnu/12/../../../../include/c++/12/mutex"));
	ASSERT(source_is_header("/usr/lib/llvm-14/bin/../include/c++/v1/mutex"));
	ASSERT(source_is_header("/opt/gcc/include/c++/13/mutex"));
	ASSERT(!source_is_header("/home/u/bin/../include/lock.h"));
	ASSERT(!source_is_header("/usr/src/app/main.cc"));
	ASSERT(!source_is_header("include/lock.h"));
	ASSERT(!source_is_header(""));
}
