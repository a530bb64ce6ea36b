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
 *		{"--delay", "seconds to sleep each time", .seconds = &delay},
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

/* Moves argv[i] to the end of the list. */
static inline void demo_move_last(int argc, char **argv, int i)
{
	char *moved = argv[i];

	memmove(&argv[i], &argv[i + 1], (size_t)(argc - i - 1) * sizeof *argv);
	argv[argc - 1] = moved;
}

/*
 * Reads the option argv[*i] and its value; both "--delay 0.1" and "--delay=0.1"
 * will do. Sets *i to the last word that was read. Returns false on a mistake.
 */
static inline bool demo_option(int end, char **argv, int *i, const struct demo_option *options)
{
	const struct demo_option *o = options;
	const char *value = strchr(argv[*i], '=');
	size_t len = value ? (size_t)(value - argv[*i]) : strlen(argv[*i]);

	while (o->name && (strlen(o->name) != len || strncmp(o->name, argv[*i], len)))
		o++;
	if (!o->name || (o->flag && value))
		return false;
	if (o->flag) {
		*o->flag = true;
		return true;
	}
	if (!value && *i + 1 == end)
		return false;
	return demo_store(o, value ? value + 1 : argv[++*i]);
}

/*
 * Reads the options of a demo, wherever they stand. arguments names what else
 * is expected, for the usage text. Returns the index in argv from which on the
 * words lie that are not options. A mistake ends the program with status 2,
 * --help with 0.
 */
static inline int demo_options(
	int argc, char **argv, const char *arguments, const struct demo_option *options)
{
	bool only_arguments = false;
	int end = argc; /* words that are not options are moved behind this */

	for (int i = 1; i < end; i++) {
		if (only_arguments || argv[i][0] != '-' || !argv[i][1]) {
			demo_move_last(argc, argv, i--);
			end--;
		} else if (!strcmp(argv[i], "--")) {
			only_arguments = true;
		} else if (!strcmp(argv[i], "--help")) {
			demo_usage(stdout, argv[0], arguments, options);
			exit(0);
		} else if (!demo_option(end, argv, &i, options)) {
			demo_usage(stderr, argv[0], arguments, options);
			exit(2);
		}
	}
	return end;
}

/*
 * Sleeps that many seconds, fractions allowed, however many signals arrive
 * meanwhile. No time at all is no call either: even nanosleep(0) takes 50 µs.
 */
static inline void demo_sleep(double seconds)
{
	struct timespec left = {
		.tv_sec = (time_t)seconds,
		.tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9),
	};

	if (seconds <= 0)
		return;
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
