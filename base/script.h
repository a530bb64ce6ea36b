/* script.h - what an interpreter runs: the script that its arguments name. */
/* SPDX-License-Identifier: MIT */
#ifndef BASE_SCRIPT_H
#define BASE_SCRIPT_H

#include <stddef.h>

/*
 * Returns the script, module or file that an interpreter (python, ruby, node) was started with, without its folder; owned
 * by the caller. NULL: path is no interpreter, or what it runs has no name. argv: len bytes, a NUL behind each argument.
 */
char *script_of(const char *path, const char *argv, size_t len);

/*
 * Returns what a script, of which a path is given, is called: the name of its file, or of its folder where the file is
 * Python's __main__.py, which all packages have; owned by the caller. NULL: it has none, or its text is of no file
 * ("<string>", "-e").
 */
char *script_name(const char *path);

#endif
