/* upgrade_ofd.c - a shared lock (ofd) is to become exclusive, while somebody else has it shared and rests. */
/* SPDX-License-Identifier: MIT */
/*
 * forbid: deadlock stuck
 * source: NixOS/nix#6666, util-linux/util-linux#1527
 */
#include "filelock.h"

int main(void)
{
	return upgrade(OFD);
}
