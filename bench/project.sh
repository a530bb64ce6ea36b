#!/bin/sh
# project.sh - make and build a C project of COUNT files with make -j2: a workload of the benchmark.
# SPDX-License-Identifier: MIT
#
# usage: bench/project.sh COUNT
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
i=0
objects=
while [ $i -lt "$1" ]; do
	cat >f$i.c <<END
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int f$i(int n);
int f$i(int n)
{
	char text[64];
	int sum = 0;

	for (int k = 0; k < n; k++) {
		snprintf(text, sizeof text, "%d", k * $i);
		sum += (int)strlen(text) + atoi(text);
	}
	return sum;
}
END
	objects="$objects f$i.o"
	i=$((i + 1))
done
printf 'all: libf.a\n\nlibf.a:%s\n\tar cr $@ $^\n\n%%.o: %%.c\n\t${CC} -O1 -c -o $@ $<\n' "$objects" >Makefile
make -s -j2 CC=gcc
