/* options.h - parse a command's options and print its help, both from its row. */
/* SPDX-License-Identifier: MIT */
#ifndef CLI_COMMON_OPTIONS_H
#define CLI_COMMON_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/command.h"

enum { OPTIONS_END = -1, OPTIONS_ERROR = -2 };

/*
 * Returns the id of the next option of cmd, its argument in optarg;
 * OPTIONS_END after the last one, the operands then begin at argv[optind]; or
 * OPTIONS_ERROR after a message, upon which the command returns COMMAND_USAGE.
 * The options that every command has (-h, -q, -v, --color) are dealt with here.
 *
 *	for (int id; (id = options_next(&cmd_x, argc, argv)) != OPTIONS_END;)
 *		switch (id) { case 'o': ...; default: return COMMAND_USAGE; }
 */
int options_next(const struct command *cmd, int argc, char **argv);

/* The options that every command has, as a list that ends with a NULL name; a command's own of the same name wins. */
extern const struct command_option options_common[];

/*
 * Says that there is no such word: "what 'word'; did you mean 'nearest'?", or without a nearest one (NULL) where they are
 * listed: "what 'word'; list".
 */
void options_unknown(const char *what, const char *word, const char *nearest, const char *list);

/* Prints "usage: pptrace NAME USAGE". */
void options_usage(FILE *f, const struct command *cmd);

/* Prints usage, summary and all options. */
void options_help(FILE *f, const struct command *cmd);

/* Reads a whole non-negative number; false and a message if it is not one. what names it: "--data". */
bool options_number(const char *what, const char *text, uint64_t *ret);

/* Reads a duration, "1.5", "2s", "300ms", "20us", "5m": nanoseconds; a bare number is seconds. False and a message if it is not one. */
bool options_duration(const char *what, const char *text, int64_t *ret_ns);

/* Reads a size, "65536", "64K", "500M", "1.5G": bytes. False and a message if it is not one. */
bool options_size(const char *what, const char *text, int64_t *ret);

/* Reads one of the words of a NULL-terminated list: its index. False and a message that lists them if it is not one of them. */
bool options_word(const char *what, const char *text, const char *const *words, int *ret);

#endif
