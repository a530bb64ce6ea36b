/* preload.h - which programs can bear the preload library. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_SHIM_PRELOAD_H
#define TRACER_SHIM_PRELOAD_H

/*
 * LD_PRELOAD of a library that was linked against glibc kills a program of
 * another C library and makes a 32-bit one print an error; static and setuid
 * programs ignore it. So a program gets it only if it is of pptrace's own ELF
 * class and machine and asks for the same program interpreter.
 */
enum preload_answer {
	PRELOAD_OK,
	PRELOAD_UNREADABLE, /* not a file that can be read */
	PRELOAD_NO_ELF,     /* neither a program nor a script with an interpreter */
	PRELOAD_CLASS,      /* other ELF class or machine (32-bit) */
	PRELOAD_STATIC,     /* no program interpreter */
	PRELOAD_LIBC,       /* other program interpreter (musl) */
	PRELOAD_SECURE /* setuid, setgid or file capabilities: the loader ignores the preload */
};

/* Looks at the program file, of a script at its interpreter. */
enum preload_answer preload_check(const char *path);

/* Returns the answer as the end of a sentence that begins with the program's name: "is static". */
const char *preload_words(enum preload_answer answer);

/* Returns the path of the library: beside the running pptrace or where it is installed; the caller frees it. NULL: not found. */
char *preload_library(void);

#endif
