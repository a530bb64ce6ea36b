-- schema.sql - the tables of a trace. SPDX-License-Identifier: MIT
--
-- PRAGMA user_version is 1000 * major + minor version of this format. A new
-- column or table is a new minor version, a line in versions.def: older
-- readers do not miss it, newer ones say what an older file lacks.
--
-- One file is one recording. All times are integer nanoseconds since the start
-- of the trace; trace.started_unix_ns anchors them. NULL means what the
-- column's comment says. Rows of intervals (start_ns to end_ns) are inserted
-- when they end; those still open at a commit are inserted with a NULL end
-- and completed later. Ids are never reused; pids are (use process.id).
-- Texts that come from the traced program are stored as they are, invalid
-- UTF-8 included: treat them as hostile.

CREATE TABLE trace ( -- the recording itself: one row
    id INTEGER PRIMARY KEY CHECK (id = 1),
    command TEXT NOT NULL,      -- the command as a JSON array of arguments
    cwd TEXT,                   -- working directory of the command
    host TEXT,                  -- host name
    kernel TEXT,                -- kernel release
    cpus INTEGER,               -- processors that were online
    version TEXT,               -- version of pptrace
    backend TEXT,               -- sources that were used: 'ebpf', 'ebpf+shim', 'shim', 'snapshot'; 'snapshots': one every 50 ms
    blind_spots TEXT,           -- JSON array of sentences: what this recording cannot contain; '[]' nothing known
    started_unix_ns INTEGER,    -- when the trace started, nanoseconds since 1970
    duration_ns INTEGER,        -- time until the end, or until the last commit while it grows
    exit_code INTEGER,          -- exit status of the command; NULL: killed, or still running
    exit_signal INTEGER,        -- signal that killed the command; NULL: none
    complete INTEGER NOT NULL DEFAULT 0, -- 1: closed properly; 0: still growing, or pptrace was killed
    lost INTEGER NOT NULL DEFAULT 0,     -- events lost, all kinds together (see table lost)
    attached INTEGER NOT NULL DEFAULT 0, -- 1: began with processes that were already running
    options TEXT,               -- options of the run as a JSON object
    detail_since_ns INTEGER     -- rows of holds, waits, calls, reads, writes, signals and closed pipe ends that ended earlier were removed to keep the file small (run --last, --max-size); lock_stat, lock_edge and lane count them still; NULL: none were
);

CREATE TABLE process ( -- a process, from fork to reaping; exec does not make a new one
    id INTEGER PRIMARY KEY,     -- ours, never reused
    pid INTEGER NOT NULL,       -- number in the PID namespace of pptrace
    ns_pid INTEGER,             -- number in its own PID namespace; NULL: the same
    parent_id INTEGER REFERENCES process(id),  -- its parent when it was created; NULL: outside the trace
    creator_id INTEGER REFERENCES thread(id),  -- thread that made it; NULL: outside the trace
    name TEXT,                  -- last name of its main thread; where the kernel cut it to 15 bytes, whole, from the path of its program
    exe TEXT,                   -- path of its last program; NULL: not known
    command TEXT,               -- arguments of its last program as a JSON array; NULL: not known
    start_ns INTEGER,           -- when it was created; negative: before the trace
    end_ns INTEGER,             -- end of its last thread; NULL: not yet
    end_kind TEXT,              -- 'exit' or 'signal'; NULL: running, or unknown
    exit_code INTEGER,          -- 0 to 255, where end_kind is 'exit'
    exit_signal INTEGER,        -- number, where end_kind is 'signal'
    core_dumped INTEGER,        -- 1: left a core
    reaped_ns INTEGER,          -- when a wait call took its status; NULL: never seen
    reaper_id INTEGER REFERENCES thread(id),   -- thread that reaped it; NULL: none yet, or outside the trace
    autoreap INTEGER,           -- 1: no wait is needed, its parent ignores SIGCHLD
    created_by TEXT,            -- 'fork', 'vfork', 'clone', 'posix_spawn', 'start' (pptrace started it), 'found'
    secure INTEGER NOT NULL DEFAULT 0, -- 1: gained privileges by an exec
    reopens INTEGER NOT NULL DEFAULT 0, -- may come to pipes of others that nobody gives it: it has done so, or its program or script names that; bit 0: through /proc/PID/fd, bit 1: by pidfd_getfd; bit 2: may send signals to other processes, as its program or script names kill or its like
    uring INTEGER NOT NULL DEFAULT 0, -- 1: has an io_uring (since its last exec): the kernel may read, write, close and wait in its place
    has_reaped INTEGER NOT NULL DEFAULT 0, -- 1: it had reaped children before the recording began
    raw_calls INTEGER NOT NULL DEFAULT 0, -- 1: makes system calls without the C library (Go), which a recording without eBPF does not see
    hooks INTEGER NOT NULL DEFAULT 0, -- 1: it has told its language's runtime what is to be done when it is told to end (a shutdown hook of Java's, a listener of Node's, a trap of Ruby's); 2: it has not; 0: not known
    cancels INTEGER NOT NULL DEFAULT 0, -- one of its threads may end the wait of another, as the files from which it runs code name what is needed for that: bit 0: pthread_cancel, bit 1: a signal to a thread (pthread_kill), whose handler jumps (siglongjmp), bit 2: pthread_setcanceltype; a static program that names nothing may do all of that
    memory_id INTEGER REFERENCES process(id),  -- process in whose memory it runs (clone with CLONE_VM, vfork until exec); NULL: its own
    language TEXT,              -- language whose runtime was read: 'python', 'java', 'go', 'ruby', 'node'; NULL: none
    program TEXT,               -- what its interpreter or virtual machine runs: 'bank.py'; NULL: not known
    title TEXT,                 -- what it called itself last (setproctitle): 'nginx: worker process'; NULL: it did not
    mpi_job TEXT,               -- MPI job of which it is a rank, the same for all its ranks on all hosts; '': not known; NULL: it is none
    mpi_rank INTEGER,           -- its number in MPI_COMM_WORLD
    mpi_size INTEGER,           -- how many ranks MPI_COMM_WORLD has
    mpi_end_ns INTEGER          -- when it called MPI_Finalize; NULL: not (yet)
);

CREATE TABLE title ( -- titles of processes and when they were set, as sampled when the main thread blocks and at exit
    id INTEGER PRIMARY KEY,
    process_id INTEGER NOT NULL REFERENCES process(id),
    ts_ns INTEGER NOT NULL,
    title TEXT                  -- NULL: it no longer has one, since it executed another program, or took its arguments back
);

CREATE TABLE thread ( -- a thread; main threads included
    id INTEGER PRIMARY KEY,     -- ours, never reused
    tid INTEGER NOT NULL,       -- number in the PID namespace of pptrace; from 1073741824 on: no thread, but a goroutine that has none
    process_id INTEGER NOT NULL REFERENCES process(id),
    creator_id INTEGER REFERENCES thread(id),  -- thread that made it; NULL: outside the trace
    name TEXT,                  -- its last name
    start_ns INTEGER,           -- when it was created; negative: before the trace
    end_ns INTEGER,             -- NULL: not yet
    entry_site_id INTEGER REFERENCES site(id), -- its start routine; NULL: main thread, or not known
    is_main INTEGER NOT NULL DEFAULT 0,        -- 1: the main thread
    ns_tid INTEGER,             -- number in its own PID namespace; NULL: the same
    cut_short INTEGER,               -- 1: ended, wherever it was, by another thread's exit or a signal; 0: ended by itself; NULL: not yet, or not known
    runtime_name TEXT,          -- its name in its language; NULL: none, or not read
    housekeeping INTEGER NOT NULL DEFAULT 0    -- 1: it serves the language's runtime, and does nothing that the program could wait for
);

CREATE TABLE exec ( -- an exec call, successful or not
    id INTEGER PRIMARY KEY,
    process_id INTEGER NOT NULL REFERENCES process(id),
    thread_id INTEGER REFERENCES thread(id),   -- the thread that called it
    ts_ns INTEGER NOT NULL,
    path TEXT,                  -- as the call named it
    argv TEXT,                  -- JSON array of arguments; a last element "..." with cut = 1: there were more
    errno INTEGER,              -- NULL: it worked
    lock_source TEXT,           -- who reports this image's locks: 'shim', 'uprobe', 'futex' (waits alone; also of a program that uses none), 'off'; NULL: failed
    cut INTEGER NOT NULL DEFAULT 0 -- 1: argv or path was longer than what is stored
);

CREATE TABLE pipe ( -- a pipe, a FIFO while somebody has it open, a connected pair of sockets, or a listening socket
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,         -- 'pipe', 'fifo', 'socketpair', 'unix' (connected stream socket with a name), 'tcp' (connection), 'listen' (listening socket), 'pty' (pseudo-terminal; side 0 and 1 as they were found)
    inode INTEGER,              -- inode number; connected sockets: of side 0
    inode2 INTEGER,             -- connected sockets: inode number of side 1; NULL: not known, or nobody has accepted it yet
    dev INTEGER,                -- device of the inode
    path TEXT,                  -- FIFO: its path where known
    created_ns INTEGER,         -- NULL: before the trace
    creator_id INTEGER REFERENCES thread(id),  -- NULL: before the trace, or FIFO
    outside INTEGER NOT NULL DEFAULT 0, -- bits: 1 somebody outside the trace may read from it, 2 may write to it (connected sockets: 1 may hold side 0, 2 side 1; 'listen': 1 may hold it)
    name TEXT,                  -- for people: 'pipe 3 (ls -> sort)'; 'pipe at stdout (ls -> ?)': the command was given it, and its id is from 1000000001 on
    sent_ns INTEGER,            -- when a descriptor of it was sent in a message (SCM_RIGHTS) that has not been received; NULL: none in flight
    local TEXT,                 -- socket: address of side 0, '127.0.0.1:80', '[::1]:80', a path, '@' and an abstract name; NULL: no socket, not known, or it has none
    remote TEXT,                -- socket: address of side 1 likewise
    listener_id INTEGER REFERENCES pipe(id), -- the socket that listened where side 0 connected to, if nobody had accepted that yet; NULL: not known
    unnamed INTEGER NOT NULL DEFAULT 0 -- 1: FIFO that had no name any more when pptrace looked: nobody can open it
);

CREATE TABLE pipe_end ( -- a descriptor of a pipe in one process, from open to close
    id INTEGER PRIMARY KEY,
    pipe_id INTEGER NOT NULL REFERENCES pipe(id),
    process_id INTEGER NOT NULL REFERENCES process(id),
    fd INTEGER,                 -- descriptor; NULL: not known (in flight over a socket)
    mode TEXT NOT NULL,         -- 'r', 'w' or 'rw'
    side INTEGER NOT NULL DEFAULT 0, -- connected sockets: which, 0 or 1
    open_ns INTEGER NOT NULL,
    open_via TEXT,              -- 'create', 'opened', 'dup', 'inherit', 'scm', 'found', 'connect', 'accept', 'listen', 'taken' (pidfd_getfd)
    close_ns INTEGER,           -- NULL: still open
    close_via TEXT,             -- 'close', 'replaced' (dup2 onto it), 'exec' (close-on-exec), 'exit'; NULL: still open
    cloexec INTEGER             -- 1: close-on-exec was set when it was opened
);

-- How many calls there were: sum(coalesce(count, 1)); how many bytes: sum(bytes). After its first 1,000 reads and writes, a busy
-- thread's calls on one pipe that did not have to wait and moved something share a row, of an eighth of a second or so each.
CREATE TABLE pipe_io ( -- one read or write call on a pipe that returned, or count similar ones merged
    id INTEGER PRIMARY KEY,
    pipe_id INTEGER NOT NULL REFERENCES pipe(id),
    thread_id INTEGER NOT NULL REFERENCES thread(id),
    fd INTEGER,
    op TEXT NOT NULL,           -- 'read' (bytes left the pipe) or 'write' (bytes went in)
    start_ns INTEGER NOT NULL,
    end_ns INTEGER,
    requested INTEGER,          -- bytes asked for
    bytes INTEGER,              -- bytes done; 0: end of file; NULL: it failed
    errno INTEGER,              -- NULL: it worked
    data BLOB,                  -- the first bytes; NULL: not captured
    call TEXT,                  -- 'read', 'readv', 'splice', 'recv'... as called
    side INTEGER NOT NULL DEFAULT 0, -- connected sockets: side that the caller holds
    count INTEGER               -- number of similar calls, from the first start_ns to the last end_ns, requested and bytes in all; NULL: one
);

CREATE TABLE signal ( -- a signal, from generation to delivery
    id INTEGER PRIMARY KEY,
    signo INTEGER NOT NULL,
    name TEXT NOT NULL,         -- 'SIGTERM', 'SIGRTMIN+1'
    source TEXT NOT NULL,       -- 'kill' (to a process), 'thread' (tgkill, pthread_kill), 'queue' (sigqueue), 'kernel', 'timer', 'tty'; 'pptrace': by --on-deadlock; 'unknown': it ended the process, and nobody saw where it came from
    sender_id INTEGER REFERENCES thread(id),   -- NULL: kernel, timer, terminal, or outside the trace
    process_id INTEGER REFERENCES process(id), -- to whom; NULL: outside the trace
    thread_id INTEGER REFERENCES thread(id),   -- thread it was delivered to, or sent to; NULL: not yet known
    sent_ns INTEGER,            -- NULL: not seen
    result TEXT,                -- 'queued', 'ignored', 'coalesced' (one was pending already), 'failed'
    delivered_ns INTEGER,       -- when it was delivered; NULL: not (yet): blocked, ignored, coalesced or the process ended
    disposition TEXT,           -- 'handler', 'default', 'ignored'; NULL: not taken. 'wait': taken by sigwait or signalfd
    interrupted TEXT,           -- system call that it interrupted; NULL: none
    handler_site_id INTEGER REFERENCES site(id), -- the handler
    code INTEGER                -- si_code; NULL: not known
);

CREATE TABLE handler ( -- what a process does on a signal, while it differs from the default; of those that it sets and takes back all the time the first 1,000 have a row, and those that stay for 10 ms
    id INTEGER PRIMARY KEY,
    process_id INTEGER NOT NULL REFERENCES process(id),
    signo INTEGER NOT NULL,
    disposition TEXT NOT NULL,  -- 'handler' or 'ignored'
    start_ns INTEGER NOT NULL,
    end_ns INTEGER,             -- NULL: until the end
    flags INTEGER,              -- sa_flags
    site_id INTEGER REFERENCES site(id) -- the handler
);

CREATE TABLE timer ( -- an armed timer; of those that a process arms again and again the first 1,000 have a row, and those that stay for 10 ms
    id INTEGER PRIMARY KEY,
    process_id INTEGER NOT NULL REFERENCES process(id),
    thread_id INTEGER REFERENCES thread(id),   -- who armed it
    kind TEXT NOT NULL,         -- 'real' (alarm, setitimer), 'virtual', 'prof', 'posix' (timer_settime), 'timerfd'
    signo INTEGER,              -- signal that it sends; NULL: none
    armed_ns INTEGER NOT NULL,
    expires_ns INTEGER NOT NULL,-- first expiry
    interval_ns INTEGER NOT NULL, -- 0: once
    disarmed_ns INTEGER         -- when it was disarmed or expired for good; NULL: still armed at the end
);

CREATE TABLE lock ( -- a lock, condition, semaphore, barrier or any other object that threads wait on
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,         -- 'mutex', 'rwlock', 'spin', 'cond', 'sem', 'barrier', 'file', 'futex', 'once'
    type TEXT,                  -- 'normal', 'recursive', 'errorcheck', 'adaptive', with '+robust', '+pi'; file: 'flock', 'posix', 'ofd'; of a language's runtime 'threading.Lock'; NULL: not known
    process_id INTEGER REFERENCES process(id), -- owner of the address space; NULL: shared between processes
    address INTEGER,            -- in that process; NULL: file lock
    pshared INTEGER NOT NULL DEFAULT 0, -- 1: shared between processes
    name TEXT,                  -- variable ("forks[2]", "table.lock"; "table+40" without debugging information), path or name of a named semaphore; NULL: not known
    init_site_id INTEGER REFERENCES site(id),  -- where it was initialised; NULL: static, or not known
    origin_id INTEGER REFERENCES lock(id),     -- after fork: the parent's lock of which this is a copy
    dev INTEGER, inode INTEGER, offset INTEGER, -- shared: what it is mapped from; file: the file
    created_ns INTEGER,         -- initialised, or first seen
    destroyed_ns INTEGER,       -- NULL: not
    initial INTEGER,            -- semaphore: first value; barrier: count; NULL: not known
    mappers_ns INTEGER,         -- shared: when all processes were last asked who maps it; NULL: never, who has not used it may be missing in lock_user
    outside INTEGER NOT NULL DEFAULT 0, -- 1: somebody outside the trace could reach it (a named object, a shared file)
    from_birth INTEGER NOT NULL DEFAULT 1 -- 0: holders before the trace began are not known
);

-- How often locks were acquired: sum(coalesce(count, 1)); for how long: sum(coalesce(held_ns, release_ns - acquire_ns)).
-- A thread's first 1,000 holds below 10 us for which it did not wait have a row each, and so have later ones where they
-- are rare; beyond that, equal ones (lock, mode, places) of 0.1 s share a row, which never spans a moment at which another
-- thread began to want the lock. run --fold=off keeps each. lock_stat, lock_edge and lane count every hold either way.
CREATE TABLE lock_hold ( -- one hold of a lock, or count similar holds merged; has no index on purpose (see lock_open, lock_edge, lock_stat, lane)
    id INTEGER PRIMARY KEY,
    lock_id INTEGER NOT NULL,
    thread_id INTEGER NOT NULL,
    mode TEXT,                  -- 'x' exclusive, 's' shared; NULL: 'x'
    request_ns INTEGER,         -- asked for; NULL: the same as acquire_ns (it got it at once)
    acquire_ns INTEGER NOT NULL,
    release_ns INTEGER,         -- NULL: still held
    site_id INTEGER,            -- where it was acquired; NULL: not known
    release_site_id INTEGER,    -- where it was released; NULL: not known
    stack_id INTEGER,           -- in frame: the stack with which it was taken; NULL: none was recorded (run --stacks; without it where a header of C++ called)
    count INTEGER,              -- number of similar consecutive holds, from the first acquire_ns to the last release_ns; NULL: one
    held_ns INTEGER             -- of several: the sum of the times for which it was held; NULL: release_ns - acquire_ns
);

-- A row of lock_open also stays when the holder's thread or process ended with the lock held, and goes when anybody
-- releases the lock or takes it again (a robust lock whose owner died; file locks go with the last process that shares
-- the description). After fork a lock that was held in the parent gets a copy in the child (lock.origin_id) and a row
-- here: with the child's thread if the forking thread held it; else with the parent's thread that held it, which can
-- never release the copy. It goes when the child initialises, takes or releases the copy.
CREATE TABLE lock_open ( -- the locks that are held now (at the last commit, or at the end): lock_hold without its past
    lock_id INTEGER NOT NULL REFERENCES lock(id),
    thread_id INTEGER NOT NULL REFERENCES thread(id), -- holder; may have ended
    process_id INTEGER REFERENCES process(id),        -- holder's process, or for a file lock any process that shares the open file description
    mode TEXT NOT NULL,         -- 'x' or 's'
    depth INTEGER NOT NULL,     -- recursive locks: how often
    acquire_ns INTEGER NOT NULL,
    site_id INTEGER REFERENCES site(id),              -- where it was taken
    inferred INTEGER NOT NULL DEFAULT 0, -- 1: read from the lock's memory when a waiter blocked, may be stale
    stack_id INTEGER            -- as lock_hold's
);

CREATE TABLE lock_error ( -- a lock call that failed, or that was wrong though it returned success
    id INTEGER PRIMARY KEY,
    lock_id INTEGER NOT NULL REFERENCES lock(id),
    thread_id INTEGER NOT NULL REFERENCES thread(id),
    ts_ns INTEGER NOT NULL,
    kind TEXT NOT NULL,         -- 'unlock' (the thread did not hold it), 'deadlock' (EDEADLK), 'owner-dead' (EOWNERDEAD), 'other'
    errno INTEGER NOT NULL DEFAULT 0, -- what the call returned; 0: it seemed to work
    owner_id INTEGER REFERENCES thread(id), -- 'unlock': who held it at that moment; NULL: nobody
    site_id INTEGER REFERENCES site(id)     -- where
);

CREATE TABLE wait_hold ( -- a lock that a thread held all through a wait of at least 10 ms with reason 'sleep' (written when that wait ends)
    wait_id INTEGER NOT NULL REFERENCES wait(id),
    lock_id INTEGER NOT NULL REFERENCES lock(id),
    acquire_ns INTEGER NOT NULL,
    site_id INTEGER REFERENCES site(id),    -- where it was taken
    PRIMARY KEY (wait_id, lock_id)
) WITHOUT ROWID;

CREATE TABLE lock_user ( -- a process that can reach a shared lock (maps it, or holds the open file description)
    lock_id INTEGER NOT NULL REFERENCES lock(id),
    process_id INTEGER NOT NULL REFERENCES process(id),
    start_ns INTEGER NOT NULL,
    end_ns INTEGER,             -- NULL: until the end
    taker_id INTEGER NOT NULL DEFAULT 0, -- file lock: the thread that took it, where this process shares its open file description since a fork; 0: otherwise
    PRIMARY KEY (lock_id, process_id, start_ns, taker_id)
) WITHOUT ROWID;

CREATE TABLE lock_edge ( -- a thread took to_lock while it held from_lock, summed over all times that it did so at these places
    id INTEGER PRIMARY KEY,
    from_lock_id INTEGER NOT NULL REFERENCES lock(id),
    to_lock_id INTEGER NOT NULL REFERENCES lock(id),
    thread_id INTEGER NOT NULL REFERENCES thread(id),
    from_site_id INTEGER,       -- where from_lock was taken
    to_site_id INTEGER,         -- where to_lock was taken
    first_ns INTEGER NOT NULL,
    last_ns INTEGER NOT NULL,
    count INTEGER NOT NULL,     -- how often
    tried INTEGER NOT NULL DEFAULT 0, -- 1: only ever with trylock or a timeout, which cannot deadlock
    gates TEXT NOT NULL DEFAULT '[]', -- JSON array of lock ids that were held every time beside from_lock
    from_mode TEXT, to_mode TEXT      -- 'x' or 's'
);

CREATE TABLE lock_stat ( -- contention of one lock, over the whole trace
    lock_id INTEGER PRIMARY KEY REFERENCES lock(id),
    holds INTEGER NOT NULL,     -- how often it was taken
    contended INTEGER NOT NULL, -- how often somebody had to wait
    wait_ns INTEGER NOT NULL,   -- all waiting times together
    max_wait_ns INTEGER NOT NULL,
    hold_ns INTEGER NOT NULL,   -- all holding times together
    max_hold_ns INTEGER NOT NULL,
    max_hold_site_id INTEGER,   -- where the longest hold began
    threads INTEGER NOT NULL,   -- how many threads took it
    posts INTEGER NOT NULL DEFAULT 0,         -- semaphore: posts
    foreign_posts INTEGER NOT NULL DEFAULT 0, -- semaphore: posts by a thread that was not its last taker; mutex, rwlock: releases by a thread that did not hold it, while another did
    takes INTEGER NOT NULL DEFAULT 0,         -- semaphore: successful waits
    cycles INTEGER NOT NULL DEFAULT 0,        -- semaphore: complete takes followed by a post of the same thread
    last_taker_id INTEGER REFERENCES thread(id), -- semaphore: its last taker
    value INTEGER               -- semaphore: last known value; barrier: arrivals now
);

CREATE TABLE lane ( -- per thread and time bucket: time spent holding and waiting; for folded pictures
    thread_id INTEGER NOT NULL REFERENCES thread(id),
    bucket INTEGER NOT NULL,    -- number of the bucket; bucket b covers b * lane_ns to (b + 1) * lane_ns (table setting)
    hold_ns INTEGER NOT NULL,   -- holding any lock
    wait_ns INTEGER NOT NULL,   -- waiting for any lock
    holds INTEGER NOT NULL,     -- locks taken
    PRIMARY KEY (thread_id, bucket)
) WITHOUT ROWID;

CREATE TABLE setting ( -- numbers that readers of other tables need
    name TEXT PRIMARY KEY,      -- 'lane_ns': width of a bucket in lane; 'folded_holds': how many holds share rows of lock_hold
    value
) WITHOUT ROWID;

CREATE TABLE sync ( -- an operation on a condition, semaphore, barrier, once or thread, or a call of MPI
    id INTEGER PRIMARY KEY,
    lock_id INTEGER,            -- NULL: join, create, detach
    thread_id INTEGER NOT NULL,
    op TEXT NOT NULL,           -- 'wait', 'signal', 'broadcast', 'post', 'trywait', 'once', 'join', 'create', 'detach', 'MPI_Recv'...
    start_ns INTEGER NOT NULL,
    end_ns INTEGER,             -- NULL: never returned
    result INTEGER,             -- 0, or the error; NULL: never returned
    site_id INTEGER,
    mutex_id INTEGER,           -- condition: the mutex
    target_id INTEGER,          -- join, create, detach: the thread
    value INTEGER,              -- signal, broadcast: how many were waiting; semaphore: value after; NULL: not known
    comm_id INTEGER REFERENCES mpi_comm(id), -- MPI: the communicator; NULL: none, or not known
    peer INTEGER,               -- MPI: rank in MPI_COMM_WORLD from which, to which, root; -1: any; NULL: none
    tag INTEGER,                -- MPI: tag; -1: any; NULL: none
    seq INTEGER                 -- MPI: position of the collective call in the order on the communicator, from 1; NULL: not a collective call
);

CREATE TABLE wait ( -- a thread was blocked
    id INTEGER PRIMARY KEY,
    thread_id INTEGER NOT NULL REFERENCES thread(id),
    start_ns INTEGER NOT NULL,
    end_ns INTEGER,             -- NULL: it had not ended when the recording ended
    reason TEXT NOT NULL,       -- see schema/waits.def: 'lock', 'cond', 'pipe-read'...
    lock_id INTEGER REFERENCES lock(id),
    pipe_id INTEGER REFERENCES pipe(id),
    target_process_id INTEGER REFERENCES process(id), -- the child that is waited for; NULL with reason 'child': any of target_group
    target_thread_id INTEGER REFERENCES thread(id),   -- join, once: the thread; futex of a known owner: the owner at the moment of blocking; cond of Go: one of the goroutines that alone could end it
    waker_id INTEGER REFERENCES thread(id),           -- who ended it; NULL: not known, outside, or not ended
    syscall TEXT,               -- system call it is blocked in; NULL: none
    site_id INTEGER REFERENCES site(id),              -- where in the program; NULL: not known
    timed INTEGER NOT NULL DEFAULT 0,                 -- 1: it ends by itself after a time; 2: and the thread has begun it again each time, without doing anything else
    sigmask INTEGER,            -- signals blocked meanwhile, bit signo-1; NULL: not known
    mode TEXT,                  -- what it asks of lock_id: 'x', 's', 'u' (exclusive instead of its own shared file lock); of a pipe: 'r', 'w'; of MPI: 'all' of mpi_need, or 'any'; of a queue or semaphore: 'p' (without a key or name by which others could find it); stopped: 'c' (by a signal, not by a debugger), after 'r' or 'w' if it was using a pipe
    side INTEGER,               -- connected sockets: the side the waiter holds
    target_pgid INTEGER,        -- reason 'child': process group asked for (wait for any child: NULL)
    detail TEXT,                -- more about it, for people: 'poll of 3 descriptors', 'SIGTERM,SIGINT'; 'stopped': it was stopped inside this wait, and goes back to it
    user_ns INTEGER,            -- NULL, or since when the thread has been in this wait as the library sees it (a spin before the block); reason lock-poll: since when it asks
    stack_id INTEGER,           -- in frame: the stack of the thread; NULL: none was taken
    read_ns INTEGER,            -- when the language's runtime last said what it is for; NULL: it did not
    awaits INTEGER              -- signals that it takes as such, by sigwait or from a signalfd, bit signo-1; NULL: none, or not known
);

CREATE TABLE frame ( -- one frame of a stack that was taken while a thread waited
    stack_id INTEGER NOT NULL,
    depth INTEGER NOT NULL,     -- 0: the innermost
    site_id INTEGER NOT NULL REFERENCES site(id),
    library INTEGER,            -- 1: code of the language's or the system's library, not of the program
    PRIMARY KEY (stack_id, depth)
) WITHOUT ROWID;

CREATE TABLE wait_on ( -- descriptors that a poll, select or epoll waits on
    wait_id INTEGER NOT NULL REFERENCES wait(id),
    ordinal INTEGER NOT NULL,   -- place in the order, from 0
    fd INTEGER,
    kind TEXT NOT NULL,         -- 'pipe', 'process', 'eventfd', 'timerfd', 'signalfd', 'socket', 'netlink', 'inotify' (fanotify, too), 'tty', 'file', 'other'
    mode TEXT,                  -- 'r', 'w' or 'rw': what is polled for
    pipe_id INTEGER REFERENCES pipe(id),
    side INTEGER,               -- connected sockets: the side the waiter holds
    process_id INTEGER REFERENCES process(id), -- pidfd
    PRIMARY KEY (wait_id, ordinal)
) WITHOUT ROWID;

-- ---- MPI. Ranks are those in MPI_COMM_WORLD ----

CREATE TABLE mpi_comm ( -- a communicator, as the ranks in this recording know it
    id INTEGER PRIMARY KEY,
    key INTEGER NOT NULL,       -- the same in the recordings of all hosts
    name TEXT,                  -- 'MPI_COMM_WORLD', or what the program calls it; NULL: it has no name
    size INTEGER NOT NULL,      -- how many members it has
    members TEXT                -- JSON array of their ranks; NULL: all ranks of the job
);
CREATE TABLE mpi_member ( -- how far a rank has come in the collective calls on a communicator, at the end
    comm_id INTEGER NOT NULL REFERENCES mpi_comm(id),
    process_id INTEGER NOT NULL REFERENCES process(id),
    entered INTEGER NOT NULL,   -- how many it has made
    op TEXT,                    -- the last of them: 'MPI_Barrier'
    site_id INTEGER REFERENCES site(id), -- where that was
    PRIMARY KEY (comm_id, process_id)
) WITHOUT ROWID;
CREATE TABLE mpi_traffic ( -- messages between a rank and another one, counted at the end
    process_id INTEGER NOT NULL REFERENCES process(id), -- of the rank
    comm_id INTEGER NOT NULL,   -- communicator; 0: not known
    peer INTEGER NOT NULL,      -- the other rank; -1: of receives that are posted: any
    tag INTEGER NOT NULL,       -- tag; -1: of receives that are posted: any
    sent INTEGER NOT NULL,      -- messages that it has sent to the peer
    received INTEGER NOT NULL,  -- messages that it has received from the peer
    posted INTEGER NOT NULL,    -- receives without waiting that are not complete
    site_id INTEGER REFERENCES site(id), -- where it sent, or posted, last
    PRIMARY KEY (process_id, comm_id, peer, tag)
) WITHOUT ROWID;
CREATE TABLE mpi_need ( -- what the call needs in which a rank waits (wait.reason 'mpi')
    wait_id INTEGER NOT NULL REFERENCES wait(id),
    ordinal INTEGER NOT NULL,   -- place in the order, from 0
    role TEXT NOT NULL,         -- 'receive', 'send', 'synchronous send', 'collective'...: see schema/mpi.def
    comm_id INTEGER NOT NULL,   -- communicator; 0: not known
    peer INTEGER,               -- rank; -1: any
    tag INTEGER,                -- tag; -1: any
    seq INTEGER,                -- collective: as sync.seq
    op TEXT,                    -- the call that began it: 'MPI_Irecv' where MPI_Wait waits for that
    PRIMARY KEY (wait_id, ordinal)
) WITHOUT ROWID;

CREATE TABLE sched ( -- when a thread really ran (only with --sched)
    thread_id INTEGER NOT NULL,
    start_ns INTEGER NOT NULL,
    end_ns INTEGER,
    cpu INTEGER                 -- number of the processor
);

CREATE TABLE sample ( -- cpu time by place: samples of running threads, summed
    thread_id INTEGER NOT NULL,
    site_id INTEGER,            -- where; NULL: not known
    address INTEGER,            -- lowest sampled address of a run of samples within 64 bytes of code
    first_ns INTEGER NOT NULL,
    last_ns INTEGER NOT NULL,
    cpu_ns INTEGER NOT NULL     -- cpu time that the samples stand for
);

CREATE TABLE spin ( -- a thread spent processor time in a loop that only read memory: samples showed the same registers again and again
    id INTEGER PRIMARY KEY,
    thread_id INTEGER NOT NULL REFERENCES thread(id),
    site_id INTEGER REFERENCES site(id), -- a place in the loop, of the program rather than of a library
    start_ns INTEGER NOT NULL,
    end_ns INTEGER NOT NULL,    -- last sample that looked like others before it
    cpu_ns INTEGER NOT NULL,    -- processor time for which those samples stand, at least
    samples INTEGER NOT NULL,   -- how many there were
    repeats INTEGER NOT NULL,   -- how many of them looked in every register like one before
    yields INTEGER NOT NULL,    -- how many of them were in sched_yield
    tries INTEGER NOT NULL DEFAULT 0 -- instead of samples: how often it took a lock with trylock, and gave it back, until another thread had it
);

CREATE TABLE stdio ( -- bytes that sat unflushed in a stream's buffer at some moment
    id INTEGER PRIMARY KEY,
    process_id INTEGER NOT NULL REFERENCES process(id),
    thread_id INTEGER REFERENCES thread(id),
    ts_ns INTEGER NOT NULL,
    fd INTEGER NOT NULL,
    pipe_id INTEGER REFERENCES pipe(id), -- NULL: not a pipe
    pending INTEGER NOT NULL,   -- bytes
    at TEXT NOT NULL,           -- 'fork', 'exit', 'stuck'
    hash INTEGER,               -- of the bytes; NULL: not known
    data BLOB                   -- the first bytes
);

CREATE TABLE site ( -- a place in a program
    id INTEGER PRIMARY KEY,
    module TEXT,                -- path of the file
    offset INTEGER,             -- of the address in that file's address space
    function TEXT,              -- NULL: not known; of a coroutine in a loop of asyncio with its task: 'move in task Task-2'
    file TEXT,                  -- source file; NULL: not known
    line INTEGER,               -- NULL: not known
    language TEXT               -- language of the frame where it is not machine code: 'python'
);

CREATE TABLE finding ( -- what is wrong, or worth knowing
    id INTEGER PRIMARY KEY,
    rule TEXT NOT NULL,         -- see schema/findings.def and 'pptrace explain'
    severity TEXT NOT NULL,     -- 'error', 'warning', 'info'
    certainty TEXT NOT NULL,    -- 'certain' or 'conditional'
    ts_ns INTEGER,              -- when it began
    summary TEXT NOT NULL,      -- one sentence
    explanation TEXT,           -- the whole story
    remedy TEXT,                -- what to do, one sentence
    shape TEXT                  -- deadlock and stuck: 'cycle', 'self', 'knot', 'abandoned'
);

CREATE TABLE finding_member ( -- who and what a finding is about, in order
    finding_id INTEGER NOT NULL REFERENCES finding(id),
    ordinal INTEGER NOT NULL,   -- place in the order, from 0
    thread_id INTEGER REFERENCES thread(id),
    process_id INTEGER REFERENCES process(id),
    lock_id INTEGER REFERENCES lock(id),
    pipe_id INTEGER REFERENCES pipe(id),
    site_id INTEGER REFERENCES site(id),
    text TEXT,                  -- one line about this member
    wait_id INTEGER REFERENCES wait(id),
    stack_id INTEGER,           -- in frame: the stack of the thread; NULL: none was taken
    PRIMARY KEY (finding_id, ordinal)
) WITHOUT ROWID;

CREATE TABLE clock ( -- what the host's two clocks showed at one moment: at the start, then every 10 s, and at the end
    ts_ns INTEGER PRIMARY KEY,  -- time since the start of the trace (CLOCK_MONOTONIC)
    unix_ns INTEGER NOT NULL    -- time of day: nanoseconds since 1970 (CLOCK_REALTIME)
);

CREATE TABLE lost ( -- events that happened and are not here
    source TEXT NOT NULL,       -- 'ebpf', 'shim'
    kind TEXT NOT NULL,         -- record kind, or 'any'
    count INTEGER NOT NULL,     -- how many
    PRIMARY KEY (source, kind)
) WITHOUT ROWID;

CREATE TABLE gap ( -- when events were lost: between two looks at what the sources count
    id INTEGER PRIMARY KEY,
    source TEXT NOT NULL,       -- as in lost
    kind TEXT NOT NULL,         -- as in lost
    start_ns INTEGER NOT NULL,  -- they were lost after this
    end_ns INTEGER NOT NULL,    -- and before this
    count INTEGER NOT NULL      -- how many
);

-- What is open, or was when its process ended, is little among much: these stay small, and let a verdict be asked for every second while the file grows.
CREATE INDEX wait_open ON wait(start_ns) WHERE end_ns IS NULL;
CREATE INDEX wait_polled ON wait(lock_id) WHERE reason = 'lock-poll';
CREATE INDEX lock_hold_open ON lock_hold(lock_id) WHERE release_ns IS NULL;
CREATE INDEX lock_stat_foreign ON lock_stat(lock_id) WHERE foreign_posts > 0;
CREATE INDEX pipe_end_open ON pipe_end(pipe_id) WHERE close_ns IS NULL;
