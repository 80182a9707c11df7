//! What clients of every role rely on: refusals by the letter, access, identity of requests, health, a clean stop.

mod access;
mod accounts;
mod bad_input;
mod checks;
mod lists;
mod logs;
mod openapi;
mod passwords;
mod requests;
mod sockets;
mod support;
mod tokens;
