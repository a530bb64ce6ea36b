/* say.c - what pptrace says on the terminal: errors, warnings, colours. */
/* SPDX-License-Identifier: MIT */
#include "cli/common/say.h"

#include <errno.h>
#include <stdarg.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

static struct {
	int status;
	bool quiet, verbose;
	enum { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER } color;
} say = {.status = 1};

/* Writes one message in one call, so that it does not mix with what the traced program prints. */
__attribute__((format(printf, 2, 0))) static void vsay(
	const char *kind, const char *fmt, va_list ap)
{
	_cleanup_buf_ struct buf raw = BUF_INIT, out = BUF_INIT;
	int error = errno;
	size_t start = 0;

	buf_vaddf(&raw, fmt, ap);
	if (raw.len && raw.data[raw.len - 1] == ':')
		buf_addf(&raw, " %s", strerror(error));
	buf_addf(&out, "pptrace: %s", kind);
	for (size_t i = 0; i <= raw.len; i++) {
		if (i < raw.len && raw.data[i] != '\n')
			continue;
		buf_add_printable(&out, raw.data + start, i - start);
		buf_addc(&out, '\n');
		start = i + 1;
	}
	(void)fflush(stdout);
	(void)!write(STDERR_FILENO, out.data, out.len);
	errno = error;
}

void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay("", fmt, ap);
	va_end(ap);
	exit(say.status);
}

void warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay("", fmt, ap);
	va_end(ap);
}

void note(const char *fmt, ...)
{
	va_list ap;

	if (say.quiet)
		return;
	va_start(ap, fmt);
	vsay("", fmt, ap);
	va_end(ap);
}

void detail(const char *fmt, ...)
{
	va_list ap;

	if (!say.verbose)
		return;
	va_start(ap, fmt);
	vsay("", fmt, ap);
	va_end(ap);
}

void say_set_status(int status)
{
	say.status = status;
}

void say_flush(void)
{
	if ((fflush(stdout) || ferror(stdout)) && errno != EPIPE)
		die("cannot write to standard output:");
}

void say_set_quiet(bool quiet)
{
	say.quiet = quiet;
}

bool say_is_quiet(void)
{
	return say.quiet;
}

void say_set_verbose(bool verbose)
{
	say.verbose = verbose;
}

bool say_is_verbose(void)
{
	return say.verbose;
}

bool say_set_color(const char *when)
{
	if (!strcmp(when, "auto"))
		say.color = COLOR_AUTO;
	else if (!strcmp(when, "always"))
		say.color = COLOR_ALWAYS;
	else if (!strcmp(when, "never"))
		say.color = COLOR_NEVER;
	else
		return false;
	return true;
}

bool say_color(FILE *f)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (say.color != COLOR_AUTO)
		return say.color == COLOR_ALWAYS;
	if ((no_color && *no_color) || !term || !strcmp(term, "dumb"))
		return false;
	return isatty(fileno(f)) == 1;
}
