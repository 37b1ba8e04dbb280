//! Stave beside a fake Bitbucket, to click through the whole story without a Bitbucket account:
//! `cargo run --release --example demo`.
//!
//! The fake has a workspace `acme` with a few PHP packages and the people ada, grace and linus. Everything is in a temporary
//! folder and gone at the end (Ctrl+C).

use stave_server::{Config, serve::serve};
use stave_testkit::FakeBitbucket;
use std::{
    error::Error,
    net::{SocketAddr, TcpListener},
};
use tokio_util::sync::CancellationToken;

const STAVE: ([u8; 4], u16) = ([127, 0, 0, 1], 8080);
const BITBUCKET: ([u8; 4], u16) = ([127, 0, 0, 1], 8090);

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the demo talks to whoever started it")]
async fn main() -> Result<(), Box<dyn Error>> {
    if let Err(error) = TcpListener::bind(SocketAddr::from(BITBUCKET)) {
        return Err(format!("The fake Bitbucket needs the port {}: {error}.", BITBUCKET.1).into());
    }
    let bitbucket = FakeBitbucket::start_on(SocketAddr::from(BITBUCKET)).await;
    bitbucket.seed_demo();
    let base = bitbucket.base_url();
    println!(
        "A fake Bitbucket is at {base}

 1. Open the setup link below and hit “Add Integration”.
 2. Base URL: {base}
    Create the consumer at {base}/acme/workspace/settings/oauth-consumers/new
 3. Log in with Bitbucket as ada, leave Setup Mode, create the organization acme.
 4. Add Package, By URL, twice: {base}/acme/clock.git, then {base}/acme/mailer.git, which requires it.
 5. Follow the three lines on the Overview.
"
    );
    let folder = tempfile::tempdir()?;
    let config = Config {
        listen: SocketAddr::from(STAVE),
        outbound_allow: vec!["127.0.0.0/8".parse()?],
        ..Config::in_folder(folder.path().to_owned())
    };
    let stop = CancellationToken::new();
    let asked = stop.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            asked.cancel();
        }
    });
    Ok(serve(config, stop).await?)
}
