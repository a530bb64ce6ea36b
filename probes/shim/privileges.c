/* privileges.c - before a process gives up the right or the way to reach the arena, it is mapped. */
/* SPDX-License-Identifier: MIT */
#include <grp.h>
#include <sched.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "probes/shim/shim.h"
#include "probes/shim/filter.h"
#include "probes/shim/options.h"

REAL(chroot)
REAL(setuid)
REAL(seteuid)
REAL(setreuid)
REAL(setresuid)
REAL(setns)
REAL(unshare)
REAL(prctl)

/* The mapping stays, whatever becomes of the process; its children inherit it. */
static void prepare(void)
{
	if (!shim_options.ready)
		shim_options_read();
	if (shim_options.arena[0])
		(void)shim_active();
}

WRAPPER(chroot) chroot;
int chroot(const char *path)
{
	prepare();
	return real_chroot()(path);
}

WRAPPER(setuid) setuid;
int setuid(uid_t uid)
{
	prepare();
	return real_setuid()(uid);
}

WRAPPER(seteuid) seteuid;
int seteuid(uid_t uid)
{
	prepare();
	return real_seteuid()(uid);
}

WRAPPER(setreuid) setreuid;
int setreuid(uid_t real, uid_t effective)
{
	prepare();
	return real_setreuid()(real, effective);
}

WRAPPER(setresuid) setresuid;
int setresuid(uid_t real, uid_t effective, uid_t saved)
{
	prepare();
	return real_setresuid()(real, effective, saved);
}

WRAPPER(setns) setns;
int setns(int fd, int type)
{
	prepare();
	return real_setns()(fd, type);
}

WRAPPER(unshare) unshare;
int unshare(int flags)
{
	prepare();
	return real_unshare()(flags);
}

static void named(const char *name)
{
	struct rec_COMM r;

	memset(&r, 0, sizeof r);
	memcpy(r.comm, name, strnlen(name, sizeof r.comm - 1));
	RECORD(COMM, &r);
}

/*
 * A filter for system calls may end the process for a call that it would not
 * make by itself. A program that installs one first gives up new privileges; from then on
 * no file is opened any more.
 */
WRAPPER(prctl) prctl;
int prctl(int option, ...)
{
	unsigned long a[4];
	va_list ap;
	int rc;

	va_start(ap, option);
	for (int i = 0; i < 4; i++)
		a[i] = va_arg(ap, unsigned long);
	va_end(ap);
	if (option == PR_SET_SECCOMP)
		filter_comes((long)a[0], (const void *)a[1]);
	else if (option == PR_SET_NO_NEW_PRIVS)
		filter_prepare();
	else if (option == PR_SET_TSC && a[0] == PR_TSC_SIGSEGV)
		shim_mute();
	rc = real_prctl()(option, a[0], a[1], a[2], a[3]);
	if (rc == 0 && option == PR_SET_NAME && shim_everything())
		named((const char *)a[0]);
	return rc;
}
