#!/usr/bin/env python3
# servers.py - a server and the client that its makers measure it with: workloads of the benchmark.
# SPDX-License-Identifier: MIT
"""usage: bench/servers.py redis|postgres|nginx COUNT

Starts the server in a folder of its own, lets the client make COUNT requests (or transactions) over eight connections, ends the server, and writes
the nanoseconds that the requests took and those of processors that all of it used to the file that $BENCH_OUT names. The server is started by
the command that the lines of $BENCH_SERVER are the words of, if there are any.
"""

import os
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time

QUIET = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
POSTGRES = "/usr/lib/postgresql"


# A tracer for the server alone: what a user does who looks at a service.
TRACER = os.environ.get("BENCH_SERVER", "").split("\n") if os.environ.get("BENCH_SERVER") else []


def fail(text):
    sys.exit(f"servers: {text}")


def wait_for(path, server):
    """Until somebody listens there."""
    for _ in range(2000):
        with socket.socket(socket.AF_UNIX) as s:
            try:
                s.connect(path)
                return
            except OSError:
                time.sleep(0.01)
        if server.poll() is not None:
            fail(f"the server ended with status {server.returncode}")
    fail("the server did not begin")


def run(argv):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        fail(done.stdout.strip()[-200:] or f"{argv[0]}: status {done.returncode}")
    return done.stdout


def timed(argv):
    begun = time.monotonic_ns()
    run(argv)
    return time.monotonic_ns() - begun


def redis(count, folder):
    server = subprocess.Popen([*TRACER, "redis-server", "--port", "0", "--unixsocket", f"{folder}/s", "--save", "", "--dir", folder], **QUIET)
    wait_for(f"{folder}/s", server)
    return server, timed(["redis-benchmark", "-s", f"{folder}/s", "-c", "8", "-n", str(count), "-t", "get", "-q"])


def as_nobody(folder):
    """PostgreSQL does not run as root."""
    if os.geteuid():
        return []
    for path, _, files in os.walk(folder):
        for name in [path, *(os.path.join(path, f) for f in files)]:
            os.chown(name, 65534, 65534, follow_symlinks=False)
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def postgres(count, folder):
    programs = max((f"{POSTGRES}/{v}/bin" for v in os.listdir(POSTGRES)), key=lambda p: int(p.split("/")[-2]))
    nobody = as_nobody(folder)
    run([*nobody, f"{programs}/initdb", "-D", f"{folder}/data", "-U", "bench", "--auth=trust", "--no-sync"])
    server = subprocess.Popen([*TRACER, *nobody, f"{programs}/postgres", "-D", f"{folder}/data", "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"], **QUIET)
    wait_for(f"{folder}/.s.PGSQL.5432", server)
    client = [f"{programs}/pgbench", "-h", folder, "-U", "bench"]
    for _ in range(500):
        if not subprocess.run([*client, "-i", "-q", "postgres"], check=False, **QUIET).returncode:
            break
        time.sleep(0.02)
    return server, timed([*client, "-n", "-S", "-c", "8", "-j", "2", "-t", str(-(-count // 8)), "postgres"])


def nginx(count, folder):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    with open(f"{folder}/conf", "w", encoding="ascii") as f:
        f.write(f"""daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error;
events {{ worker_connections 64; }}
http {{ access_log off; keepalive_requests 1000000000; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/c;
server {{ listen 127.0.0.1:{port}; listen unix:{folder}/s; location / {{ return 200 "hello"; }} }} }}
""")
    server = subprocess.Popen([*TRACER, "nginx", "-c", f"{folder}/conf", "-e", f"{folder}/error"], **QUIET)
    wait_for(f"{folder}/s", server)
    # wrk counts requests in a time, not time for requests.
    text = run(["wrk", "-c", "8", "-t", "1", "-d", "1s", f"http://127.0.0.1:{port}/"])
    rate = re.search(r"Requests/sec: *([0-9.]+)", text)
    if not rate or float(rate[1]) == 0:
        fail("wrk made no request")
    # The processor time is that of as many requests as were made.
    return server, int(count * 1e9 / float(rate[1])), count / float(rate[1])


def main():
    works = {"redis": redis, "postgres": postgres, "nginx": nginx}
    if len(sys.argv) != 3 or sys.argv[1] not in works or not sys.argv[2].isdigit() or int(sys.argv[2]) < 1:
        sys.exit(__doc__.split("\n\n", maxsplit=1)[0])
    folder = tempfile.mkdtemp(prefix="pptrace-server-")
    os.chmod(folder, 0o755)
    server = None
    try:
        server, own, *share = works[sys.argv[1]](int(sys.argv[2]), folder)
    finally:
        if server:
            server.terminate()
            server.wait()
        shutil.rmtree(folder, ignore_errors=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    text = f"{own} {int((used.ru_utime + used.ru_stime) * (share[0] if share else 1) * 1e9)}\n"
    if "BENCH_OUT" not in os.environ:
        sys.stdout.write(text)
        return
    with open(os.environ["BENCH_OUT"], "w", encoding="ascii") as f:
        f.write(text)


main()
