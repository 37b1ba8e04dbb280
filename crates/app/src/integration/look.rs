//! Looking at a base URL: what is there, what it can do, what is in the way.

use super::{
    Doubt,
    form::{IntegrationForm, Typed},
};
use crate::{Actor, App, Failure, Level};
use stave_domain::integration::{BaseUrl, OAuthVersion, Platform, Seen, ServerVersion};
use stave_upstream::{Sight, probe};

/// What was seen at a base URL, for the form.
#[derive(Debug)]
pub struct Look {
    /// What was found; `Err` says what is in the way and what to do.
    pub found: Result<Found, String>,
}

/// What was found at a base URL.
#[derive(Debug)]
pub struct Found {
    /// What it is, in a few words: "Bitbucket Data Center / Server 8.19.3".
    pub what: String,
    /// The platform to choose.
    pub platform: Platform,
    /// The OAuth to choose, if the platform has a choice and it could be found out.
    pub oauth: Option<OAuthVersion>,
    /// What else was seen: a word and what is true of it.
    pub facts: Vec<(&'static str, String)>,
    /// What an admin should know although it works.
    pub remarks: Vec<String>,
}

impl App {
    /// Looks at a base URL while it is typed.
    pub async fn integration_look(
        &self,
        actor: &Actor,
        level: &Level,
        (platform, base_url): (&str, &str),
    ) -> Result<Look, Failure> {
        self.level_owner(actor, level).await?;
        let platform: Platform = platform.parse().unwrap_or(Platform::BitbucketCloud);
        let found = match base_url.parse::<BaseUrl>() {
            Err(invalid) => Err(invalid.to_string()),
            Ok(base_url) => match probe(&self.http, platform, &base_url, self.clock.now()).await {
                Ok(sight) => Ok(found(&sight, &base_url)),
                Err(problem) => Err(problem.to_string()),
            },
        };
        Ok(Look { found })
    }

    /// What is worth remembering of the server, or which field does not fit it. What an admin insists on is saved anyway, but
    /// for a new OAuth 1 link that the server no longer takes.
    pub(super) async fn integration_doubt(
        &self,
        form: &IntegrationForm,
        typed: &Typed,
        is_new_client: bool,
    ) -> Result<Result<Option<Seen>, Doubt>, Failure> {
        let now = self.clock.now();
        let insists = form.save_anyway.is_some();
        let sight = match probe(&self.http, typed.platform, &typed.base_url, now).await {
            Ok(sight) => sight,
            Err(_) if insists => return Ok(Ok(None)),
            Err(problem) => return Ok(Err(Doubt { field: "base_url", sentence: problem.to_string() })),
        };
        if is_new_client && let Some(refusal) = oauth1_refusal(&sight, typed) {
            return Err(Failure::invalid("oauth", refusal));
        }
        match misfit(&sight, typed) {
            Some(doubt) if !insists => Ok(Err(doubt)),
            _ => Ok(Ok(sight.seen(now))),
        }
    }
}

fn oauth1_refusal(sight: &Sight, typed: &Typed) -> Option<String> {
    let version = sight.version.as_ref().filter(|version| !version.takes_oauth1())?;
    (typed.client.oauth() == OAuthVersion::One).then(|| {
        format!(
            "This server is Bitbucket {version}. From version 8.0 on, links by OAuth 1 can no longer be used to follow repositories and people, so Stave makes no new ones. Choose OAuth 2."
        )
    })
}

fn misfit(sight: &Sight, typed: &Typed) -> Option<Doubt> {
    if sight.platform != typed.platform {
        let what = what(sight);
        let sentence =
            format!("At this base URL is {what}. Choose “{}” as platform.", sight.platform.label());
        return Some(Doubt { field: "platform", sentence });
    }
    let lacks_oauth2 = !sight.oauth.is_empty() && !sight.oauth.contains(&OAuthVersion::Two);
    if lacks_oauth2 && typed.client.oauth() == OAuthVersion::Two {
        let mut sentences = vec![format!("{} offers no OAuth 2.", what(sight))];
        match &sight.version {
            Some(version) if version.has_oauth2() => sentences.extend(sight.remarks.iter().cloned()),
            _ => sentences.push("It came with version 7.21: choose OAuth 1, or update the server.".into()),
        }
        return Some(Doubt { field: "oauth", sentence: sentences.join(" ") });
    }
    None
}

fn what(sight: &Sight) -> String {
    match (&sight.version, sight.platform) {
        (Some(version), platform) => format!("{} {version}", platform.label()),
        (None, Platform::BitbucketCloud) => "Bitbucket Cloud".into(),
        (None, platform) => platform.label().into(),
    }
}

fn found(sight: &Sight, base_url: &BaseUrl) -> Found {
    let mut facts = Vec::new();
    if sight.platform == Platform::BitbucketDataCenter {
        let of_use = |oauth: &&OAuthVersion| **oauth == OAuthVersion::Two || takes_oauth1(sight);
        let ways: Vec<&str> = sight.oauth.iter().filter(of_use).map(|version| version.label()).collect();
        facts.push((
            "Applications",
            if ways.is_empty() { "could not be found out".into() } else { ways.join(", ") },
        ));
    }
    if !sight.log_in_ways.is_empty() {
        facts.push(("People log in by", sight.log_in_ways.join(", ")));
    }
    let is_encrypted = base_url.url().scheme() == "https";
    facts.push((
        "Certificate",
        if is_encrypted {
            "trusted by this machine".into()
        } else {
            "none: the connection is not encrypted".into()
        },
    ));
    facts.push(("Clock", clock(sight)));
    let takes = |oauth: &OAuthVersion| *oauth == OAuthVersion::Two || takes_oauth1(sight);
    let oauth = sight.oauth.iter().copied().find(takes);
    let oauth = oauth.filter(|_| sight.platform == Platform::BitbucketDataCenter);
    Found { what: what(sight), platform: sight.platform, oauth, facts, remarks: sight.remarks.clone() }
}

/// Whether a new link by OAuth 1 would be of use.
fn takes_oauth1(sight: &Sight) -> bool {
    sight.version.as_ref().is_none_or(ServerVersion::takes_oauth1)
}

fn clock(sight: &Sight) -> String {
    let Some(ahead) = sight.clock_ahead else { return "agrees with that of this machine".into() };
    let seconds = ahead.as_secs().abs();
    let amount =
        if seconds < 120 { format!("{seconds} seconds") } else { format!("{} minutes", seconds / 60) };
    let side = if ahead.is_negative() { "behind" } else { "ahead of" };
    let limit = if sight.oauth.first() == Some(&OAuthVersion::One) {
        "; OAuth 1 stops working at five minutes"
    } else {
        ""
    };
    format!("{amount} {side} that of this machine{limit}")
}
