/* cmd_demo.c - pptrace demo: run a demo program and show what was recorded. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/command.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "cli/common/options.h"
#include "cli/common/say.h"
#include "schema/db.h"
#include "schema/query.h"

enum { STATUS_PPTRACE_FAILED = 125, STATUS_NOT_FOUND = 127, MAX_WORDS = 64 };

static const struct command_option options[] = {
	{"output", 'o', "FILE", "recording to write; an older one is kept as FILE.old (pptrace.db)",
		'o'},
	{NULL, 0, NULL, NULL, 0},
};

static int run(int argc, char **argv);

const struct command cmd_demo = {
	.name = "demo",
	.usage = "[OPTIONS] [NAME [ARGUMENTS]]",
	.summary = "list the demo programs, or run one and show what it did",
	.options = options,
	.examples = {{"pptrace demo philosophers", "record a demo, and show what it did"},
		{"pptrace demo fork-count --count 3",
			"run it with its own options (--help lists them)"}},
	.run = run,
	.stops_at_operand = true,
};

struct demo {
	const char *topic, *name, *about, *try, *run;
};

/* Made by the build from the folders and the first lines of the demos. */
static const struct demo demos[] = {
#define DEMO(topic, name, about, try, run) {topic, name, about, try, run},
#include "demos.def"
#undef DEMO
};

static const struct demo *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(demos); i++)
		if (!strcmp(demos[i].name, name))
			return &demos[i];
	return NULL;
}

static void unknown(const char *name)
{
	_cleanup_nearest_ struct nearest n = {.typed = name};

	for (size_t i = 0; i < ARRAY_SIZE(demos); i++)
		nearest_try(&n, demos[i].name);
	options_unknown("demo: there is no demo", name, n.best, "'pptrace demo' lists them");
}

static void list(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(demos); i++) {
		if (i == 0 || strcmp(demos[i].topic, demos[i - 1].topic) != 0)
			(void)printf("%s%s\n", i ? "\n" : "", demos[i].topic);
		(void)printf("  %-25s %s\n", demos[i].name, demos[i].about);
	}
	(void)printf("\n'pptrace demo NAME' records one and shows what it did;"
		     " 'pptrace demo NAME --help' lists its own options.\n");
}

/* Returns folder/NAME, or folder/NAME.py, if it is there and can be executed. */
static char *path_in(const char *folder, const char *name)
{
	static const char *const endings[] = {"", ".py"};

	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		char *path = xasprintf("%s/%s%s", folder, name, endings[i]);

		if (access(path, X_OK) == 0)
			return path;
		free(path);
	}
	return NULL;
}

/* Returns the path of a demo: beside this program in build/, or where it was installed. NULL if there is none. */
static char *demo_path(const char *name)
{
	static const char *const beside[] = {"demos", "../lib/pptrace/demos"};
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	char *path = NULL;

	exe[n > 0 ? n : 0] = '\0';
	if (n > 0)
		*strrchr(exe, '/') = '\0';
	for (size_t i = 0; n > 0 && !path && i < ARRAY_SIZE(beside); i++) {
		_cleanup_free_ char *folder = xasprintf("%s/%s", exe, beside[i]);

		path = path_in(folder, name);
	}
	return path ? path : path_in(PPTRACE_LIBDIR "/demos", name);
}

/* The words of a command; they belong to others. */
struct words {
	char *list[MAX_WORDS + 1];
	int n;
};

static void add_word(struct words *w, const char *word)
{
	if (w->n == MAX_WORDS)
		die("demo: too many arguments");
	w->list[w->n++] = (char *)word;
}

/* Shows a command as one would type it, runs it, and returns its status as a shell would. */
static int step(const struct words *w)
{
	int status = 0;
	pid_t pid;

	(void)printf("%s$", say_color(stdout) ? "\033[1m" : "");
	for (int i = 0; i < w->n; i++)
		(void)printf(" %s", w->list[i]);
	(void)printf("%s\n", say_color(stdout) ? "\033[0m" : "");
	(void)fflush(stdout);
	pid = fork();
	if (pid < 0)
		die("demo: cannot start a process:");
	if (pid == 0) {
		(void)execv("/proc/self/exe", w->list);
		_exit(STATUS_PPTRACE_FAILED);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	(void)printf("\n");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void add_words(struct words *w, char *list)
{
	char *place = NULL;

	for (char *s = strtok_r(list, " ", &place); s; s = strtok_r(NULL, " ", &place))
		add_word(w, s);
}

/* At a terminal the user can end a demo; elsewhere one that waits for a signal or a line would never end. */
static void add_limit(struct words *w, const struct demo *d)
{
	if (!strstr(d->run, "--timeout") && isatty(STDIN_FILENO) != 1)
		add_word(w, "--timeout=60s");
}

/* The interpreter of a script: not one that is a script itself and looks for others, which would be in the recording. */
static const char *interpreter(const char *path)
{
	const char *dot = strrchr(path, '.');

	if (!dot || strcmp(dot, ".py") != 0)
		return NULL;
	return access("/usr/bin/python3", X_OK) == 0 ? "/usr/bin/python3" : "python3";
}

static int record(const char *output, const char *path, const struct demo *d, char **argv)
{
	_cleanup_free_ char *try = xstrdup(d->try), *options_of_run = xstrdup(d->run);
	struct words w = {.n = 0};

	add_word(&w, "pptrace");
	add_word(&w, "run");
	add_word(&w, "--on-deadlock=kill");
	add_words(&w, options_of_run);
	add_limit(&w, d);
	add_word(&w, "-o");
	add_word(&w, output);
	if (interpreter(path)) {
		add_word(&w, interpreter(path));
		/* What stays in its buffers is a part of what they show. */
		(void)unsetenv("PYTHONUNBUFFERED");
	}
	add_word(&w, path);
	if (!*argv)
		add_words(&w, try);
	for (; *argv; argv++)
		add_word(&w, *argv);
	return step(&w);
}

/* Says whether the recording has a set of threads that wait for each other. */
static bool has_stuck_set(const char *output)
{
	_cleanup_free_ char *error = NULL;
	_cleanup_buf_ struct buf why = BUF_INIT;
	sqlite3 *db = NULL;
	bool has;

	if (db_open_read(output, &db, &error) != 0)
		return false;
	has = query_number(db, "SELECT count(*) FROM finding WHERE rule IN ('deadlock', 'stuck')",
		      0, 0, &why) > 0;
	db_close(db);
	return has;
}

static void show(const char *output)
{
	static const char *const commands[] = {"tree", "timeline", "waits", "diagnose"};

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		struct words w = {.n = 0};

		if (!strcmp(commands[i], "waits") && !has_stuck_set(output))
			continue;
		add_word(&w, "pptrace");
		add_word(&w, commands[i]);
		if (strcmp(commands[i], "diagnose") != 0) {
			add_word(&w, "-T");
			add_word(&w, "txt");
		}
		add_word(&w, output);
		(void)step(&w);
	}
}

static void exec_help(const char *path, const char *name)
{
	if (interpreter(path))
		(void)execlp(interpreter(path), interpreter(path), path, "--help", (char *)NULL);
	(void)execl(path, name, "--help", (char *)NULL);
}

/* Adds what a demo says about its own options. */
static void add_help(struct buf *b, const char *path, const char *name)
{
	int fds[2];
	char chunk[1024];
	ssize_t n;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0 || (pid = fork()) < 0)
		die("demo: cannot start a process:");
	if (pid == 0) {
		(void)dup2(fds[1], STDOUT_FILENO);
		exec_help(path, name);
		_exit(STATUS_NOT_FOUND);
	}
	(void)close(fds[1]);
	while ((n = read(fds[0], chunk, sizeof chunk)) > 0 || (n < 0 && errno == EINTR))
		if (n > 0)
			buf_add(b, chunk, (size_t)n);
	(void)close(fds[0]);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}

/* Says whether help lists an option; else, after a message, which one may have been meant. */
static bool has_option(const char *help, const char *name, const char *word)
{
	_cleanup_free_ char *typed = xstrndup(word, strcspn(word, "="));
	_cleanup_free_ char *what = xasprintf("demo: %s has no option", name);
	_cleanup_free_ char *list = xasprintf("'pptrace demo %s --help' lists them", name);
	_cleanup_nearest_ struct nearest n = {.typed = typed};

	for (const char *at = strstr(help, "--"); at; at = strstr(at + 2, "--")) {
		_cleanup_free_ char *option = xstrndup(at, strcspn(at, " =,]\n"));

		if (!strcmp(option, typed))
			return true;
		nearest_try(&n, option);
	}
	options_unknown(what, typed, n.best, list);
	return false;
}

/* A misspelt option is not worth a recording, which would move an older one away. */
static bool knows_options(const char *path, const char *name, char **argv)
{
	_cleanup_buf_ struct buf help = BUF_INIT;

	for (; *argv && strcmp(*argv, "--") != 0; argv++) {
		if (strncmp(*argv, "--", 2) != 0)
			continue;
		if (!help.len)
			add_help(&help, path, name);
		if (help.len && !has_option(help.data, name, *argv))
			return false;
	}
	return true;
}

static bool asks_for_help(char **argv)
{
	for (; *argv; argv++)
		if (!strcmp(*argv, "--help") || !strcmp(*argv, "-h"))
			return true;
	return false;
}

static int run(int argc, char **argv)
{
	_cleanup_free_ char *path = NULL;
	const char *output = "pptrace.db";
	const struct demo *d;
	int status;

	for (int id; (id = options_next(&cmd_demo, argc, argv)) != OPTIONS_END;) {
		if (id != 'o')
			return COMMAND_USAGE;
		output = optarg;
	}
	if (optind == argc) {
		list();
		return 0;
	}
	d = find(argv[optind]);
	if (!d) {
		unknown(argv[optind]);
		return 2;
	}
	path = demo_path(d->name);
	if (!path)
		die("demo: the program '%s' does not exist; 'make' builds it into build/demos",
			d->name);
	if (asks_for_help(argv + optind + 1)) {
		exec_help(path, d->name);
		die("demo: cannot run %s:", path);
	}
	if (!knows_options(path, d->name, argv + optind + 1))
		return 2;
	status = record(output, path, d, argv + optind + 1);
	if (status == STATUS_PPTRACE_FAILED || status == STATUS_NOT_FOUND)
		return 1;
	show(output);
	return 0;
}
