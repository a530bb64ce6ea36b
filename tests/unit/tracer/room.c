/* room.c - tests of tracer/room.h. */
/* SPDX-License-Identifier: MIT */
#include "tests/unit/test.h"
#include "tracer/room.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

enum { MIB = 1 << 20 };

/* A machine of 1000 MiB, half of it free, in a folder that the caller removes. */
static char *machine_make(void)
{
	char *dir = xstrdup("/tmp/pptrace-unit.XXXXXX");

	ASSERT(mkdtemp(dir));
	return dir;
}

static void machine_remove(char *dir)
{
	_cleanup_free_ char *command = xasprintf("rm -rf %s", dir);

	ASSERT_INT(system(command), 0);
	free(dir);
}

static void put(const char *dir, const char *path, const char *text)
{
	_cleanup_free_ char *command = xasprintf(
		"f=%s/%s; mkdir -p \"${f%%/*}\" && cat >\"$f\" <<'END'\n%s\nEND", dir, path, text);

	ASSERT_INT(system(command), 0);
}

static void put_memory(const char *dir)
{
	put(dir, "proc/meminfo",
		"MemTotal:        1024000 kB\nMemFree:  100 kB\nMemAvailable:     512000 kB");
}

static void expect(const char *dir, uint64_t left, uint64_t limit)
{
	struct room *r = room_new(dir);

	ASSERT_INT(room_left(r), left);
	ASSERT_INT(room_limit(r), limit);
	room_free(r);
}

TEST(room_without_groups_is_what_the_machine_has)
{
	char *dir = machine_make();

	expect(dir, UINT64_MAX, 0);
	put_memory(dir);
	expect(dir, 500ull * MIB, 0);
	machine_remove(dir);
}

TEST(room_of_version_1_is_that_of_the_tightest_ancestor)
{
	char *dir = machine_make();

	put_memory(dir);
	put(dir, "proc/self/cgroup", "5:cpu:/x\n4:memory,hugetlb:/a/b\n0::/");
	put(dir, "proc/self/mountinfo",
		"30 20 0:20 / /cg/cpu rw - cgroup cgroup rw,cpu\n"
		"31 20 0:21 / /cg/mem\\040ory rw,relatime - cgroup cgroup rw,hugetlb,memory");
	/* No limit of its own; 100 MiB of a and its children, of which 30 MiB are pages of files. */
	put(dir, "'cg/mem ory/a/b/memory.limit_in_bytes'", "9223372036854771712");
	put(dir, "'cg/mem ory/a/b/memory.usage_in_bytes'", "1048576");
	put(dir, "'cg/mem ory/a/memory.limit_in_bytes'", "104857600");
	put(dir, "'cg/mem ory/a/memory.usage_in_bytes'", "73400320");
	put(dir, "'cg/mem ory/a/memory.stat'",
		"inactive_file 5\ntotal_inactive_file 10485760\ntotal_active_file 20971520");
	expect(dir, 60ull * MIB, 100ull * MIB);
	machine_remove(dir);
}

TEST(room_of_version_2_has_two_limits)
{
	char *dir = machine_make();

	put_memory(dir);
	put(dir, "proc/self/cgroup", "0::/box/app");
	put(dir, "proc/self/mountinfo", "31 20 0:21 / /cg rw - cgroup2 cgroup2 rw,nsdelegate");
	put(dir, "cg/box/app/memory.max", "max");
	put(dir, "cg/box/app/memory.high", "209715200");
	put(dir, "cg/box/app/memory.current", "104857600");
	put(dir, "cg/box/app/memory.stat", "anon 1\nfile 9\ninactive_file 1048576\nactive_file 0");
	expect(dir, 101ull * MIB, 200ull * MIB);
	put(dir, "cg/box/memory.max", "115343360");
	put(dir, "cg/box/memory.current", "110100480");
	expect(dir, 5ull * MIB, 110ull * MIB);
	machine_remove(dir);
}

TEST(room_in_a_container_is_that_of_the_mounted_part)
{
	char *dir = machine_make();

	put_memory(dir);
	put(dir, "cg/memory.max", "67108864");
	put(dir, "cg/memory.current", "1048576");
	/* The names are those of the outside, or lead out of what is mounted. */
	put(dir, "proc/self/mountinfo", "31 20 0:21 /docker/1 /cg rw - cgroup2 cgroup2 rw");
	put(dir, "proc/self/cgroup", "0::/docker/1");
	expect(dir, 63ull * MIB, 64ull * MIB);
	put(dir, "proc/self/cgroup", "0::/../../elsewhere");
	expect(dir, 63ull * MIB, 64ull * MIB);
	put(dir, "proc/self/cgroup", "0::/");
	expect(dir, 63ull * MIB, 64ull * MIB);
	machine_remove(dir);
}

TEST(room_survives_nonsense)
{
	char *dir = machine_make();

	put(dir, "proc/meminfo", "MemAvailable: many kB");
	put(dir, "proc/self/cgroup", "\n:\n::\n4:memory\n0::/x");
	put(dir, "proc/self/mountinfo", " - \n1 2 3 - cgroup2\n1 2 3 / /cg - cgroup2 c rw");
	put(dir, "cg/x/memory.max", "-");
	expect(dir, UINT64_MAX, 0);
	machine_remove(dir);
}
