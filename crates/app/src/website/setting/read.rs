//! What the form "Login setting" means, and what is wrong with it.

use super::{
    form::{ProviderForm, SettingForm},
    rest::{named, rest_read},
};
use crate::{Actor, App, Failure, Problems, entropy, key_pair::key_pair};
use stave_domain::{
    Invalid, Secret,
    integration::{BaseUrl, Client, OAuthVersion, Platform},
    website::{Circle, EmailTrust, Look, Provider, ProviderKey, Setting, Source, Website},
};
use std::time::Duration;

/// So many buttons, workspaces, groups, addresses are enough.
const LINES: usize = 100;
/// How long Bitbucket is asked for the id of a workspace; a test sign-in finds it out too.
const PATIENCE: Duration = Duration::from_secs(8);

/// What is behind a button, as far as it can be said without making or asking anything.
enum Typed {
    /// Nothing yet: it is not kept.
    Nothing,
    /// What was there before.
    Kept(Source),
    /// A consumer or link with a secret that was just typed.
    New { place: (Platform, BaseUrl), id: String, secret: Secret },
    /// A key pair is to be made.
    KeyPair { place: (Platform, BaseUrl) },
}

/// What is typed about a button, whatever is behind it.
struct Told {
    key: ProviderKey,
    is_on: bool,
    label: String,
    email: EmailTrust,
    only: Vec<Circle>,
}

impl Told {
    fn of(self, source: Source) -> Provider {
        let Self { key, is_on, label, email, only } = self;
        Provider { key, is_on, label, source, email, only }
    }

    /// Whether visitors would see the same words on another button.
    fn looks_like(&self, other: &Self) -> bool {
        other.is_on && self.label.to_lowercase() == other.label.to_lowercase()
    }
}

impl App {
    /// The setting that a form says, or what is wrong with it. `before` is the one from which the form was made.
    pub(super) async fn website_setting_read(
        &self,
        (actor, website): (&Actor, &Website),
        before: &Setting,
        form: &SettingForm,
    ) -> Result<Setting, Failure> {
        let mut problems = Problems::default();
        let mut typed = Vec::new();
        for part in form.ordered() {
            let known = before.provider(&part.key);
            let source = self.provider_source_read(website, known, part, &mut problems);
            let told = told_read(actor, known, part, &mut problems);
            if told.is_on && typed.iter().any(|(_, other)| told.looks_like(other)) {
                problems.add(
                    part.field("label"),
                    format!(
                        "{}, Button text: another button says “{}” too, so visitors could not tell them apart. Write other words.",
                        part.title(), told.label
                    ),
                );
            }
            typed.push((source, told));
        }
        let rest = rest_read(form, &mut problems);
        let logo = self.logo_read(website, &form.logo).await?;
        let (Some(rest), true) = (rest, problems.is_empty()) else { return Err(problems.into_failure()) };
        let mut providers = Vec::new();
        for (source, told) in typed {
            if let Some(source) = self.provider_source_made(website, source).await? {
                let mut provider = told.of(source);
                self.circles_find(website, before, &mut provider).await?;
                providers.push(provider);
            }
        }
        Ok(Setting { providers, look: Look { logo, ..rest.look }, ..rest })
    }

    /// What is behind a button: a secret goes to no other server, and for no other id, than the one that it was typed for.
    fn provider_source_read(
        &self,
        website: &Website,
        known: Option<&Provider>,
        part: &ProviderForm,
        problems: &mut Problems,
    ) -> Typed {
        if let Some(id) = part.integration {
            let is_wanted = part.is_on || known.is_some();
            return if is_wanted { Typed::Kept(Source::Integration(id)) } else { Typed::Nothing };
        }
        let oauth = match part.platform {
            Platform::BitbucketCloud => Some(OAuthVersion::Two),
            Platform::BitbucketDataCenter => problems.parse(part.field("oauth"), &part.oauth),
        };
        let secret = self.website_typed_secret(website, part);
        let is_blank = part.client_id.trim().is_empty() && secret.is_none();
        let wants_pair = oauth == Some(OAuthVersion::One) && !part.base_url.trim().is_empty();
        if is_blank && !part.is_on && !wants_pair {
            return Typed::Nothing;
        }
        let base_url = named(&part.names("Base URL"), part.base_url.parse::<BaseUrl>());
        let base_url = problems.check(part.field("base_url"), base_url);
        let (Some(base_url), Some(oauth)) = (base_url, oauth) else { return Typed::Nothing };
        let same = known.map(|provider| &provider.source).filter(
            |source| matches!(source, Source::Own { base_url: before, .. } if before.as_str() == base_url.as_str()),
        );
        match oauth {
            OAuthVersion::One => pair_read((part.platform, base_url), same),
            OAuthVersion::Two => secret_read(part, (base_url, secret), (known, same), problems),
        }
    }

    /// Makes what is to be made: seals the secret, or makes the key pair.
    async fn provider_source_made(&self, website: &Website, typed: Typed) -> Result<Option<Source>, Failure> {
        let ((platform, base_url), client, secret_ending) = match typed {
            Typed::Nothing => return Ok(None),
            Typed::Kept(source) => return Ok(Some(source)),
            Typed::New { place, id, secret } => {
                let sealed = self.website_secret_seal(website, (place.0, &place.1), &id, &secret);
                (place, Client::OAuth2 { id, secret: sealed }, ending(&secret))
            }
            Typed::KeyPair { place } => {
                let made = tokio::task::spawn_blocking(key_pair).await.map_err(Failure::internal)??;
                let consumer_key = format!("stave-{}", hex::encode(entropy::bytes::<6>()));
                let server = (place.0, &place.1);
                let private_key = self.website_secret_seal(website, server, &consumer_key, &made.private_pem);
                let client = Client::OAuth1 { consumer_key, private_key, public_key: made.public_pem };
                (place, client, String::new())
            }
        };
        let secret_set_at = self.clock.now();
        Ok(Some(Source::Own { platform, base_url, client, secret_ending, secret_set_at }))
    }

    /// Finds out which workspaces are meant: their names can be given to others later, their ids cannot. What cannot be found
    /// out now stays unknown, and lets nobody in.
    async fn circles_find(
        &self,
        website: &Website,
        before: &Setting,
        provider: &mut Provider,
    ) -> Result<(), Failure> {
        let known = before.provider(&provider.key).filter(|known| is_same_place(known, provider));
        let known = known.map(|known| known.only.as_slice()).unwrap_or_default();
        for circle in &mut provider.only {
            if let Some(pinned) = known.iter().find(|known| known.to_string() == circle.to_string()) {
                circle.clone_from(pinned);
            }
        }
        if provider.only.iter().all(Circle::is_known) {
            return Ok(());
        }
        let server = match self.website_server(website, provider, None).await {
            Err(Failure::Denied(_)) => return Ok(()),
            found => found?,
        };
        let Some(circles) = server.connector.circles() else { return Ok(()) };
        let ask = async {
            for circle in provider.only.iter_mut().filter(|circle| !circle.is_known()) {
                match circles.circle_find(&circle.to_string()).await {
                    Ok(Some(found)) => *circle = found,
                    Ok(None) => {}
                    Err(error) => {
                        tracing::debug!(%error, "the id of a workspace could not be found out");
                        return;
                    }
                }
            }
        };
        // Who saves a form does not wait for a slow server: what is unknown is said on the page.
        _ = tokio::time::timeout(PATIENCE, ask).await;
        Ok(())
    }

    /// The picture that a form names, if this website has it.
    async fn logo_read(&self, website: &Website, hash: &str) -> Result<Option<String>, Failure> {
        if hash.is_empty() || self.storage.website_logo_find(website.id, hash).await?.is_none() {
            return Ok(None);
        }
        Ok(Some(hash.to_owned()))
    }
}

/// Whether two buttons lead to the same server: only there a workspace is the same one.
fn is_same_place(one: &Provider, other: &Provider) -> bool {
    match (&one.source, &other.source) {
        (Source::Own { base_url: one, .. }, Source::Own { base_url: other, .. }) => {
            one.as_str() == other.as_str()
        }
        (one, other) => one == other,
    }
}

fn pair_read(place: (Platform, BaseUrl), same: Option<&Source>) -> Typed {
    match same {
        Some(source @ Source::Own { client: Client::OAuth1 { .. }, .. }) => Typed::Kept(source.clone()),
        _ => Typed::KeyPair { place },
    }
}

fn secret_read(
    part: &ProviderForm,
    (base_url, secret): (BaseUrl, Option<Secret>),
    (known, same): (Option<&Provider>, Option<&Source>),
    problems: &mut Problems,
) -> Typed {
    let Some(id) = problems.text(part.field("client_id"), &part.names("App ID"), &part.client_id, 300) else {
        return Typed::Nothing;
    };
    if let Some(secret) = secret {
        return Typed::New { place: (part.platform, base_url), id, secret };
    }
    if let Some(source @ Source::Own { client: Client::OAuth2 { id: before, .. }, .. }) = same
        && *before == id
    {
        return Typed::Kept(source.clone());
    }
    let sentence = match (known.map(|provider| &provider.source), same) {
        (Some(Source::Own { client: Client::OAuth2 { .. }, .. }), None) => {
            "The base URL leads to another server now, so the App Secret has to be pasted again."
        }
        (Some(Source::Own { client: Client::OAuth2 { .. }, .. }), Some(_)) => {
            "This is another App ID, which has a secret of its own. Paste it."
        }
        _ => "Paste the secret that Bitbucket shows beside the App ID.",
    };
    problems.add(part.field("client_secret"), format!("{}: {sentence}", part.names("App Secret")));
    Typed::Nothing
}

/// What is typed about a button. Where something is wrong, it stands in `problems`.
fn told_read(actor: &Actor, known: Option<&Provider>, part: &ProviderForm, problems: &mut Problems) -> Told {
    let label = problems.text(part.field("label"), &part.names("Button text"), &part.words(), 60);
    let email = named(&part.names("Verified addresses"), part.email.parse());
    let email = problems.check(part.field("email"), email);
    let before = known.map(|provider| provider.email);
    if email == Some(EmailTrust::All) && before != email && !actor.is_admin() {
        let sentence = "Only admins of this installation may say that every address counts as verified.";
        problems.add(part.field("email"), format!("{}: {sentence}", part.names("Verified addresses")));
    }
    let only = each_line(&part.only, |line| circle(part.platform, line));
    Told {
        key: part.key.clone(),
        is_on: part.is_on,
        label: label.unwrap_or_default(),
        email: email.unwrap_or(EmailTrust::Never),
        only: problems.check(part.only_field(), named(&part.names("Only members"), only)).unwrap_or_default(),
    }
}

/// What stands in the lines, each once. Empty lines do not count.
pub(super) fn each_line<T: PartialEq>(
    typed: &str,
    read: impl Fn(&str) -> Result<T, Invalid>,
) -> Result<Vec<T>, Invalid> {
    let mut all = Vec::new();
    for line in typed.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let one = read(line)?;
        if !all.contains(&one) {
            all.push(one);
        }
    }
    if all.len() > LINES {
        return Err(Invalid::because(format!("These are too many lines: {LINES} at most.")));
    }
    Ok(all)
}

/// A workspace or group as it is typed.
fn circle(platform: Platform, line: &str) -> Result<Circle, Invalid> {
    let cut: String = line.chars().filter(|sign| !sign.is_control()).take(60).collect();
    match platform {
        Platform::BitbucketDataCenter if line.chars().count() > 255 || line.chars().any(char::is_control) => {
            Err(Invalid::because(format!("“{cut}” cannot be the name of a group.")))
        }
        Platform::BitbucketDataCenter => Ok(Circle::Group { name: line.to_owned() }),
        Platform::BitbucketCloud if is_uuid(line) => {
            Ok(Circle::Workspace { uuid: Some(line.to_lowercase()), slug: String::new() })
        }
        Platform::BitbucketCloud if is_slug(line) => {
            Ok(Circle::Workspace { uuid: None, slug: line.to_lowercase() })
        }
        Platform::BitbucketCloud => Err(Invalid::because(format!(
            "“{cut}” is neither a workspace as it stands in its address (bitbucket.org/acme is acme) nor its id in braces."
        ))),
    }
}

fn is_uuid(text: &str) -> bool {
    let inner = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    inner.is_some_and(|inner| inner.len() == 36 && inner.parse::<uuid::Uuid>().is_ok())
}

fn is_slug(text: &str) -> bool {
    (1..=100).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// The last four characters, to recognise a secret by; of a short one nothing is shown.
fn ending(secret: &Secret) -> String {
    let all: Vec<char> = secret.expose().chars().collect();
    if all.len() < 12 { String::new() } else { all[all.len() - 4..].iter().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workspaces_are_names_or_ids_in_braces() {
        let cloud = |line| circle(Platform::BitbucketCloud, line);
        let slug = |slug: &str| Circle::Workspace { uuid: None, slug: slug.into() };
        assert_eq!(cloud("Acme-1"), Ok(slug("acme-1")));
        let id = "{0F1C8B7E-94E5-4BBE-9AEA-EDBC37F2C3D1}";
        let known = Circle::Workspace { uuid: Some(id.to_lowercase()), slug: String::new() };
        assert_eq!(cloud(id), Ok(known));
        for bad in [
            "https://bitbucket.org/acme",
            "acme/x",
            "a b",
            "{}",
            "{acme}",
            "ä",
            "0f1c8b7e}",
            "{0f1c8b7e94e54bbe9aeaedbc37f2c3d1}",
        ] {
            assert!(cloud(bad).is_err(), "{bad}");
        }
        let group = circle(Platform::BitbucketDataCenter, "All Developers");
        assert_eq!(group, Ok(Circle::Group { name: "All Developers".into() }));
        assert!(circle(Platform::BitbucketDataCenter, "a\u{7}b").is_err());
    }

    #[test]
    fn lines_are_counted_once_and_not_without_end() {
        let read = |typed: &str| each_line(typed, |line| circle(Platform::BitbucketCloud, line));
        assert_eq!(read(" acme \r\n\nACME\nother\n").unwrap().len(), 2);
        assert_eq!(read("").unwrap(), []);
        let many = (0..=LINES).map(|n| format!("w{n}")).collect::<Vec<_>>().join("\n");
        assert!(read(&many).is_err());
    }

    #[test]
    fn of_a_short_secret_nothing_is_shown() {
        assert_eq!(ending(&Secret::new("abcdefgh1234")), "1234");
        assert_eq!(ending(&Secret::new("abcdefg1234")), "");
        assert_eq!(
            ending(&Secret::new("äöüäöüäöüäöü")),
            "äöü".chars().cycle().skip(2).take(4).collect::<String>()
        );
    }
}
