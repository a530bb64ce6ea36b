/* snap.h - what a snapshot has found out, before it becomes records. */
/* SPDX-License-Identifier: MIT */
#ifndef TRACER_SNAPSHOT_SNAP_H
#define TRACER_SNAPSHOT_SNAP_H

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/hash.h"
#include "schema/record.h"
#include "schema/socket_key.h"
#include "tracer/symbols/symbols.h"

struct snapshot_config;
struct snap_net;

/* Bounds against machines and programs that are absurdly large; what is beyond is said to be left out. */
enum {
	SNAP_MAX_PROCESSES = 4096,
	SNAP_MAX_THREADS = 65536,
	SNAP_MAX_POLL = 1024,
	SNAP_MAX_FRAMES = 32,
	SNAP_MAX_CPUS = 8, /* processors whose clocks are compared */
	SNAP_MORE_BYTES = 256
};

/* An open descriptor. */
struct snap_fd {
	int fd;
	enum file_kind kind;
	uint64_t dev, inode; /* dev as stat gives it; inode of a terminal: terminal_key */
	uint64_t inode2;     /* socket: as END_OPEN has it */
	unsigned mode;       /* END_READ, END_WRITE */
	bool is_cloexec;
	bool is_unnamed; /* FIFO: it has no name any more, so that nobody can open it */
	pid_t peer;      /* pidfd: the process; netlink socket: 1 + protocol */
	char *path;      /* what has one */
};

struct snap_thread {
	pid_t tid, ns_tid;
	char comm[16];
	char state; /* as in /proc: R S D T t Z X I */
	bool has_syscall, has_run;
	bool is_denied; /* its system call may not be read */
	uint64_t sigblk, sigcgt, sigign, switches;
	int64_t nr; /* -1: in no system call */
	uint64_t args[6], sp, pc;
	bool has_kept, lacks; /* lacks: a frame of its stack could not be left without them */
	uint64_t kept[SYMBOLS_KEPT]; /* as symbols_registers has them */
	uint64_t since;              /* CLOCK_MONOTONIC, since when it sleeps; 0: not known */
	uint64_t tid_addr;
	struct symbols_frame frames[SNAP_MAX_FRAMES];
	int n_frames;
	uint64_t site;
	struct rec_WAIT_BEGIN wait;
	char *words; /* FIFO: as the open call names it; file: why it is not open yet; ring: what that waits for */
	bool keeps_looking; /* it wakes up now and then within its call and sleeps again */
	uint64_t folder_dev, folder_inode; /* FIFO: the folder that it is in */
	const char *map_path; /* shared futex: what it is mapped from; belongs to the process */
	struct rec_poll_item *poll;
	size_t n_poll;
};

struct snap_process {
	struct core *core; /* that it is read from, borrowed; NULL: it lives */
	pid_t pid, ppid, ns_pid;
	pid_t live; /* a thread that has not ended: a main thread that has shows neither files nor memory */
	uid_t uid;
	uint64_t start_ts;
	char comm[16];
	char *exe;
	struct buf args; /* NUL-terminated one after the other */
	uint64_t sigcgt, sigign;
	bool has_reaped; /* children */
	bool is_kernel, is_zombie, is_compat, is_readable, has_memory, has_fds;
	unsigned exit_status;
	struct snap_thread *threads;
	size_t n_threads, cap_threads;
	struct snap_fd *fds;
	size_t n_fds, cap_fds;
	bool has_maps;
	struct snap_map *maps; /* shared ones */
	size_t n_maps, cap_maps;
};

/* Memory that somebody waits on and that several processes map. */
struct snap_shared {
	uint64_t dev, inode;
	bool is_named; /* a process that is not there yet could map it */
	pid_t *mappers;
	size_t n_mappers;
};

/* A shared mapping. */
struct snap_map {
	uint64_t start, end, offset, dev, inode;
	char *path; /* as in /proc/PID/maps; once looked up where it is now, NULL: nowhere */
	bool is_looked_up;
};

/* Says whether descriptors of this kind are ends that are followed. */
static inline bool file_is_end(uint64_t kind)
{
	return kind >= FILE_PIPE && kind <= FILE_PTY;
}

/* A socket, of whomever. */
struct snap_socket {
	struct snap_socket *next; /* of all */
	enum file_kind kind;      /* FILE_SOCKET, FILE_TCP, FILE_LISTEN */
	uint64_t inode, netns;    /* inode 0: nobody has accepted it yet */
	bool is_unix, is_stream;
	bool has_peer; /* unix: it is connected */
	bool is_mixed_up; /* tcp: more than two look like this connection, or several listen at its port */
	uint64_t other; /* unix: inode of the other side, 0: none, or nobody has accepted it yet */
	uint64_t key;   /* tcp: of the connection, or of the port */
	struct snap_socket *pair; /* tcp: the other side, if it is on this machine */
	struct socket_place here, there;
	char local[112], remote[112]; /* as the record SOCKET has them */
	unsigned local_len, remote_len;
};

/* Somebody who holds a descriptor of a pipe, FIFO, socket or locked file. */
struct snap_holder {
	pid_t pid;
	int fd;
	unsigned mode;
	enum file_kind kind;
	uint64_t dev, inode;
};

/* Somebody on the machine who waits for the other side of a FIFO to be opened. */
struct snap_opener {
	pid_t pid, ppid;
	uint64_t inode, folder_dev, folder_inode;
};

/* A line of /proc/locks: who has a file lock. */
struct snap_lock {
	enum file_lock_class class;
	enum lock_mode mode;
	pid_t pid;
	uint64_t dev, inode, begin, len;
	bool is_waiting;
	int fd; /* of the holder; -1 not known */
};

struct snapshot {
	const struct snapshot_config *config;
	struct snap_process **processes;
	size_t n_processes, cap_processes, n_threads;
	unsigned n_again;   /* threads that were looked at a third time */
	struct hash by_pid; /* to struct snap_process */
	struct hash gone;   /* mutexes whose owners have ended */
	struct hash files;  /* what is named in files from which code is run */
	struct hash
		terminals; /* pseudo-terminals that are waited for: by number + 1, see terminals.c */
	struct hash sockets; /* by inode: struct snap_socket */
	struct hash
		by_key; /* tcp: by key: the first socket of a connection, or that listens at a port */
	struct hash
		unaccepted; /* unix: inode of a socket to the one that listens where it was connected to */
	struct hash netlinks; /* by inode: 1 + protocol */
	struct snap_socket *all_sockets;
	struct snap_net *nets; /* network namespaces whose sockets have been read */
	size_t n_nets, cap_nets;
	bool has_all_nets, has_openers, has_holders, has_locks;
	struct snap_opener *openers;
	size_t n_openers, cap_openers;
	struct snap_holder *holders; /* of all processes of the machine that may be read */
	size_t n_holders, cap_holders;
	struct snap_shared *shared;
	size_t n_shared, cap_shared;
	struct snap_lock *locks;
	size_t n_locks, cap_locks;
	uint64_t now_mono, now_boot;                  /* of the beginning */
	double age_offset, cpu_offset[SNAP_MAX_CPUS]; /* of the scheduler's clocks: see age.c */
	int cpu_number[SNAP_MAX_CPUS];
	unsigned n_cpus;
	bool is_skewed;
	struct buf *blind;
	bool is_yama; /* memory and registers are denied while the rest is not */
};

/* ---- proc.c: files of /proc and memory of processes ---- */

/* Reads a small file of /proc into text, NUL-terminated. Returns its length or -errno. */
int proc_read(const char *path, char *text, size_t size);

/* Returns the next process that the folder /proc names, 0: no more. proc may be NULL. */
pid_t proc_next(DIR *proc);

/* Returns field number n (from 3 on) of a stat text, whose second field may contain anything. */
uint64_t proc_stat_field(const char *text, int n);

/* Returns the process that a thread's number belongs to, or the number itself. */
pid_t proc_leader(pid_t tid);

/* Reads len bytes of a process's memory; false if not all of them may be read. */
bool proc_memory(const struct snap_process *p, uint64_t addr, void *to, size_t len);

/* Returns the process that has a thread of this number and that was read, or NULL. */
struct snap_process *proc_of_thread(const struct snapshot *s, pid_t tid);

/* The symbols' key of a process: negative, so that a model may use the same object. */
static inline int64_t snap_key(pid_t pid)
{
	return -(int64_t)pid;
}

#endif
