/* demo.h - what the demo programs share: options, sleeping, and giving up. */
/* SPDX-License-Identifier: MIT */
#ifndef DEMOS_DEMO_H
#define DEMOS_DEMO_H

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/*
 * One option of a demo. Exactly one of the pointers is set, and it points to
 * the variable that holds the default. A list ends with a row without a name:
 *
 *	double delay = 1;
 *	long count = 10;
 *	bool fixed = false;
 *	struct demo_option options[] = {
 *		{"--delay", "sleep so many seconds each time", .seconds = &delay},
 *		{"--count", "how often", .number = &count},
 *		{"--fixed", "do it right", .flag = &fixed},
 *		{0},
 *	};
 *	int first = demo_options(argc, argv, "", options);
 */
struct demo_option {
	const char *name;
	const char *help;
	double *seconds;
	long *number;
	bool *flag;
	const char **text;
};

/* Prints what failed and why, and ends the program. */
static inline _Noreturn void demo_die(const char *what)
{
	perror(what);
	exit(1);
}

static inline void demo_usage(
	FILE *out, const char *program, const char *arguments, const struct demo_option *options)
{
	fprintf(out, "usage: %s [OPTIONS] %s\n", program, arguments);
	for (const struct demo_option *o = options; o->name; o++)
		fprintf(out, "  %-10s %-8s %s\n", o->name,
			o->seconds  ? "SECONDS"
			: o->number ? "N"
			: o->text   ? "WORD"
				    : "",
			o->help);
}

/* Stores the value of an option. Returns false if the text is not such a value. */
static inline bool demo_store(const struct demo_option *o, const char *value)
{
	char *end = NULL;

	errno = 0;
	if (o->text) {
		*o->text = value;
		return true;
	}
	if (o->number)
		*o->number = strtol(value, &end, 10);
	else
		*o->seconds = strtod(value, &end);
	return end != value && !*end && !errno && (o->number ? *o->number >= 0 : *o->seconds >= 0);
}

/*
 * Reads the options of a demo; both "--delay 0.1" and "--delay=0.1" will do.
 * arguments names what may follow them, for the usage text. Returns the index
 * in argv of the first argument that is no option. A mistake ends the program
 * with status 2, --help with 0.
 */
static inline int demo_options(
	int argc, char **argv, const char *arguments, const struct demo_option *options)
{
	int i = 1;

	for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		const struct demo_option *o = options;
		const char *value = strchr(argv[i], '=');
		size_t len = value ? (size_t)(value - argv[i]) : strlen(argv[i]);

		if (!strcmp(argv[i], "--"))
			return i + 1;
		if (!strcmp(argv[i], "--help")) {
			demo_usage(stdout, argv[0], arguments, options);
			exit(0);
		}
		while (o->name && (strlen(o->name) != len || strncmp(o->name, argv[i], len)))
			o++;
		if (o->name && o->flag && !value) {
			*o->flag = true;
			continue;
		}
		if (o->name && !o->flag) {
			value = value ? value + 1 : argv[++i];
			if (value && demo_store(o, value))
				continue;
		}
		demo_usage(stderr, argv[0], arguments, options);
		exit(2);
	}
	return i;
}

/* Sleeps so many seconds, fractions allowed, however many signals arrive meanwhile. */
static inline void demo_sleep(double seconds)
{
	struct timespec left = {
		.tv_sec = (time_t)seconds,
		.tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9),
	};

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		continue;
}

/* Returns the time of day in seconds. */
static inline double demo_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Reads a line from stdin. Returns false at end of file and when it is "q". */
static inline bool demo_next_line(void)
{
	char line[256];

	return fgets(line, sizeof line, stdin) && strcmp(line, "q\n") != 0 &&
	       strcmp(line, "q") != 0;
}

/* Returns the path of another demo, which lies in the same folder as this program. */
static inline const char *demo_path(const char *name)
{
	static char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);
	char *slash;

	if (len < 0)
		demo_die("/proc/self/exe");
	path[len] = '\0';
	slash = strrchr(path, '/');
	if ((size_t)(slash - path) + strlen(name) + 2 > sizeof path) {
		errno = ENAMETOOLONG;
		demo_die(name);
	}
	memcpy(slash + 1, name, strlen(name) + 1);
	return path;
}

#endif
