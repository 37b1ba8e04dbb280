//! An organization that follows a workspace: what its owner clicks is clicked already, changing the workspace is left to you.

use crate::{
    BITBUCKET, STAVE, bitbucket,
    newcomer::{self, Answer, Browser},
    ports_are_free, workspace,
};
use stave_server::{Config, Stave};
use stave_testkit::FakeBitbucket;
use std::{error::Error, sync::Arc, thread, time::Duration};
use tokio_util::sync::CancellationToken;

const SYNCHRONIZATIONS: &str = "/orgs/acme/settings/synchronizations";
/// What the API token for git may do.
const PUSHES: [&str; 2] = ["read:repository:bitbucket", "write:repository:bitbucket"];

/// Starts everything and serves until `stop` is cancelled.
pub(crate) async fn show(config: Config, stop: CancellationToken) -> Result<(), Box<dyn Error>> {
    ports_are_free(&[STAVE, BITBUCKET])?;
    let bitbucket = Arc::new(bitbucket().await);
    workspace::fill(&bitbucket);
    let stave = Stave::start(config).await?;
    let link = stave.app().setup_link().await?.ok_or("Stave is not in Setup Mode.")?;
    let home = format!("http://{}", stave.address());
    let served = tokio::spawn(stave.run(stop));

    let ada = newcomer::ada(&home, &link, &bitbucket).await;
    let page = follow(&ada).await;
    packages_in_folders(&ada, &page).await;
    let grace = Browser::new(&home);
    newcomer::log_in(&grace, &bitbucket, "grace").await;
    let token = grace.send("/orgs/acme/token", &[]).await;
    rest(&ada, &page).await;

    say(&home, &page, &bitbucket, &token_on(&token));
    let heeded = Arc::clone(&bitbucket);
    thread::spawn(move || workspace::heed(&heeded));
    Ok(served.await??)
}

/// "Add Synchronization" to "Start synchronization"; gives the address of its page.
async fn follow(ada: &Browser) -> String {
    let offers = ada.open(&format!("{SYNCHRONIZATIONS}/new")).await;
    let page = ada.press(&offers, "Choose").await.url.path().to_owned();
    let draft = rest(ada, &page).await;
    ada.press(&draft, "Start synchronization").await.shows("Last success");
    rest(ada, &page).await;
    page
}

/// The repository whose packages are in folders is added by hand, and told where they are.
async fn packages_in_folders(ada: &Browser, page: &str) {
    let toolbox = format!("{page}/repositories?q=toolbox");
    let list = ada.open(&toolbox).await;
    ada.press(&list, "Add").await;
    rest(ada, page).await;
    let paths = ada.open(&toolbox).await.link("Paths").expect("the repository has a link to its paths");
    let form = ada.open(&paths).await;
    let filled = form.form("Save").fill(&[("has_paths", "on"), ("paths", "packages/*")]);
    ada.submit(&form, filled).await;
}

/// Waits until nothing goes on; the page then.
async fn rest(ada: &Browser, page: &str) -> Answer {
    loop {
        let shown = ada.open(page).await;
        if !shown.body.contains("data-refresh") {
            return shown;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The token that a page shows once.
fn token_on(page: &Answer) -> String {
    let at = page.body.find("stave_uut_").expect("the page shows a token");
    page.body[at..].chars().take_while(|it| it.is_ascii_alphanumeric() || *it == '_').collect()
}

#[expect(clippy::print_stdout, reason = "the demo talks to whoever started it")]
fn say(home: &str, page: &str, bitbucket: &FakeBitbucket, token: &str) {
    let base = bitbucket.base_url();
    let key = bitbucket.user("ada").api_token(&PUSHES);
    let remote = base.replacen("//", &format!("//x-bitbucket-api-token-auth:{key}@"), 1);
    println!(
        "
The organization acme follows the workspace acme of Bitbucket ({base}, a fake).

 The synchronization   {home}{page}
 Log in                {home}/login: as ada, its owner; as grace, a member; as ken and the others, who never came yet.
                       To be somebody else, use another browser, or a private window.

Try, and look at what comes of it:

 1. Push a version, and find it on the page {home}/orgs/acme/packages/acme/queue a moment later:
    git clone -q {remote}/acme/queue.git demo-queue && git -C demo-queue tag 2.0.0 && git -C demo-queue push -q origin 2.0.0

 2. See what grace reads: 200 is yes, 404 is no.
    curl -s -o /dev/null -w '%{{http_code}}\\n' -u grace:{token} {home}/repo/acme/p2/acme/payments.json
    Now take it away on Bitbucket: type “take grace payments” here, press “Run now” on the page of the synchronization,
    and ask again. Who may read the package, and why, is on its page, at “Read by”.

 3. Log in as ken: he is a member at once, and reads payments. linus is in no workspace, and reads the one package
    that was given to him.

 4. Rename a repository here (“rename router switch”): the webhook tells, and its package follows.

What you can type here:
{}

Ctrl+C ends everything.
",
        workspace::COMMANDS
    );
}
