// rust_mutex_slow.rs - the twin of rust_mutex_twice.rs: another thread has the guard, and gives it back in the end.
// SPDX-License-Identifier: MIT
// forbid: deadlock stuck
// source: rust-lang/rust#111902
use std::sync::Mutex;
use std::{thread, time::Duration};

static MUTEX: Mutex<i32> = Mutex::new(0);

fn main() {
    let guard = MUTEX.lock().unwrap();
    let other = thread::spawn(|| println!("{}", *MUTEX.lock().unwrap()));
    thread::sleep(Duration::from_secs(30));
    drop(guard);
    other.join().unwrap();
}
