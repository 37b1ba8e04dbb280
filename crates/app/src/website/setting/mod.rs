//! The login setting of a website: a draft that owners apply, and what they save for visitors to see.
//!
//! [`SettingForm`] is what is typed, `read` and `rest` say what it means. Applying stores a draft, saving publishes it as the next revision,
//! and no revision ever changes.

mod change;
mod form;
mod read;
mod rest;
mod revision;
mod secret;

pub use change::setting_changes;
pub use form::{Held, ProviderForm, SettingForm, email_choices};
pub use revision::RevisionView;

use crate::{Actor, App, Failure, Problems};
use stave_domain::{
    Timestamp,
    organization::Organization,
    website::{Draft, EmailTrust, Provider, ProviderKey, Revision, Setting, Website},
};
use stave_storage::Storage;

/// The page "Login setting".
#[derive(Debug)]
pub struct SettingView {
    /// Whose website.
    pub organization: Organization,
    /// Which.
    pub website: Website,
    /// What is worked on: the draft, or what visitors see.
    pub setting: Setting,
    /// Who applied what visitors do not see yet, if anything.
    pub draft: Option<Draft>,
    /// What visitors see.
    pub published: Option<Revision>,
    /// The form of what is worked on.
    pub form: SettingForm,
    /// Where visitors log in.
    pub address: String,
}

impl SettingView {
    /// Restrictions that let nobody in, because Bitbucket did not say yet which workspace is meant: the words on the button, and
    /// the workspace.
    pub fn unknown(&self) -> impl Iterator<Item = (&str, String)> {
        self.setting.providers.iter().flat_map(|provider| {
            let unknown = provider.only.iter().filter(|circle| !circle.is_known());
            unknown.map(|circle| (provider.label.as_str(), circle.to_string()))
        })
    }

    /// Buttons of the website's own whose keys are there and which are off. What is off for visitors too was meant so.
    pub fn switched_off(&self) -> impl Iterator<Item = &ProviderForm> {
        let published = self.published.as_ref().map(|revision| &revision.setting);
        let is_meant =
            move |key| published.and_then(|setting| setting.provider(key)).is_some_and(|seen| !seen.is_on);
        let parts = self.form.providers.iter();
        parts.filter(move |part| part.held.is_some() && !part.is_on && !is_meant(&part.key))
    }
}

/// What is stored of a website's settings: the latest of each kind.
pub(super) struct Stored {
    pub(super) draft: Option<Draft>,
    pub(super) published: Option<Revision>,
}

impl Stored {
    /// What is worked on.
    pub(super) fn setting(&self) -> Setting {
        let draft = self.draft.as_ref().map(|draft| &draft.setting);
        draft.or(self.published.as_ref().map(|revision| &revision.setting)).cloned().unwrap_or_default()
    }

    /// What a test tries: the draft, or what visitors see, with the number of the latter; `None` if there is neither.
    pub(super) fn tried(&self) -> Option<(Setting, Option<u32>)> {
        match (&self.draft, &self.published) {
            (Some(draft), _) => Some((draft.setting.clone(), None)),
            (None, Some(published)) => Some((published.setting.clone(), Some(published.number))),
            (None, None) => None,
        }
    }

    /// Names it, so that a form can say from which it was made.
    fn version(&self) -> String {
        match (&self.draft, self.number()) {
            (Some(draft), _) => format!("draft {}", draft.changed_at),
            (None, Some(number)) => format!("revision {number}"),
            (None, None) => "nothing".into(),
        }
    }

    fn number(&self) -> Option<u32> {
        self.published.as_ref().map(|revision| revision.number)
    }

    /// Who made it, and when; nobody made nothing.
    fn author(&self) -> Option<(&str, Timestamp)> {
        let draft = self.draft.as_ref().map(|draft| (draft.author.as_str(), draft.changed_at));
        draft.or(self.published.as_ref().map(|revision| (revision.author.as_str(), revision.created_at)))
    }

    /// Nothing that somebody else did meanwhile is overwritten.
    fn unchanged_since(&self, version: &str, actor: &Actor) -> Result<(), Failure> {
        if version.is_empty() || version == self.version() {
            return Ok(());
        }
        let is_me = |author: &str| author == actor.name();
        let sentence = match (self.author(), &self.draft) {
            (Some((author, at)), Some(_)) if is_me(author) => {
                format!(
                    "You applied another draft in another window on {}. This one is not stored.",
                    readable(at)
                )
            }
            (Some((author, at)), Some(_)) => format!(
                "{author} applied another draft on {}, while you had this page open. Yours is not stored.",
                readable(at)
            ),
            (Some((author, at)), None) => format!(
                "The draft was saved or discarded while you had this page open: what visitors see was saved by {} on {}. Yours is not stored.",
                if is_me(author) { "you" } else { author },
                readable(at)
            ),
            (None, _) => "The draft was discarded while you had this page open. Yours is not stored.".into(),
        };
        Err(Failure::Conflict(sentence))
    }
}

impl App {
    /// The login setting of a website, for its owners.
    pub async fn website_setting_show(
        &self,
        actor: &Actor,
        organization: &str,
        slug: &str,
    ) -> Result<SettingView, Failure> {
        let (organization, website) = self.website_owned(actor, organization, slug).await?;
        let stored = stored(&self.storage, &website).await?;
        let setting = stored.setting();
        let integrations = self.website_integrations(&website).await?;
        let form = self.website_setting_form(&website, &setting, &integrations);
        let form = SettingForm { version: stored.version(), ..form };
        let address = format!("{}/login", self.issuer_address(&website));
        let Stored { draft, published } = stored;
        Ok(SettingView { organization, website, setting, draft, published, form, address })
    }

    /// Stores what was typed as draft. Visitors see nothing of it.
    pub async fn website_setting_apply(
        &self,
        actor: &Actor,
        (organization, slug): (&str, &str),
        form: &SettingForm,
    ) -> Result<(), Failure> {
        let (_, website) = self.website_owned(actor, organization, slug).await?;
        let before = stored(&self.storage, &website).await?;
        before.unchanged_since(&form.version, actor)?;
        let setting = self.website_setting_read((actor, &website), &before.setting(), form).await?;
        self.website_draft_put(actor, (&website, &before), setting).await
    }

    /// Makes a setting the draft, unless somebody changed what is stored since `before` was read.
    pub(super) async fn website_draft_put(
        &self,
        actor: &Actor,
        (website, before): (&Website, &Stored),
        setting: Setting,
    ) -> Result<(), Failure> {
        let changed_at = self.clock.now();
        let draft = Draft { setting, began_with: before.number(), author: actor.name(), changed_at };
        let txn = self.storage.begin().await?;
        txn.lock(LOCK).await?;
        stored(&txn, website).await?.unchanged_since(&before.version(), actor)?;
        txn.website_draft_put(website.id, &draft).await?;
        Ok(txn.commit().await?)
    }

    /// Stores what was typed and lets visitors see it, or does neither. The number of the revision; `None` if visitors see this
    /// already.
    pub async fn website_setting_save(
        &self,
        actor: &Actor,
        (organization, slug): (&str, &str),
        form: &SettingForm,
    ) -> Result<Option<u32>, Failure> {
        let (organization, website) = self.website_owned(actor, organization, slug).await?;
        let before = stored(&self.storage, &website).await?;
        before.unchanged_since(&form.version, actor)?;
        let setting = self.website_setting_read((actor, &website), &before.setting(), form).await?;
        publishable(&setting, form)?;
        let ends_logins = form.ends_logins;
        let publication = Publication { setting, note: String::new(), ends_logins, keeps_draft: false };
        let number = self.website_publish(actor, (&website, &before), publication).await?;
        if let Some((number, action)) = number {
            self.log_by(actor, Some(organization.id), action).await?;
            return Ok(Some(number));
        }
        Ok(None)
    }

    /// Forgets the draft.
    pub async fn website_setting_discard(
        &self,
        actor: &Actor,
        (organization, slug): (&str, &str),
        version: &str,
    ) -> Result<(), Failure> {
        let (_, website) = self.website_owned(actor, organization, slug).await?;
        let txn = self.storage.begin().await?;
        txn.lock(LOCK).await?;
        stored(&txn, &website).await?.unchanged_since(version, actor)?;
        txn.website_draft_delete(website.id).await?;
        Ok(txn.commit().await?)
    }

    /// Makes a setting the next revision, in one transaction: its number, and what the Log says about it.
    async fn website_publish(
        &self,
        actor: &Actor,
        (website, before): (&Website, &Stored),
        publication: Publication,
    ) -> Result<Option<(u32, String)>, Failure> {
        let Publication { setting, note, ends_logins, keeps_draft } = publication;
        let old = before.published.as_ref().map(|old| &old.setting);
        let gone = old.map(|old| gone(old, &setting)).filter(|_| ends_logins).unwrap_or_default();
        let narrowed = old.map(|old| narrowed(old, &setting)).unwrap_or_default();
        let is_new = before.published.as_ref().is_none_or(|old| old.setting != setting);
        let trusting = trusting(&setting);
        let txn = self.storage.begin().await?;
        txn.lock(LOCK).await?;
        stored(&txn, website).await?.unchanged_since(&before.version(), actor)?;
        let number = before.number().unwrap_or(0) + 1;
        if is_new {
            let (author, created_at) = (actor.name(), self.clock.now());
            let revision = Revision { number, setting, author, note, created_at };
            txn.website_revision_insert(website.id, &revision).await?;
            txn.website_publish(website.id, number).await?;
        }
        if !keeps_draft {
            txn.website_draft_delete(website.id).await?;
        }
        for key in gone.iter().chain(&narrowed) {
            txn.website_login_delete_of_provider(website.id, key).await?;
        }
        txn.commit().await?;
        let action = format!("saved revision {number} of the login setting of {}{trusting}", website.slug);
        Ok(is_new.then_some((number, action)))
    }
}

/// A setting on its way to visitors.
struct Publication {
    setting: Setting,
    note: String,
    ends_logins: bool,
    keeps_draft: bool,
}

/// Two who change the setting of a website take turns.
pub(super) const LOCK: &str = "website setting";

/// What is stored of a website's settings.
pub(super) async fn stored(storage: &Storage, website: &Website) -> Result<Stored, Failure> {
    let draft = storage.website_draft_find(website.id).await?;
    let published = storage.website_published(website.id).await?;
    Ok(Stored { draft, published })
}

/// As it stands on the page too.
fn readable(at: Timestamp) -> String {
    at.strftime("%-d %b %Y, %H:%M UTC").to_string()
}

/// Whether visitors can do anything with it.
fn publishable(setting: &Setting, form: &SettingForm) -> Result<(), Failure> {
    let mut problems = Problems::default();
    if setting.offered().next().is_none() {
        problems.add(
            "",
            "Nobody could log in: no button is switched on. Switch one on, for example “Enable Bitbucket login” in the tab Bitbucket.",
        );
    }
    for provider in setting.offered() {
        let unknown: Vec<String> =
            provider.only.iter().filter(|circle| !circle.is_known()).map(ToString::to_string).collect();
        let part = form.providers.iter().find(|part| part.key == provider.key);
        if let (Some(part), false) = (part, unknown.is_empty()) {
            problems.add(part.only_field(), not_known(&unknown.join(", ")));
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems.into_failure()) }
}

fn not_known(names: &str) -> String {
    format!(
        "Bitbucket did not say yet which workspace {names} is, and a name alone can be given to others later. Apply, then press “Test sign-in” on the preview and log in as somebody who is in it: that finds it out. Or type its id in braces."
    )
}

/// Buttons through which fewer people may come in than before: whoever came in with one says once more who they are.
fn narrowed(before: &Setting, after: &Setting) -> Vec<ProviderKey> {
    let for_all = (!after.allowed.is_empty() && after.allowed != before.allowed)
        || (after.email_required && !before.email_required);
    let is_narrowed = |old: &&Provider| {
        let new = after.provider(&old.key);
        for_all || new.is_some_and(|new| !new.only.is_empty() && new.only != old.only)
    };
    before.providers.iter().filter(is_narrowed).map(|provider| provider.key.clone()).collect()
}

/// Buttons that visitors had and no longer have.
fn gone(before: &Setting, after: &Setting) -> Vec<ProviderKey> {
    let is_offered = |key: &ProviderKey| after.offered().any(|provider| provider.key == *key);
    before.offered().map(|provider| provider.key.clone()).filter(|key| !is_offered(key)).collect()
}

/// What the Log says about addresses that count without having been verified.
fn trusting(setting: &Setting) -> String {
    let trusted: Vec<&str> = setting
        .offered()
        .filter(|provider| provider.email == EmailTrust::All)
        .map(|provider: &Provider| provider.label.as_str())
        .collect();
    if trusted.is_empty() {
        return String::new();
    }
    format!(" (every e-mail address counts as verified with: {})", trusted.join(", "))
}
