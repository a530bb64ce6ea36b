/* cgroup.h - the processes of a control group, or of a container, on the command line. */
/* SPDX-License-Identifier: MIT */
#ifndef CLI_COMMON_CGROUP_H
#define CLI_COMMON_CGROUP_H

#include <stdbool.h>

struct pids;

/*
 * Adds all processes of a control group and of those below it; false and a message if there are none. The path is
 * that of its directory, or as proc_pid_cgroup(5) has it ("/system.slice/cron.service"): below the mount points.
 */
bool cgroup_add(struct pids *p, const char *path);

/*
 * The same for the container of that name or ID (its first 12 digits suffice): Docker, Podman, containerd, CRI-O,
 * LXC, systemd-nspawn, runc and others that name a control group after it. False and a message if there is none.
 */
bool cgroup_add_container(struct pids *p, const char *name);

#endif
