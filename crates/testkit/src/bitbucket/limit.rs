//! The rate limit: requests per credential in a rolling hour (`https://support.atlassian.com/bitbucket-cloud/docs/api-request-limits/`).

use super::token::{AccessToken, Kind};
use axum::http::{HeaderMap, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use std::collections::{HashMap, VecDeque};

const WINDOW: SignedDuration = SignedDuration::from_hours(1);
/// Files may be asked for so much more often than everything else.
const FILES_FACTOR: usize = 5;

/// How much everybody may ask, and when they asked.
pub(crate) struct Limit {
    per_hour: usize,
    asked: HashMap<(String, Resource), VecDeque<Timestamp>>,
}

/// What is counted on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Resource {
    Api,
    Webhooks,
    Files,
}

impl Resource {
    /// `None` is not limited.
    pub(crate) fn of(path: &str, query: &str) -> Option<Self> {
        let below = path.strip_prefix("/2.0/")?;
        let is_file = below.contains("/src/") && !query.contains("format=meta");
        Some(match below {
            _ if below.ends_with("/hooks") || below.contains("/hooks/") => Self::Webhooks,
            _ if is_file => Self::Files,
            _ => Self::Api,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Webhooks => "webhooks",
            Self::Files => "raw",
        }
    }
}

impl Limit {
    pub(crate) fn new(per_hour: usize) -> Self {
        Self { per_hour, asked: HashMap::new() }
    }

    /// Counts a request; `false` is one too many, which counts for nothing.
    pub(crate) fn admits(&mut self, who: &str, resource: Resource, now: Timestamp) -> bool {
        let most = self.most(resource);
        let asked = self.asked.entry((who.to_owned(), resource)).or_default();
        while asked.front().is_some_and(|at| *at + WINDOW <= now) {
            asked.pop_front();
        }
        let is_admitted = asked.len() < most;
        if is_admitted {
            asked.push_back(now);
        }
        is_admitted
    }

    fn most(&self, resource: Resource) -> usize {
        if resource == Resource::Files { self.per_hour * FILES_FACTOR } else { self.per_hour }
    }

    /// What access tokens are told, and OAuth is not.
    pub(crate) fn tell(&self, token: &AccessToken, who: &str, resource: Resource, headers: &mut HeaderMap) {
        if token.kind != Kind::AccessToken {
            return;
        }
        let most = self.most(resource);
        let asked = self.asked.get(&(who.to_owned(), resource)).map_or(0, VecDeque::len);
        headers.insert("x-ratelimit-limit", HeaderValue::from(most));
        headers.insert("x-ratelimit-resource", HeaderValue::from_static(resource.name()));
        let is_near = asked * 5 > most * 4;
        headers.insert(
            "x-ratelimit-nearlimit",
            HeaderValue::from_static(if is_near { "true" } else { "false" }),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_after_a_request_there_is_room_for_another() {
        let mut limit = Limit::new(2);
        let minute = |minutes| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes);
        let rows = [(0, true), (30, true), (59, false), (60, true), (61, false), (90, true), (91, false)];
        for (minutes, expected) in rows {
            assert_eq!(limit.admits("ada", Resource::Api, minute(minutes)), expected, "{minutes}");
        }
        assert!(limit.admits("grace", Resource::Api, minute(91)));
        assert!(limit.admits("ada", Resource::Webhooks, minute(91)));
    }

    #[test]
    fn files_and_webhooks_are_counted_on_their_own() {
        let rows = [
            ("/2.0/user", "", Some(Resource::Api)),
            ("/2.0/repositories/acme/mailer/src/main/composer.json", "", Some(Resource::Files)),
            ("/2.0/repositories/acme/mailer/src/main/composer.json", "format=meta", Some(Resource::Api)),
            ("/2.0/workspaces/acme/hooks", "", Some(Resource::Webhooks)),
            ("/acme/mailer.git/info/refs", "", None),
        ];
        for (path, query, expected) in rows {
            assert_eq!(Resource::of(path, query), expected, "{path}?{query}");
        }
    }
}
