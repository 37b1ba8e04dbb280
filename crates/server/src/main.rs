//! The binary `stave`.

use std::process::ExitCode;

fn main() -> ExitCode {
    stave_server::cli::main(std::env::args_os(), std::env::vars_os())
}
