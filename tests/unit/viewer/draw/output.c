/* output.c - a file appears whole or not at all. */
/* SPDX-License-Identifier: MIT */
#include "viewer/draw/output.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "tests/unit/test.h"

static char *in_new_folder(const char *name)
{
	char folder[] = "/tmp/pptrace-unit.XXXXXX";

	ASSERT(mkdtemp(folder));
	return xasprintf("%s/%s", folder, name);
}

static void remove_folder(const char *path)
{
	_cleanup_free_ char *folder = xstrndup(path, (size_t)(strrchr(path, '/') - path));

	(void)unlink(path);
	ASSERT_INT(rmdir(folder), 0); /* nothing else may be left in it */
}

static void write_text(const char *path, const char *text, bool good)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct output o;

	ASSERT_INT(output_open(&o, path, 0600, &why), 0);
	ASSERT(fputs(text, o.f) >= 0);
	ASSERT_INT(output_close(&o, good, &why), 0);
}

static void assert_text(const char *path, const char *want)
{
	char got[64] = "";
	_cleanup_fclose_ FILE *f = fopen(path, "r");

	ASSERT(f);
	ASSERT(fgets(got, sizeof got, f));
	ASSERT_STR(got, want);
}

TEST(output_replaces_the_old_one_at_the_end)
{
	_cleanup_free_ char *path = in_new_folder("x.json");
	struct stat st;

	write_text(path, "old", true);
	write_text(path, "half", false);
	assert_text(path, "old");
	write_text(path, "new", true);
	assert_text(path, "new");
	ASSERT_INT(stat(path, &st), 0);
	ASSERT_INT(st.st_mode & 0777, 0600);
	remove_folder(path);
}

TEST(output_follows_no_link)
{
	_cleanup_free_ char *path = in_new_folder("link");
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct output o;

	ASSERT_INT(symlink("/dev/null", path), 0);
	ASSERT_INT(output_open(&o, path, 0600, &why), -ELOOP);
	ASSERT(strstr(why.data, "symbolic link"));
	remove_folder(path);
}

TEST(output_tells_of_a_full_disk)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct output o;

	ASSERT_INT(output_open(&o, "/dev/full", 0600, &why), 0);
	ASSERT(fputs("x", o.f) >= 0);
	ASSERT_INT(output_close(&o, true, &why), -ENOSPC);
	ASSERT(strstr(why.data, "/dev/full"));
}

TEST(output_at_once)
{
	enum { LARGE = 1 << 20 }; /* more than a stream buffers */
	_cleanup_free_ char *path = in_new_folder("x.svg"), *data = xcalloc(1, LARGE);
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct stat st;

	ASSERT_INT(output_write(path, data, LARGE, &why), 0);
	ASSERT_INT(stat(path, &st), 0);
	ASSERT_INT(st.st_size, LARGE);
	ASSERT_INT(output_write("/dev/full", data, LARGE, &why), -ENOSPC);
	ASSERT_STR(why.data, "cannot write /dev/full: No space left on device");
	remove_folder(path);
}
