// cases.js - Node programs that wait, in many ways; the first argument says which.
// SPDX-License-Identifier: MIT
"use strict";
const { spawn, spawnSync } = require("child_process");
const { Worker, isMainThread, workerData } = require("worker_threads");
const net = require("net");

// A child whose output nobody reads.
function child() {
  const c = spawn("head", ["-c", "1000000", "/dev/zero"], { stdio: ["ignore", "pipe", "ignore"] });
  c.stdout.pause();
  c.on("exit", () => console.log("it ended"));
}

// A filter that waits for more, and its reader for an answer.
function dialogue() {
  const c = spawn("sort", [], { stdio: ["pipe", "pipe", "inherit"] });
  c.stdin.write("b\na\n");
  c.stdout.once("data", () => c.stdin.end());
}

function server() {
  net.createServer((s) => s.end()).listen(0, "127.0.0.1");
}

function sync() {
  spawnSync("sleep", ["1000"]);
}

function atomics() {
  const shared = new Int32Array(new SharedArrayBuffer(8));
  new Worker(__filename, { argv: ["waiter"], workerData: shared, name: "waiter" });
  setInterval(() => {}, 100);
}

function waiter() {
  Atomics.wait(workerData, 0, 0);
}

// Each waits for the other's notification.
function crossed() {
  for (let i = 0; i < 2; i++)
    new Worker(__filename, { argv: ["waiter"], workerData: new Int32Array(new SharedArrayBuffer(8)) });
}

// The main thread waits, too: nothing of the program can run.
function all() {
  const shared = new Int32Array(new SharedArrayBuffer(8));
  new Worker(__filename, { argv: ["waiter"], workerData: shared }).on("online", () => Atomics.wait(shared, 1, 0));
}

function notified() {
  const shared = new Int32Array(new SharedArrayBuffer(8));
  new Worker(__filename, { argv: ["waiter"], workerData: shared });
  setTimeout(() => Atomics.notify(shared, 0), 600000);
}

function needy() {
  spawnSync("cat", ["fifo"]);
}

// The listener notifies the Worker, which rests until then.
function told() {
  const shared = new Int32Array(new SharedArrayBuffer(8));
  new Worker(__filename, { argv: ["waiter"], workerData: shared });
  process.on("SIGTERM", () => Atomics.notify(shared, 0));
}

// Blocks until a child has ended that asks this very server.
function asks() {
  const server = net.createServer((s) => s.end("answer")).listen(0, "127.0.0.1", () => {
    spawnSync(process.execPath, ["-e", `require("net").connect(${server.address().port}, "127.0.0.1").resume()`]);
  });
}

({ asks, child, dialogue, server, sync, atomics, waiter, crossed, all, notified, needy, told })[process.argv[2]]();
