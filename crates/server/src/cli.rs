//! The command line.
//!
//! What a command prints for programs and people to use goes to the standard output; everything else, the log and
//! the reasons of a failure, goes to the standard error output.

use crate::{
    Config,
    config::{ConfigError, Key},
    export::{self, ExportError},
    gc::{self, GcError},
    log,
    serve::{self, ServeError},
    setup_link::{self, SetupLinkError},
    signal,
};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use stave_app::ExportAsked;
use std::{collections::BTreeMap, ffi::OsString, io::Write, path::PathBuf, process::ExitCode};
use tokio_util::sync::CancellationToken;
use url::Url;

/// What the command line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Task {
    Serve,
    SetupLink { reopen: bool },
    Gc { dry_run: bool },
    Export(ExportAsked),
    ConfigCheck,
    ConfigShow,
}

/// Why a command failed; `Display` is for the operator.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error(transparent)]
    Gc(#[from] GcError),
    #[error(transparent)]
    Export(#[from] ExportError),
    #[error(transparent)]
    SetupLink(#[from] SetupLinkError),
    #[error("Stave cannot start its threads: {0}.")]
    Threads(std::io::Error),
}

/// Does what the command line asks for: exit code 0, or 1 with the reason on the standard error output. A command line
/// that cannot be understood ends with exit code 2.
pub fn main(
    arguments: impl IntoIterator<Item = OsString>,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> ExitCode {
    let matches = match command().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(answer) => {
            // Help and the version are such answers too. If nobody reads them, there is nothing left to do.
            _ = answer.print();
            return ExitCode::from(if answer.use_stderr() { 2 } else { 0 });
        }
    };
    match run(task(&matches), flags(&matches), variables) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

/// Prints a line that somebody waits for. A reader that has gone away is no failure of the command.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    _ = writeln!(out, "{}", line.trim_end()).and_then(|()| out.flush());
}

fn run(
    task: Task,
    flags: BTreeMap<Key, String>,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<(), Failure> {
    let config = Config::read(flags, variables)?;
    match task {
        Task::ConfigCheck => {
            config.advice().iter().for_each(|advice| say(&format!("Note: {advice}")));
            say("The configuration is right.");
            Ok(())
        }
        Task::ConfigShow => {
            say(&config.show());
            Ok(())
        }
        Task::Gc { dry_run } => Ok(block_on(gc::run(config, dry_run))??),
        Task::Export(asked) => Ok(block_on(export::run(config, asked))??),
        Task::SetupLink { reopen } => Ok(block_on(setup_link::print(config, reopen))??),
        Task::Serve => {
            log::start(config.log_format, config.log_level);
            Ok(block_on(async {
                let stop = CancellationToken::new();
                signal::cancels(&stop)?;
                serve::serve(config, stop).await
            })??)
        }
    }
}

/// A blocking call that never returns, such as one that reads from a dead server, does not keep the process alive.
fn block_on<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    let threads = tokio::runtime::Runtime::new().map_err(Failure::Threads)?;
    let done = threads.block_on(work);
    threads.shutdown_background();
    Ok(done)
}

fn command() -> Command {
    Command::new("stave")
        .version(env!("CARGO_PKG_VERSION"))
        .about("A private Composer registry whose people log in with Bitbucket.")
        .after_help(
            "Every flag is also an environment variable and a key of stave.toml: see docs/configuration.md.",
        )
        .args(Key::ALL.into_iter().filter(|key| key.is_flag()).map(flag))
        .subcommand(Command::new("serve").about("Serve; also what `stave` without a command does"))
        .subcommand(
            Command::new("setup-link")
                .about("Print a fresh link into Setup Mode; the one before stops working")
                .arg(
                    Arg::new("reopen")
                        .long("reopen")
                        .action(ArgAction::SetTrue)
                        .help("Turn Setup Mode on again first, for when every admin is locked out"),
                ),
        )
        .subcommand(
            Command::new("gc")
                .about("Delete zips that need not be kept; a running Stave does so once a day")
                .arg(
                    Arg::new("dry-run")
                        .long("dry-run")
                        .action(ArgAction::SetTrue)
                        .help("Only say what would be deleted"),
                ),
        )
        .subcommand(export_command())
        .subcommand(
            Command::new("config")
                .about("Look at the configuration")
                .subcommand_required(true)
                .subcommand(Command::new("check").about("Say what is wrong with the configuration"))
                .subcommand(
                    Command::new("show").about("Print each value and where it came from; secrets are hidden"),
                ),
        )
}

fn export_command() -> Command {
    let text = |name: &'static str, placeholder: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(placeholder).help(help)
    };
    Command::new("export")
        .about("Write an organization's packages as a static Composer repository, which needs no Stave")
        .arg(text("organization", "SHORT-NAME", "Whose packages").required(true))
        .arg(
            text("to", "FOLDER", "Where to write them: a new folder, or one with an earlier export")
                .value_parser(value_parser!(PathBuf))
                .required(true),
        )
        .arg(
            text(
                "base-url",
                "URL",
                "Where the folder will be served; without it Composer reads it from the disk",
            )
            .value_parser(value_parser!(Url)),
        )
        .arg(
            Arg::new("with-mirrored")
                .long("with-mirrored")
                .action(ArgAction::SetTrue)
                .help("Also what mirrored repositories brought, as far as its zips are here"),
        )
}

fn export_asked(matches: &ArgMatches) -> ExportAsked {
    ExportAsked {
        organization: matches.get_one::<String>("organization").cloned().unwrap_or_default(),
        to: matches.get_one::<PathBuf>("to").cloned().unwrap_or_default(),
        base_url: matches.get_one::<Url>("base-url").cloned(),
        with_mirrored: matches.get_flag("with-mirrored"),
    }
}

fn flag(key: Key) -> Arg {
    let words = key.words();
    let help = words.about.lines().next().unwrap_or_default().trim_end_matches('.').replace('`', "");
    let action = if key.is_list() { ArgAction::Append } else { ArgAction::Set };
    Arg::new(words.name)
        .long(words.name)
        .value_name(words.placeholder)
        .help(format!("{help} [default: {}]", words.default.replace('`', "")))
        .action(action)
        .global(true)
}

fn task(matches: &ArgMatches) -> Task {
    match matches.subcommand() {
        Some(("setup-link", matches)) => Task::SetupLink { reopen: matches.get_flag("reopen") },
        Some(("gc", matches)) => Task::Gc { dry_run: matches.get_flag("dry-run") },
        Some(("export", matches)) => Task::Export(export_asked(matches)),
        Some(("config", matches)) if matches.subcommand_name() == Some("show") => Task::ConfigShow,
        Some(("config", _)) => Task::ConfigCheck,
        _ => Task::Serve,
    }
}

/// A flag that is repeated is a list, which all three places write with commas.
fn flags(matches: &ArgMatches) -> BTreeMap<Key, String> {
    let flags = Key::ALL.into_iter().filter(|key| key.is_flag());
    flags
        .filter_map(|key| {
            let texts: Vec<_> = matches.get_many::<String>(key.name())?.map(String::as_str).collect();
            Some((key, texts.join(",")))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> (Task, BTreeMap<Key, String>) {
        let matches = command().try_get_matches_from(line.split(' ')).unwrap();
        (task(&matches), flags(&matches))
    }

    #[test]
    fn the_command_line_is_well_made() {
        command().debug_assert();
    }

    #[test]
    fn bare_stave_serves() {
        assert_eq!(parse("stave"), (Task::Serve, BTreeMap::new()));
        assert_eq!(parse("stave serve"), (Task::Serve, BTreeMap::new()));
        assert_eq!(parse("stave config show").0, Task::ConfigShow);
        assert_eq!(parse("stave config check").0, Task::ConfigCheck);
        assert_eq!(parse("stave gc").0, Task::Gc { dry_run: false });
        assert_eq!(parse("stave gc --dry-run").0, Task::Gc { dry_run: true });
        assert_eq!(parse("stave setup-link --reopen").0, Task::SetupLink { reopen: true });
        let asked = ExportAsked {
            organization: "acme".into(),
            to: "out".into(),
            base_url: Some("https://files.example/acme".parse().unwrap()),
            with_mirrored: false,
        };
        let line = "stave export --organization acme --to out --base-url https://files.example/acme";
        assert_eq!(parse(line).0, Task::Export(asked));
    }

    #[test]
    fn flags_stand_before_or_after_the_command() {
        let flags =
            BTreeMap::from([(Key::Data, "x".to_owned()), (Key::OutboundAllow, "10.0.0.0/8,::1".to_owned())]);
        for line in [
            "stave --data x --outbound-allow 10.0.0.0/8,::1",
            "stave serve --data x --outbound-allow 10.0.0.0/8 --outbound-allow ::1",
            "stave --data x serve --outbound-allow=10.0.0.0/8,::1",
        ] {
            assert_eq!(parse(line), (Task::Serve, flags.clone()), "{line}");
        }
        assert_eq!(parse("stave config show --data x").1.get(&Key::Data).map(String::as_str), Some("x"));
    }

    #[test]
    fn the_sealing_key_is_no_flag() {
        assert!(command().try_get_matches_from(["stave", "--key", "00"]).is_err());
    }
}
