//! Deliveries of webhooks: how they are made, and how they go wrong.

use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Client;
use sha2::Sha256;
use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::runtime::Handle;

/// How long a receiver may take.
const TIME_OUT: Duration = Duration::from_secs(10);
/// Between two tries. Bitbucket's own pause is not documented; a test need not wait for it.
const PAUSE: Duration = Duration::from_millis(200);

/// One try to deliver an event.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// `repo:push`, ...
    pub event: String,
    /// Where it was sent.
    pub url: String,
    /// Counted from 1.
    pub attempt: u32,
    /// The answer; `None` if there was none in ten seconds.
    pub status: Option<u16>,
    /// The id in its headers: the same for every try, and if it was made twice.
    pub id: String,
    /// From the change to the answer.
    pub took: Duration,
}

/// How a delivery is made up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forgery {
    /// Without a signature.
    Unsigned,
    /// Signed with a secret that somebody guessed.
    WrongSecret,
    /// With the signature of another body.
    OtherBody,
    /// Rightly signed, as one who knows the secret could, of a repository that nobody knows.
    UnknownRepository,
}

/// What happens to deliveries.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Mishaps {
    pub(crate) lost_percent: u8,
    pub(crate) doubled_percent: u8,
    pub(crate) delay: Duration,
}

/// What is delivered, and where.
#[derive(Debug, Clone)]
pub(crate) struct Parcel {
    pub(crate) url: String,
    pub(crate) event: String,
    pub(crate) id: String,
    /// Besides the type of the content, the event and the signature.
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) signature: Option<String>,
    pub(crate) body: String,
    /// The first try and the ones after it, of a receiver that is broken or silent.
    pub(crate) attempts: u32,
}

/// Who delivers.
pub(crate) struct Courier {
    runtime: Handle,
    client: OnceLock<Client>,
    /// Deliveries that are on their way.
    open: Arc<AtomicUsize>,
}

impl Courier {
    pub(crate) fn new(runtime: Handle) -> Self {
        Self { runtime, client: OnceLock::new(), open: Arc::default() }
    }

    /// Delivers in the background, and tells of every try.
    pub(crate) fn send(
        &self,
        parcel: &Arc<Parcel>,
        mishaps: Mishaps,
        tell: impl Fn(Delivery) + Clone + Send + 'static,
    ) {
        if strikes(mishaps.lost_percent) {
            return;
        }
        for _ in 0..=u32::from(strikes(mishaps.doubled_percent)) {
            let (parcel, client, tell) = (Arc::clone(parcel), self.client(), tell.clone());
            let (open, since) = (Arc::clone(&self.open), Instant::now());
            open.fetch_add(1, Ordering::SeqCst);
            self.runtime.spawn(async move {
                tokio::time::sleep(mishaps.delay).await;
                deliver(&client, &parcel, since, tell).await;
                open.fetch_sub(1, Ordering::SeqCst);
            });
        }
    }

    /// Delivers now, once. Gives the status of the answer, 0 if there was none.
    pub(crate) async fn post(&self, parcel: &Parcel) -> u16 {
        post(&self.client(), parcel, 1).await.unwrap_or_default()
    }

    /// Waits until nothing is on its way any more.
    pub(crate) async fn finish(&self) {
        while self.open.load(Ordering::SeqCst) > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn client(&self) -> Client {
        self.client.get_or_init(client).clone()
    }
}

fn client() -> Client {
    let client = Client::builder().timeout(TIME_OUT).no_proxy().redirect(reqwest::redirect::Policy::none());
    client.build().expect("a client needs nothing that can be missing")
}

fn strikes(percent: u8) -> bool {
    rand::random_range(0..100) < percent
}

/// A receiver that is broken or silent is asked again; one that refuses is not.
async fn deliver(client: &Client, parcel: &Parcel, since: Instant, tell: impl Fn(Delivery)) {
    for attempt in 1..=parcel.attempts {
        let status = post(client, parcel, attempt).await;
        let Parcel { event, url, id, .. } = parcel.clone();
        tell(Delivery { event, url, attempt, status, id, took: since.elapsed() });
        if status.is_some_and(|status| status < 500) {
            return;
        }
        if attempt < parcel.attempts {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

async fn post(client: &Client, parcel: &Parcel, attempt: u32) -> Option<u16> {
    let mut request = client.post(&parcel.url).header("X-Event-Key", &parcel.event);
    for (name, value) in &parcel.headers {
        request = request.header(*name, value);
    }
    if parcel.attempts > 1 {
        request = request.header("X-Attempt-Number", attempt);
    }
    if let Some(signature) = &parcel.signature {
        request = request.header("X-Hub-Signature", signature);
    }
    let answer = request.body(parcel.body.clone()).send().await;
    answer.ok().map(|answer| answer.status().as_u16())
}

/// How a body is signed that somebody made up.
pub(crate) fn forged(forgery: Forgery, secret: Option<&str>, body: &str) -> Option<String> {
    let secret = secret.unwrap_or_default();
    match forgery {
        Forgery::Unsigned => None,
        Forgery::WrongSecret => Some(signature("guessed", body)),
        Forgery::OtherBody => Some(signature(secret, "{}")),
        Forgery::UnknownRepository => Some(signature(secret, body)),
    }
}

/// `sha256=` and the lower-case hex HMAC-SHA256 of the body.
pub(crate) fn signature(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(body.as_bytes());
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first row is from Bitbucket Cloud's documentation of signed webhooks.
    #[test]
    fn deliveries_are_signed_as_bitbucket_signs_them() {
        let rows = [
            (
                "It's a Secret to Everybody",
                "Hello World!",
                "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9",
            ),
            (
                "stave-test-secret",
                r#"{"push":{"changes":[]}}"#,
                "sha256=a4b3c28108df26b6839ee0a2c3e532f6357254a8bcac3e5a121e5b049a9ae8f7",
            ),
            (
                "stave-test-secret",
                r#"{"test":true}"#,
                "sha256=52ee86333c3fc0a11e74b4e6cee454a0fdb4142d4b7667e7b87fe28712203541",
            ),
        ];
        for (secret, body, expected) in rows {
            assert_eq!(signature(secret, body), expected);
        }
    }
}
