/* embed.h - files as texts in the program. */
/* SPDX-License-Identifier: MIT */
#ifndef BASE_EMBED_H
#define BASE_EMBED_H

/*
 * Puts files, one after the other, under one symbol, with a NUL at the end:
 *
 *	EMBED("views_sql", EMBED_FILE("schema/sql/views.sql") EMBED_FILE("schema/sql/wait_for.sql"));
 *	extern const char views_sql[];
 *
 * Paths are those from the top of the source. The assembler reads them, of
 * which the compiler knows nothing: the Makefile names what an object depends
 * on. All of it is one statement, because the compiler may put statements of
 * that kind in another order.
 */
#define EMBED_FILE(path) ".incbin \"" path "\"\n"
#define EMBED(symbol, files)                                                                       \
	__asm__(".section .rodata\n.global " symbol "\n.type " symbol ", @object\n" symbol         \
		":\n" files ".byte 0\n.size " symbol ", .-" symbol "\n.previous\n")

#endif
