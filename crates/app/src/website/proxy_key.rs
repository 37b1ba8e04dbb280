//! The key with which a website's proxies show that a request comes from them.

use crate::{Actor, App, Failure, entropy};
use stave_domain::{
    Secret,
    website::{HeldSecret, Website},
};

/// So many keys are valid at once: one that is in use, and the one that takes its place.
const MOST: usize = 2;

impl App {
    /// Makes a proxy key, to be shown once. The one before stays valid until it is removed.
    pub async fn website_proxy_key_add(
        &self,
        actor: &Actor,
        organization: &str,
        slug: &str,
    ) -> Result<Secret, Failure> {
        let (organization, website) = self.website_owned(actor, organization, slug).await?;
        let secret = entropy::secret();
        let key = HeldSecret::of(&secret, self.clock.now());
        self.website_proxy_keys_change(&website, |keys| {
            if keys.len() >= MOST {
                return Err(Failure::Conflict(
                    "Two proxy keys are valid already. Remove the older one first.".into(),
                ));
            }
            keys.insert(0, key);
            Ok(())
        })
        .await?;
        let action = format!("made a proxy key for the website {}", website.slug);
        self.log_by(actor, Some(organization.id), action).await?;
        Ok(secret)
    }

    /// Ends every proxy key but the newest.
    pub async fn website_proxy_key_retire(
        &self,
        actor: &Actor,
        organization: &str,
        slug: &str,
    ) -> Result<(), Failure> {
        let (organization, website) = self.website_owned(actor, organization, slug).await?;
        self.website_proxy_keys_change(&website, |keys| {
            keys.truncate(1);
            Ok(())
        })
        .await?;
        let action = format!("removed the older proxy key of the website {}", website.slug);
        self.log_by(actor, Some(organization.id), action).await
    }

    async fn website_proxy_keys_change(
        &self,
        website: &Website,
        change: impl FnOnce(&mut Vec<HeldSecret>) -> Result<(), Failure> + Send,
    ) -> Result<(), Failure> {
        let txn = self.storage.begin().await?;
        let mut website = txn.website_find(website.id).await?.ok_or(Failure::NotFound("website"))?;
        change(&mut website.proxy_keys)?;
        txn.website_update(&website).await?;
        Ok(txn.commit().await?)
    }
}
