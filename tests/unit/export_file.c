/* export_file.c - a file appears whole or not at all. */
/* SPDX-License-Identifier: MIT */
#include "viewer/export_file.h"

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
	struct export_file e;

	ASSERT_INT(export_file_open(&e, path, &why), 0);
	ASSERT(fputs(text, e.f) >= 0);
	ASSERT_INT(export_file_close(&e, good, &why), 0);
}

static void assert_text(const char *path, const char *want)
{
	char got[64] = "";
	_cleanup_fclose_ FILE *f = fopen(path, "r");

	ASSERT(f);
	ASSERT(fgets(got, sizeof got, f));
	ASSERT_STR(got, want);
}

TEST(export_file_replaces_the_old_one_at_the_end)
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

TEST(export_file_follows_no_link)
{
	_cleanup_free_ char *path = in_new_folder("link");
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct export_file e;

	ASSERT_INT(symlink("/dev/null", path), 0);
	ASSERT_INT(export_file_open(&e, path, &why), -ELOOP);
	ASSERT(strstr(why.data, "symbolic link"));
	remove_folder(path);
}

TEST(export_file_tells_of_a_full_disk)
{
	_cleanup_buf_ struct buf why = BUF_INIT;
	struct export_file e;

	ASSERT_INT(export_file_open(&e, "/dev/full", &why), 0);
	ASSERT(fputs("x", e.f) >= 0);
	ASSERT_INT(export_file_close(&e, true, &why), -ENOSPC);
	ASSERT(strstr(why.data, "/dev/full"));
}
