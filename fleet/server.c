/* server.c - what is said to ClickHouse, and said again where that may help. */
/* SPDX-License-Identifier: MIT */
#include "fleet/private.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>
#include <lz4.h>

/* No answer that is kept in memory is longer. */
enum { ANSWER_MAX = 256 << 20 };

int server_open(struct server **ret, const char *url, const char *password_file,
	int64_t patience_ns, struct buf *why)
{
	struct server *s = xcalloc(1, sizeof *s);
	int rc = address_read(&s->address, url, password_file, why);

	s->patience_ns = patience_ns;
	s->columns = BUF_INIT;
	if (!rc)
		rc = http_new(&s->http, &s->address, why);
	if (rc)
		server_close(s);
	else
		*ret = s;
	return rc;
}

int server_again(struct server **ret, const struct server *s, struct buf *why)
{
	struct server *again = xcalloc(1, sizeof *again);
	int rc;

	address_copy(&again->address, &s->address);
	again->patience_ns = s->patience_ns;
	again->columns = BUF_INIT;
	rc = http_new(&again->http, &again->address, why);
	if (rc)
		server_close(again);
	else
		*ret = again;
	return rc;
}

void server_close(struct server *s)
{
	if (!s)
		return;
	http_free(s->http);
	buf_done(&s->columns);
	free(s->cluster);
	address_done(&s->address);
	free(s);
}

const char *server_name(const struct server *s)
{
	return s->address.base;
}

const char *server_database(const struct server *s)
{
	return s->address.database;
}

void server_quote(struct buf *sql, const char *text)
{
	buf_addc(sql, '\'');
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			buf_addc(sql, '\\');
		buf_addc(sql, *text);
	}
	buf_addc(sql, '\'');
}

/* ---- What the server says when it refuses ---- */

/* Numbers of ClickHouse's ErrorCodes.cpp of what may be over soon: timeouts, too many parts or queries, no memory, no disk. */
static bool is_passing(int code)
{
	static const int codes[] = {
		159, 164, 202, 203, 209, 210, 236, 241, 242, 243, 252, 319, 425, 999};

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (codes[i] == code)
			return true;
	return false;
}

/* "Code: 193, e.displayText() = DB::Exception: Wrong password for user ada, e.what() = ..." */
static int explain(struct server *s, int status, const char *answer, struct buf *why)
{
	const char *text = strstr(answer, "DB::Exception: ");
	int code = sscanf(answer, "Code: %d", &code) == 1 ? code : 0;
	size_t len;

	s->code = code;
	text = text ? text + strlen("DB::Exception: ") : answer;
	len = strcspn(text, "\n");
	for (const char *what = strstr(text, ", e.what()"); what && (size_t)(what - text) < len;)
		len = (size_t)(what - text);
	buf_addf(why, "%s: ", s->address.base);
	if (!len)
		buf_addf(why, "answered with HTTP status %d", status);
	else
		buf_add_printable(why, text, len < 500 ? len : 500);
	return is_passing(code) || (!code && (status == 429 || status >= 502)) ? -EAGAIN : -EIO;
}

/* ---- Requests ---- */

struct answer {
	struct buf text; /* all of it, where nobody takes it piece by piece */
	http_data data;
	void *arg;
	bool any; /* some of it was handed on: it cannot be asked for again */
};

static int keep(void *arg, const char *data, size_t len)
{
	struct answer *a = arg;

	if (a->text.len + len > ANSWER_MAX)
		return -EFBIG;
	buf_add(&a->text, data, len);
	return 0;
}

static int hand_on(void *arg, const char *data, size_t len)
{
	struct answer *a = arg;

	a->any = true;
	return a->data(a->arg, data, len);
}

/* One try. Returns 0, -EAGAIN: it may work later; or -EIO. */
static int try_once(struct server *s, const char *parameters, const void *body, size_t len,
	struct answer *a, struct buf *why)
{
	int status;

	a->any = false;
	buf_reset(&a->text);
	buf_reset(why);
	status = http_post(s->http, parameters, body, len, a->data ? hand_on : keep, a, why);
	if (status < 0)
		return a->any ? -EIO : -EAGAIN;
	return status == 200 ? 0 : explain(s, status, http_refusal(s->http), why);
}

static void pause_for(int64_t ns)
{
	struct timespec ts = {ns / 1000000000, ns % 1000000000};

	(void)nanosleep(&ts, NULL);
}

/* Tries with longer and longer pauses until the patience is over. */
static int request(struct server *s, const char *parameters, const void *body, size_t len,
	struct answer *a, struct buf *why)
{
	const int64_t longest_ns = 5000000000;
	int64_t pause_ns = 100000000, end_ns = (int64_t)clock_now() + s->patience_ns;
	/*
	 * A question names what it is about in lists, of many hosts. In a cluster the server that is asked takes what
	 * IN is about from all others, and a row is in its shard before the answer comes.
	 */
	_cleanup_free_ char *all = xasprintf(
		"max_query_size=100000000&distributed_product_mode=global&insert_distributed_sync=1"
		"&distributed_ddl_task_timeout=30%s%s%s%s",
		s->nowhere ? "" : "&database=", s->nowhere ? "" : s->address.database,
		*parameters ? "&" : "", parameters);
	int rc;

	s->code = 0;
	while ((rc = try_once(s, all, body, len, a, why)) == -EAGAIN) {
		if ((int64_t)clock_now() + pause_ns > end_ns)
			return -EIO;
		s->retries++;
		pause_for(pause_ns);
		pause_ns = pause_ns * 2 < longest_ns ? pause_ns * 2 : longest_ns;
	}
	return rc;
}

int server_ask(struct server *s, const char *sql, struct buf *out, struct buf *why)
{
	struct answer a = {.text = BUF_INIT};
	int rc = request(s, "", sql, strlen(sql), &a, why);

	if (!rc && out)
		buf_add(out, a.text.data, a.text.len);
	buf_done(&a.text);
	return rc;
}

int server_number(struct server *s, const char *sql, uint64_t *ret, struct buf *why)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	int rc = server_ask(s, sql, &out, why);

	if (!rc)
		*ret = strtoull(out.data, NULL, 10);
	return rc;
}

char *server_line(char **rest)
{
	char *line = *rest, *end;

	if (!line || !*line)
		return NULL;
	end = line + strcspn(line, "\n");
	*rest = *end ? end + 1 : end;
	*end = '\0';
	return line;
}

int server_fields(char *line, char **fields, size_t n, struct buf *why)
{
	for (size_t i = 0; i < n; i++) {
		if (!line)
			return server_odd(why);
		fields[i] = line;
		line = strchr(line, '\t');
		if (line)
			*line++ = '\0';
	}
	return 0;
}

int server_odd(struct buf *why)
{
	buf_adds(why, "the server answered something else than was asked for");
	return -EIO;
}

int server_read(struct server *s, const char *sql, http_data data, void *arg, struct buf *why)
{
	struct answer a = {.text = BUF_INIT, .data = data, .arg = arg};
	int rc = request(s, "", sql, strlen(sql), &a, why);

	buf_done(&a.text);
	return rc;
}

int server_query(struct server *s, const char *sql, const char *format, http_data data, void *arg,
	struct buf *why)
{
	struct answer a = {.text = BUF_INIT, .data = data, .arg = arg};
	_cleanup_free_ char *parameters = xasprintf("readonly=1&default_format=%s", format);
	int rc = request(s, parameters, sql, strlen(sql), &a, why);

	buf_done(&a.text);
	return rc;
}

/* ---- Compressed ---- */

/*
 * ClickHouse's own frames: 16 bytes of a checksum, that of CityHash, which it can be told not to look at (TCP has its
 * own); the method; the length from there on; the length of what was compressed; the block.
 */
enum {
	FRAME_CHECKSUM = 16,
	FRAME_HEAD = FRAME_CHECKSUM + 9,
	FRAME_LZ4 = 0x82,
	FRAME_BYTES = 1 << 20
};

static void put_u32(char *at, size_t n)
{
	for (int i = 0; i < 4; i++)
		at[i] = (char)(n >> (8 * i));
}

static void add_frame(struct buf *b, const char *data, size_t len)
{
	char *frame = xmalloc(FRAME_HEAD + (size_t)LZ4_compressBound((int)len));
	int n = LZ4_compress_fast(
		data, frame + FRAME_HEAD, (int)len, LZ4_compressBound((int)len), 1);

	for (int i = 0; i < FRAME_CHECKSUM; i++)
		frame[i] = 0;
	frame[FRAME_CHECKSUM] = (char)FRAME_LZ4;
	put_u32(frame + FRAME_CHECKSUM + 1, (size_t)n + FRAME_HEAD - FRAME_CHECKSUM);
	put_u32(frame + FRAME_CHECKSUM + 5, len);
	buf_add(b, frame, (size_t)n + FRAME_HEAD);
	free(frame);
}

int server_insert(
	struct server *s, const char *insert, const void *rows, size_t len, struct buf *why)
{
	struct answer a = {.text = BUF_INIT};
	_cleanup_buf_ struct buf body = BUF_INIT;
	_cleanup_free_ char *query = http_escape(insert);
	_cleanup_free_ char *parameters = xasprintf(
		"decompress=1&http_native_compression_disable_checksumming_on_decompress=1"
		"&query=%s",
		query);
	int rc;

	for (size_t i = 0; i < len; i += FRAME_BYTES)
		add_frame(&body, (const char *)rows + i,
			len - i < FRAME_BYTES ? len - i : FRAME_BYTES);
	rc = request(s, parameters, body.data, body.len, &a, why);
	buf_done(&a.text);
	return rc;
}
