//! Git by the program `git`: repositories to write into, and a server that offers them over smart HTTP.

mod cgi;
mod repository;
mod server;
mod sketch;

pub(crate) use cgi::answer;
pub use repository::BareRepository;
pub use server::GitServer;
pub(crate) use server::{basic_login, refusal};
pub(crate) use sketch::Sketch;

use std::{path::Path, process::Command};

/// The program `git`, deaf to the configuration of the user and the machine.
pub(crate) fn command(directory: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .current_dir(directory)
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .env("HOME", directory)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C");
    command
}
