/* address.c - where the server is, and as whom to speak to it. */
/* SPDX-License-Identifier: MIT */
#include "fleet/private.h"

#include "base/buf.h"
#include "base/mem.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int wrong(struct buf *why, const char *what)
{
	buf_adds(why, what);
	return -EINVAL;
}

/* Sets *to to a copy of len bytes of s, with %XX as the bytes that they stand for. */
static void set_decoded(char **to, const char *s, size_t len)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	for (size_t i = 0; i < len; i++) {
		char hex[3] = {0};

		if (s[i] == '%' && i + 2 < len && isxdigit((unsigned char)s[i + 1]) &&
			isxdigit((unsigned char)s[i + 2])) {
			hex[0] = s[i + 1];
			hex[1] = s[i + 2];
			buf_addc(&b, (char)strtoul(hex, NULL, 16));
			i += 2;
		} else {
			buf_addc(&b, s[i]);
		}
	}
	free(*to);
	*to = buf_steal(&b);
}

static bool is_name(const char *s)
{
	if (!isalpha((unsigned char)*s) && *s != '_')
		return false;
	while (isalnum((unsigned char)*s) || *s == '_')
		s++;
	return !*s;
}

/* A header of HTTP ends where its line does. */
static bool is_line(const char *s)
{
	while (s && *s && !iscntrl((unsigned char)*s))
		s++;
	return !s || !*s;
}

static bool is_host(const char *s)
{
	if (!*s || *s == ':')
		return false;
	while (isalnum((unsigned char)*s) || (*s && strchr("-._:[]", *s)))
		s++;
	return !*s;
}

/* "user[:password]" */
static int read_user(struct address *a, const char *s, size_t len, bool visible, struct buf *why)
{
	const char *colon = memchr(s, ':', len);

	if (colon && visible)
		return wrong(why,
			"a password on the command line is seen by everybody in ps: put the address into "
			"PPTRACE_URL, or the password into PPTRACE_PASSWORD or a file (--password-file)");
	set_decoded(&a->user, s, colon ? (size_t)(colon - s) : len);
	if (colon)
		set_decoded(&a->password, colon + 1, len - (size_t)(colon + 1 - s));
	return 0;
}

static int read_url(struct address *a, const char *url, bool visible, struct buf *why)
{
	static const char form[] =
		"the address of a server is http://HOST:8123/DATABASE, or https://...";
	size_t scheme = !strncmp(url, "http://", 7) ? 7 : !strncmp(url, "https://", 8) ? 8 : 0;
	const char *rest = url + scheme, *slash = strchr(rest, '/'), *at;
	_cleanup_free_ char *host = NULL;
	int rc = 0;

	if (!scheme)
		return wrong(why, form);
	if (!slash)
		slash = rest + strlen(rest);
	at = memrchr(rest, '@', (size_t)(slash - rest));
	if (at) {
		rc = read_user(a, rest, (size_t)(at - rest), visible, why);
		rest = at + 1;
	}
	if (rc)
		return rc;
	host = xstrndup(rest, (size_t)(slash - rest));
	if (!is_host(host))
		return wrong(why, form);
	a->base = xasprintf("%.*s%s", (int)scheme, url, host);
	a->database = xstrdup(slash[0] && slash[1] ? slash + 1 : "pptrace");
	if (!is_name(a->database))
		return wrong(why, "the name of a database is made of letters, digits and _");
	return 0;
}

/* The first line of a file that nobody else may read. */
static int read_password(struct address *a, const char *path, struct buf *why)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char text[4096];
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0) {
		buf_addf(why, "cannot read the password from %s: %m", path);
		return -EACCES;
	}
	if (!S_ISREG(st.st_mode) || st.st_mode & 077) {
		buf_addf(why,
			"%s may be read by others, or is no plain file: a file with a password has mode 0600",
			path);
		return -EACCES;
	}
	n = read(fd, text, sizeof text - 1);
	text[n > 0 ? n : 0] = '\0';
	free(a->password);
	a->password = xstrndup(text, strcspn(text, "\r\n"));
	return 0;
}

static void take_from_environment(char **value, const char *name)
{
	const char *text = getenv(name);

	if (!text)
		return;
	free(*value);
	*value = xstrdup(text);
}

int address_read(struct address *ret, const char *url, const char *password_file, struct buf *why)
{
	const char *from_environment = getenv("PPTRACE_URL");
	int rc;

	*ret = (struct address){0};
	if (!url && !from_environment)
		return wrong(why,
			"where to? Name the server with an address, http://HOST:8123/DATABASE, or in PPTRACE_URL");
	rc = read_url(ret, url ? url : from_environment, url != NULL, why);
	take_from_environment(&ret->user, "PPTRACE_USER");
	take_from_environment(&ret->password, "PPTRACE_PASSWORD");
	if (!password_file)
		password_file = getenv("PPTRACE_PASSWORD_FILE");
	if (!rc && password_file)
		rc = read_password(ret, password_file, why);
	if (!rc && (!is_line(ret->user) || !is_line(ret->password)))
		rc = wrong(why, "a user's name or password has control characters in it");
	if (rc)
		address_done(ret);
	return rc;
}

void address_copy(struct address *ret, const struct address *a)
{
	*ret = (struct address){.base = xstrdup(a->base),
		.database = xstrdup(a->database),
		.user = a->user ? xstrdup(a->user) : NULL,
		.password = a->password ? xstrdup(a->password) : NULL};
}

void address_done(struct address *a)
{
	free(a->base);
	free(a->database);
	free(a->user);
	if (a->password)
		explicit_bzero(a->password, strlen(a->password));
	free(a->password);
	*a = (struct address){0};
}
