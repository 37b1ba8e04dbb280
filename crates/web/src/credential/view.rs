//! How a credential fares, in words.

use jiff::tz::TimeZone;
use stave_app::{CredentialLine, CredentialTrial};
use stave_domain::{
    Timestamp,
    credential::{CredentialSeen, Power, StoredCredential},
};

/// How long a credential lives, as a page shows it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Life {
    /// Such as "in 12 days".
    pub(crate) words: String,
    /// The tone of a badge; empty if it does not need one.
    pub(crate) tone: &'static str,
}

impl Life {
    /// `None` if nobody said when it ends.
    pub(crate) fn of(credential: &StoredCredential, now: &Timestamp) -> Option<Self> {
        let end = credential.expires_at?.to_zoned(TimeZone::UTC).date();
        let today = now.to_zoned(TimeZone::UTC).date();
        let day = end.strftime("%-d %b %Y");
        let days = (end - today).get_days();
        let tone = match () {
            () if credential.is_expired(*now) => "bad",
            () if credential.expires_soon(*now) => "warn",
            () => "",
        };
        let words = match days {
            _ if tone != "warn" => format!("on {day}"),
            0 => "today".to_owned(),
            1 => format!("tomorrow, {day}"),
            _ => format!("in {days} days, on {day}"),
        };
        Some(Self { words, tone })
    }

    /// As a sentence goes on: "expires tomorrow".
    pub(crate) fn sentence(&self) -> String {
        let verb = if self.tone == "bad" { "expired" } else { "expires" };
        format!("{verb} {}", self.words)
    }
}

/// A badge beside its name: text and tone. None while everything is right.
pub(crate) fn badge(credential: &StoredCredential, now: &Timestamp) -> Option<(&'static str, &'static str)> {
    match () {
        () if credential.is_expired(*now) => Some(("Expired", "bad")),
        () if credential.last_error.is_some() => Some(("Does not work", "bad")),
        () if credential.expires_soon(*now) => Some(("Expires soon", "warn")),
        () => None,
    }
}

/// What came of a test: the tone of a callout, its first words, and the rest.
pub(crate) fn outcome(trial: &CredentialTrial) -> (&'static str, &'static str, &str) {
    match trial {
        CredentialTrial::Works => ("good", "It works.", "The platform takes it."),
        CredentialTrial::Refused(because) => ("bad", "It does not work.", because),
        CredentialTrial::Unasked(because) => ("warn", "It could not be tested.", because),
        CredentialTrial::Untried(because) => ("", "Not tested.", because),
    }
}

/// What it may do, as far as it matters, with the mark and the sentence of each; empty if the platform does not tell.
pub(crate) fn powers(credential: &StoredCredential) -> Vec<(&'static str, &'static str, String)> {
    let scopes = match &credential.seen {
        Some(CredentialSeen { scopes, .. }) if !scopes.is_empty() => scopes,
        _ => return Vec::new(),
    };
    let line = |power: Power| {
        if power.is_in(scopes) {
            return ("passed", power.label(), "It may.".to_owned());
        }
        let mark = if power == Power::ReadRepositories { "failed" } else { "noted" };
        let wanted = power.wanted_scope(credential.kind);
        (mark, power.label(), format!("It may not: {wanted} is missing. {}", power.why()))
    };
    Power::ALL.map(line).into()
}

/// How much uses it, in words.
pub(crate) fn uses(line: &CredentialLine) -> String {
    let count = |count: usize, one: &str, many: &str| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        _ => Some(format!("{count} {many}")),
    };
    let parts = [
        count(line.repositories, "repository", "repositories"),
        count(line.synchronizations, "synchronization", "synchronizations"),
        count(line.mirrors, "mirror", "mirrors"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use stave_domain::{credential::CredentialKind, secret::Sealed};

    #[test]
    fn the_end_of_a_credential_in_words() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let life = |day: &str| {
            let credential = StoredCredential {
                id: uuid::Uuid::nil().into(),
                organization_id: uuid::Uuid::nil().into(),
                description: String::new(),
                host: String::new(),
                kind: CredentialKind::ApiToken,
                username: String::new(),
                secret: Sealed(Vec::new()),
                created_at: now,
                expires_at: (!day.is_empty()).then(|| format!("{day}T23:59:59Z").parse().unwrap()),
                checked_at: None,
                last_error: None,
                warned_at: None,
                seen: None,
            };
            Life::of(&credential, &now).map(|life| (life.sentence(), life.tone))
        };
        let rows = [
            ("", None),
            ("2027-03-03", Some(("expires on 3 Mar 2027", ""))),
            ("2026-12-04", Some(("expires in 12 days, on 4 Dec 2026", "warn"))),
            ("2026-11-23", Some(("expires tomorrow, 23 Nov 2026", "warn"))),
            ("2026-11-22", Some(("expires today", "warn"))),
            ("2026-11-21", Some(("expired on 21 Nov 2026", "bad"))),
        ];
        for (day, expected) in rows {
            let expected = expected.map(|(words, tone)| (words.to_owned(), tone));
            assert_eq!(life(day), expected, "{day}");
        }
    }
}
