/* asan.c - programs that are built with AddressSanitizer start all the same. */
/* SPDX-License-Identifier: MIT */

/* As in sanitizer/asan_interface.h, which is not there everywhere. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);

/*
 * Its library ends a program in which it is not the first one, and before it
 * stands what is preloaded. It may: what both wrap, it finds behind this library.
 * What ASAN_OPTIONS says goes before.
 */
const char *__asan_default_options(void)
{
	return "verify_asan_link_order=0";
}
