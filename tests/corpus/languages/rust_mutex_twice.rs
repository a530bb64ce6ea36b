// rust_mutex_twice.rs - a thread locks a Mutex whose guard it still has.
// SPDX-License-Identifier: MIT
// expect: deadlock stuck
// source: rust-lang/rust#111902, rust-lang/rust#144105
use std::sync::Mutex;

fn main() {
    let mutex = Mutex::new(0);
    let first = mutex.lock().unwrap();
    let second = mutex.lock().unwrap();
    println!("{} {}", *first, *second);
}
