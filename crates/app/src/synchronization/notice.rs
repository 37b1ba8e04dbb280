//! Deliveries of webhooks. One that is forged is refused; one that is doubled, late or about something unknown does no harm.

use crate::{App, Failure};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use stave_domain::{
    Secret,
    delivery::{DELIVERIES_KEPT, Delivery, Notice, NoticeKind},
    id::SynchronizationId,
    job::Job,
    repository::Followed,
    synchronization::{Manifest, Stage, Synchronization},
};
use stave_storage::Storage;

/// A request to the address of a webhook.
#[derive(Debug)]
pub struct Ring<'a> {
    /// The value of `X-Hub-Signature`.
    pub signature: Option<&'a str>,
    /// The body, to the byte.
    pub body: &'a [u8],
}

impl App {
    /// Somebody rang the bell of a synchronization. What they did is read from the platform, not from the delivery.
    pub async fn webhook_ring(
        &self,
        id: SynchronizationId,
        ring: Ring<'_>,
        header: &(dyn Fn(&str) -> Option<String> + Sync),
    ) -> Result<(), Failure> {
        let unknown = || Failure::NotFound("webhook");
        let synchronization = self.storage.synchronization_find(id).await?.ok_or_else(unknown)?;
        let integration = self.integration_of(synchronization.integration_id).await?;
        let connector = self.follow_connector(&integration)?;
        let webhooks = connector.webhooks().ok_or_else(unknown)?;
        let notice = webhooks.notice(header, ring.body);
        let is_signed =
            ring.signature.is_some_and(|it| is_signature(it, &self.webhook_secret(id), ring.body));
        match notice {
            // Bitbucket Data Center may not sign the ping of its form.
            Some(Notice { kind: NoticeKind::Ping, .. }) => return Ok(()),
            _ if !is_signed => {
                return Err(Failure::Denied(
                    "The signature of this delivery is missing or wrong. Stave repairs the webhook with the next run of the synchronization.".into(),
                ));
            }
            None => {
                return Err(Failure::invalid("body", "This is no delivery of a Bitbucket webhook."));
            }
            Some(notice) if synchronization.stage == Stage::Active => {
                self.notice_heed(&synchronization, notice).await?;
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// A delivery and what it does are stored together, so that one that was answered with an error counts when it comes again.
    async fn notice_heed(&self, synchronization: &Synchronization, notice: Notice) -> Result<(), Failure> {
        let txn = self.storage.begin().await?;
        let (jobs, effect) = self.notice_jobs(&txn, synchronization, &notice).await?;
        let delivery = Delivery {
            synchronization_id: synchronization.id,
            delivery_id: notice.delivery_id.clone().unwrap_or_default(),
            event: notice.event,
            effect,
            received_at: self.clock.now(),
        };
        // Without an id it cannot be told from another one; it is only a bell, so it may ring twice.
        if notice.delivery_id.is_some() && !txn.delivery_insert(&delivery).await? {
            return Ok(());
        }
        for job in jobs {
            self.job_enqueue_in(&txn, job, Some(synchronization.organization_id)).await?;
        }
        txn.commit().await?;
        self.job_bell.notify_one();
        Ok(())
    }

    async fn notice_jobs(
        &self,
        txn: &Storage,
        synchronization: &Synchronization,
        notice: &Notice,
    ) -> Result<(Vec<Job>, String), Failure> {
        let id = synchronization.id;
        let everything = |why: &str| {
            let job = Job::Synchronize { synchronization: id };
            (vec![job], format!("{why}: {} is read", synchronization.workspace.title()))
        };
        let known = match &notice.repository {
            Some(repository) => txn.remote_repository_find_by_external(id, repository).await?,
            None => None,
        };
        Ok(match (notice.kind, known) {
            (NoticeKind::Ping | NoticeKind::Other, _) => {
                (Vec::new(), "nothing: Stave does not follow this".into())
            }
            (NoticeKind::Workspace, _) => everything("something came, went or has another name"),
            (NoticeKind::Push, None) => everything("the repository was not known"),
            (NoticeKind::Push, Some(known)) => {
                let followed = Followed { synchronization_id: id, number: known.number };
                match txn.repository_find_followed(followed).await? {
                    Some(repository) => (
                        vec![Job::UpdateRepository { repository: repository.id }],
                        format!("{} is read", known.remote.slug),
                    ),
                    None if synchronization.selection.wants(&known) => {
                        let (before, problem) =
                            (known.looked_at.unwrap_or(synchronization.created_at), known.problem.as_deref());
                        txn.remote_repository_looked(followed, Manifest::Unknown, before, problem).await?;
                        let job = Job::FindPackages { synchronization: id };
                        (vec![job], format!("whether {} has a composer.json is looked up", known.remote.slug))
                    }
                    None => (Vec::new(), format!("nothing: {} is not chosen", known.remote.slug)),
                }
            }
        })
    }

    /// Forgets deliveries that are too old to come again.
    pub(crate) async fn deliveries_sweep(&self) -> Result<(), Failure> {
        for synchronization in self.storage.synchronization_list_active().await? {
            self.storage.delivery_prune(synchronization.id, DELIVERIES_KEPT).await?;
        }
        Ok(())
    }
}

/// Whether `sha256=<hex>` is the signature of a body (Bitbucket: "Secure webhooks", HMAC-SHA256 of the raw body).
fn is_signature(text: &str, secret: &Secret, body: &[u8]) -> bool {
    let Some(hex) = text.trim().strip_prefix("sha256=") else { return false };
    let Ok(signature) = hex::decode(hex) else { return false };
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(secret.expose().as_bytes())
        .expect("any length will do");
    mac.update(body);
    mac.verify_slice(&signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of Bitbucket's manual and some that were computed by hand.
    #[test]
    fn signatures() {
        for (secret, body, signature) in [
            (
                "It's a Secret to Everybody",
                "Hello World!",
                "a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9",
            ),
            (
                "stave-test-secret",
                r#"{"push":{"changes":[]}}"#,
                "a4b3c28108df26b6839ee0a2c3e532f6357254a8bcac3e5a121e5b049a9ae8f7",
            ),
            (
                "stave-test-secret",
                r#"{"test":true}"#,
                "52ee86333c3fc0a11e74b4e6cee454a0fdb4142d4b7667e7b87fe28712203541",
            ),
        ] {
            let (secret, signature) = (Secret::new(secret), format!("sha256={signature}"));
            assert!(is_signature(&signature, &secret, body.as_bytes()));
            assert!(is_signature(&signature.replace("sha256=", " sha256="), &secret, body.as_bytes()));
            for forged in
                ["", "sha256=", &signature[7..], &signature[..70], &signature.replace("sha256", "sha1")]
            {
                assert!(!is_signature(forged, &secret, body.as_bytes()), "{forged}");
            }
            assert!(!is_signature(&signature, &secret, b"another body"));
            assert!(!is_signature(&signature, &Secret::new("another"), body.as_bytes()));
        }
    }
}
