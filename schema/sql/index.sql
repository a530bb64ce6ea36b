-- index.sql - indexes, made when the trace ends (not while it grows). SPDX-License-Identifier: MIT
CREATE INDEX IF NOT EXISTS thread_by_process ON thread(process_id);
CREATE INDEX IF NOT EXISTS title_by_process ON title(process_id, ts_ns);
CREATE INDEX IF NOT EXISTS exec_by_process ON exec(process_id);
CREATE INDEX IF NOT EXISTS pipe_end_by_pipe ON pipe_end(pipe_id);
CREATE INDEX IF NOT EXISTS pipe_io_by_pipe ON pipe_io(pipe_id);
CREATE INDEX IF NOT EXISTS signal_by_process ON signal(process_id);
CREATE INDEX IF NOT EXISTS wait_by_thread ON wait(thread_id);
CREATE INDEX IF NOT EXISTS finding_member_by_finding ON finding_member(finding_id);
