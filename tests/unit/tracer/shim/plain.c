/* plain.c - which programs need no preload library. */
/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"

#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "schema/plain.h"
#include "schema/record.h"
#include "tracer/shim/shim.h"

enum { PID = 7 };

static char dir[] = "/tmp/pptrace-plain-XXXXXX";

static struct plain *begin(void)
{
	struct plain *p;

	ASSERT(mkdtemp(dir));
	p = plain_new(dir, geteuid());
	ASSERT(p);
	return p;
}

static void end(struct plain *p)
{
	plain_free(p);
	arena_remove(dir);
	ASSERT(access(dir, F_OK) < 0);
}

static struct rec_EXEC exec_of(const char *path)
{
	struct rec_EXEC e = {.head = {.kind = REC_EXEC, .size = sizeof e, .pid = PID, .tid = PID}};
	struct stat st;

	ASSERT(stat(path, &st) == 0);
	e.dev = st.st_dev;
	e.inode = st.st_ino;
	e.head.ts = clock_now();
	return e;
}

static void run(struct plain *p, const char *program)
{
	struct rec_EXEC e = exec_of(program);

	plain_see(p, &e.head);
}

static void map_as(struct plain *p, const char *path, const struct stat *st)
{
	struct rec_MODULE m = {
		.head = {.kind = REC_MODULE, .size = sizeof m, .pid = PID, .tid = PID}};

	ASSERT(strlen(path) < sizeof m.path);
	memcpy(m.path, path, strlen(path));
	m.dev = st->st_dev;
	m.inode = st->st_ino;
	plain_see(p, &m.head);
}

static void map(struct plain *p, const char *path)
{
	char real[4096];
	struct stat st;

	ASSERT(realpath(path, real) && stat(real, &st) == 0);
	map_as(p, real, &st);
}

/* The file of a library that is loaded here. */
static const char *library(const char *part)
{
	for (const struct link_map *l = _r_debug.r_map; l; l = l->l_next)
		if (strstr(l->l_name, part))
			return l->l_name;
	SKIP("another C library");
}

static void map_libc(struct plain *p)
{
	map(p, library("/ld-linux"));
	map(p, library("/libc.so.6"));
}

static bool is_plain(struct plain *p, const char *program)
{
	struct rec_EXEC e = exec_of(program);

	return plain_was(p, &e);
}

/* The table as programs see it. */
static unsigned entries(const char *program)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, PLAIN_FILE);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct plain_entry e[PLAIN_TRIES];
	unsigned found = 0;
	struct stat st;

	ASSERT(stat(program, &st) == 0);
	ASSERT_INT(pread(fd, e, sizeof e, (off_t)(plain_place(st.st_dev, st.st_ino) * sizeof *e)),
		sizeof e);
	for (int i = 0; i < PLAIN_TRIES; i++)
		found += e[i].mark == PLAIN_MARK && e[i].inode == st.st_ino &&
			 e[i].dev == st.st_dev && e[i].size == (uint64_t)st.st_size &&
			 e[i].mtime_ns == plain_mtime(&st);
	return found;
}

TEST(a_program_of_the_c_library_alone_is_plain_once_it_was_seen)
{
	const struct stat shim = {.st_dev = 1, .st_ino = 1};
	struct plain *p = begin();
	struct rec_EXEC before;

	run(p, "/bin/true");
	before = exec_of("/bin/true");
	map(p, "/bin/true");
	map_as(p, "/no/such/" PRELOAD_LIBRARY, &shim);
	map(p, library("/ld-linux"));
	ASSERT(!is_plain(p, "/bin/true"));
	map(p, library("/libc.so.6"));
	ASSERT(is_plain(p, "/bin/true"));
	ASSERT(!plain_was(p, &before));
	ASSERT_INT(entries("/bin/true"), 1);
	run(p, "/bin/true");
	map(p, "/bin/true");
	map_libc(p);
	ASSERT_INT(entries("/bin/true"), 1);
	end(p);
}

TEST(a_program_that_executes_others_is_not_plain)
{
	struct plain *p = begin();

	run(p, "/bin/sh");
	map(p, "/bin/sh");
	map_libc(p);
	ASSERT(!is_plain(p, "/bin/sh"));
	ASSERT_INT(entries("/bin/sh"), 0);
	end(p);
}

TEST(a_program_whose_library_takes_locks_is_not_plain)
{
	struct plain *p = begin();

	run(p, "/bin/true");
	map(p, "/bin/true");
	/* This program's own file does. */
	map(p, "/proc/self/exe");
	map_libc(p);
	ASSERT(!is_plain(p, "/bin/true"));
	ASSERT_INT(entries("/bin/true"), 0);
	end(p);
}

TEST(a_program_that_ended_before_its_libraries_were_there_is_not_known)
{
	struct rec_EXIT exit = {
		.head = {.kind = REC_EXIT, .size = sizeof exit, .pid = PID, .tid = PID}, .last = 1};
	struct plain *p = begin();

	run(p, "/bin/true");
	map(p, "/bin/true");
	plain_see(p, &exit.head);
	map_libc(p);
	ASSERT(!is_plain(p, "/bin/true"));
	run(p, "/bin/true");
	map(p, "/bin/true");
	map_libc(p);
	ASSERT(is_plain(p, "/bin/true"));
	end(p);
}

TEST(a_file_that_is_not_the_one_that_was_mapped_says_nothing)
{
	struct plain *p = begin();
	struct stat st;

	ASSERT(stat("/bin/true", &st) == 0);
	run(p, "/bin/true");
	map_as(p, "/bin/cat", &st);
	map_libc(p);
	ASSERT(!is_plain(p, "/bin/true"));
	end(p);
}
