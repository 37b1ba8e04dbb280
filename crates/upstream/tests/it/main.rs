//! The connector through real HTTP, on loopback.

#![cfg(test)] // so that the lint knows that helpers may unwrap

mod log;
mod probe;
mod sign_in;
mod support;
mod unreachable;
