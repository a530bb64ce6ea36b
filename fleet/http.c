/* http.c - one request, by libcurl. */
/* SPDX-License-Identifier: MIT */
/*
 * libcurl brings two dozen libraries with it, which the loader would look for at every start of pptrace. So it is loaded
 * where it is needed, and the rest of pptrace neither waits for it nor needs it to be installed.
 */
#include "fleet/private.h"

#include "base/buf.h"
#include "base/mem.h"

#include <ctype.h>
#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>

#define CURL_FUNCTIONS(F)                                                                          \
	F(easy_init)                                                                               \
	F(easy_setopt)                                                                             \
	F(easy_perform)                                                                            \
	F(easy_getinfo) F(easy_cleanup) F(easy_strerror) F(slist_append) F(slist_free_all)

static struct {
	void *library;
#define MEMBER(name) __typeof__(curl_##name) *name;
	CURL_FUNCTIONS(MEMBER)
#undef MEMBER
} lib;

/* curl.h wraps it to check the types of its arguments, which cannot be done through a pointer. */
#undef curl_easy_setopt
#undef curl_easy_getinfo

struct http {
	CURL *curl;
	struct curl_slist *headers;
	char *base;
	char error[CURL_ERROR_SIZE];
	http_data data;
	void *arg;
	struct buf refusal; /* what came with another status than 200 */
};

static int load(struct buf *why)
{
	if (lib.library)
		return 0;
	lib.library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
	if (!lib.library) {
		buf_adds(why,
			"libcurl, which speaks to the server, is not installed (Debian: libcurl4)");
		return -ENOSYS;
	}
#define FIND(name) *(void **)&lib.name = dlsym(lib.library, "curl_" #name);
	CURL_FUNCTIONS(FIND)
#undef FIND
#define IS_THERE(name) &&lib.name
	if (1 CURL_FUNCTIONS(IS_THERE))
		return 0;
#undef IS_THERE
	buf_adds(why, "the libcurl that is installed lacks a function that pptrace needs");
	lib.library = NULL;
	return -ENOSYS;
}

static void add_header(struct http *h, const char *name, const char *value)
{
	_cleanup_free_ char *line = xasprintf("%s: %s", name, value);

	h->headers = lib.slist_append(h->headers, line);
}

static size_t on_data(char *data, size_t size, size_t n, void *arg)
{
	enum { REFUSAL_MAX = 65536 };
	struct http *h = arg;
	long status = 0;

	(void)lib.easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status == 200)
		return h->data(h->arg, data, size * n) ? 0 : size * n;
	if (h->refusal.len < REFUSAL_MAX)
		buf_add(&h->refusal, data, size * n);
	return size * n;
}

int http_new(struct http **ret, const struct address *a, struct buf *why)
{
	enum { CONNECT_SECONDS = 10, SILENT_SECONDS = 120, BUFFER_BYTES = 512 << 10 };
	struct http *h;
	int rc = load(why);

	if (rc)
		return rc;
	h = xcalloc(1, sizeof *h);
	h->refusal = BUF_INIT;
	h->curl = lib.easy_init();
	if (!h->curl) {
		free(h);
		buf_adds(why, "libcurl cannot be used");
		return -ENOSYS;
	}
	h->base = xstrdup(a->base);
	if (a->user)
		add_header(h, "X-ClickHouse-User", a->user);
	if (a->password)
		add_header(h, "X-ClickHouse-Key", a->password);
	h->headers = lib.slist_append(h->headers, "Expect:");
	(void)lib.easy_setopt(h->curl, CURLOPT_HTTPHEADER, h->headers);
	(void)lib.easy_setopt(h->curl, CURLOPT_ERRORBUFFER, h->error);
	(void)lib.easy_setopt(h->curl, CURLOPT_NOSIGNAL, 1L);
	(void)lib.easy_setopt(h->curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
	(void)lib.easy_setopt(h->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	(void)lib.easy_setopt(h->curl, CURLOPT_LOW_SPEED_TIME, (long)SILENT_SECONDS);
	(void)lib.easy_setopt(h->curl, CURLOPT_USERAGENT, "pptrace/" PPTRACE_VERSION);
	(void)lib.easy_setopt(h->curl, CURLOPT_BUFFERSIZE, (long)BUFFER_BYTES);
	(void)lib.easy_setopt(h->curl, CURLOPT_UPLOAD_BUFFERSIZE, (long)BUFFER_BYTES);
	(void)lib.easy_setopt(h->curl, CURLOPT_WRITEFUNCTION, on_data);
	(void)lib.easy_setopt(h->curl, CURLOPT_WRITEDATA, h);
	*ret = h;
	return 0;
}

void http_free(struct http *h)
{
	if (!h)
		return;
	lib.easy_cleanup(h->curl);
	lib.slist_free_all(h->headers);
	buf_done(&h->refusal);
	free(h->base);
	free(h);
}

const char *http_refusal(const struct http *h)
{
	return h->refusal.data;
}

char *http_escape(const char *text)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	for (; *text; text++) {
		if (isalnum((unsigned char)*text) || strchr("-_.~", *text))
			buf_addc(&b, *text);
		else
			buf_addf(&b, "%%%02X", (unsigned)(unsigned char)*text);
	}
	return buf_steal(&b);
}

int http_post(struct http *h, const char *parameters, const void *body, size_t len, http_data data,
	void *arg, struct buf *why)
{
	_cleanup_free_ char *url = xasprintf("%s/?%s", h->base, parameters);
	long status = 0;
	CURLcode rc;

	h->data = data;
	h->arg = arg;
	buf_reset(&h->refusal);
	h->error[0] = '\0';
	(void)lib.easy_setopt(h->curl, CURLOPT_URL, url);
	(void)lib.easy_setopt(h->curl, CURLOPT_POST, 1L);
	(void)lib.easy_setopt(h->curl, CURLOPT_POSTFIELDS, body);
	(void)lib.easy_setopt(h->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
	rc = lib.easy_perform(h->curl);
	if (rc != CURLE_OK) {
		buf_addf(why, "%s: %s", h->base, h->error[0] ? h->error : lib.easy_strerror(rc));
		return -EIO;
	}
	(void)lib.easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &status);
	return (int)status;
}
