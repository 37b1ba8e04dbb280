//! Configuration, command line, the process: the binary `stave`.
//!
//! [`cli`] reads the command line, [`config`] the configuration, [`serve`] runs the process. Tests and the demo use
//! [`serve::Stave`] to run a whole Stave inside their own process.

pub mod cli;
pub mod config;
mod export;
mod gc;
mod log;
pub mod serve;
mod setup_link;
mod signal;

pub use config::Config;
pub use serve::Stave;
