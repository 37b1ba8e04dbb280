//! Stave beside a fake Bitbucket Cloud and a fake Bitbucket Data Center, to click through the whole story without a Bitbucket
//! account: `cargo run --release --example demo`, and after `--` the version of the Data Center, such as 7.20 (8.19 if none is
//! named).
//!
//! Cloud has a workspace `acme`, Data Center a project `PHP`, both with a few PHP packages and the people ada, grace and linus.
//!
//! With `-- websites` the first clicks are made already, and two websites are there whose visitors log in with Bitbucket: one
//! behind a real nginx, one of HTML alone.
//!
//! With `-- synchronization` the organization `acme` follows the workspace already, which has more people and repositories then.
//! What is typed into the terminal changes the workspace: "take grace payments".
//!
//! Everything is in a temporary folder and gone at the end (Ctrl+C).

mod newcomer;
mod synchronization;
mod website;
mod workspace;

use stave_server::{Config, serve::serve};
use stave_testkit::{DataCenterOptions, FakeBitbucket, FakeDataCenter, Version};
use std::{
    error::Error,
    net::{SocketAddr, TcpListener},
};
use tokio_util::sync::CancellationToken;

const STAVE: ([u8; 4], u16) = ([127, 0, 0, 1], 8080);
const BITBUCKET: ([u8; 4], u16) = ([127, 0, 0, 1], 8090);
const DATA_CENTER: ([u8; 4], u16) = ([127, 0, 0, 1], 8091);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let config = Config {
        listen: SocketAddr::from(STAVE),
        outbound_allow: vec!["127.0.0.0/8".parse()?],
        mirror_url: None,
        trusted_proxies: Vec::new(),
        ..Config::in_folder(folder.path().to_owned())
    };
    let stop = CancellationToken::new();
    let asked = stop.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            asked.cancel();
        }
    });
    match std::env::args().nth(1).as_deref() {
        Some("websites") => website::show(config, stop).await,
        Some("synchronization") => synchronization::show(config, stop).await,
        version => show(config, stop, version).await,
    }
}

/// Stave as it is at its first start.
#[expect(clippy::print_stdout, reason = "the demo talks to whoever started it")]
async fn show(config: Config, stop: CancellationToken, version: Option<&str>) -> Result<(), Box<dyn Error>> {
    ports_are_free(&[STAVE, BITBUCKET, DATA_CENTER])?;
    let version = version_asked(version)?;
    let options = DataCenterOptions::new(version).context_path("/bitbucket").address(DATA_CENTER.into());
    let data_center = FakeDataCenter::start_with(options).await;
    data_center.seed_demo();
    let server = data_center.base_url();
    let bitbucket = bitbucket().await;
    let base = bitbucket.base_url();
    println!(
        "A fake Bitbucket Cloud is at {base}, a fake Bitbucket Data Center {} at {server}

 1. Open the setup link below and hit “Add Integration”.
 2. Base URL: {base}
    Create the consumer at {base}/acme/workspace/settings/oauth-consumers/new
 3. Log in with Bitbucket as ada, leave Setup Mode, create the organization acme.
 4. Add Package, By URL, twice: {base}/acme/clock.git, then {base}/acme/mailer.git, which requires it.
 5. Follow the three lines on the Overview.

With Data Center: Platform “Bitbucket Data Center / Server”, Base URL {server}
Log in there as root to make the application link; repositories are {server}/scm/php/clock.git and the like.
",
        version.number()
    );
    Ok(serve(config, stop).await?)
}

/// The fake Bitbucket Cloud, with its people and packages.
async fn bitbucket() -> FakeBitbucket {
    let bitbucket = FakeBitbucket::start_on(SocketAddr::from(BITBUCKET)).await;
    bitbucket.seed_demo();
    bitbucket
}

/// Says it at once if a port is taken, and not in the middle of the story.
fn ports_are_free(ports: &[([u8; 4], u16)]) -> Result<(), String> {
    for (address, port) in ports {
        TcpListener::bind(SocketAddr::from((*address, *port)))
            .map_err(|error| format!("The demo needs the port {port}: {error}."))?;
    }
    Ok(())
}

/// The version of the Data Center: the one that was named, or one with OAuth 2.
fn version_asked(asked: Option<&str>) -> Result<Version, String> {
    let Some(asked) = asked else { return Ok(Version::V8_19) };
    let found = Version::ALL.into_iter().find(|version| version.number().starts_with(&format!("{asked}.")));
    found.ok_or_else(|| {
        let all: Vec<_> = Version::ALL.iter().map(|version| version.number()).collect();
        let all = all.join(", ");
        format!("There is no version {asked} of the fake Data Center. There are {all}; or say websites or synchronization.")
    })
}
