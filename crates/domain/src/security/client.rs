//! Which Composer may ask, by the `User-Agent` that it sends.

use crate::{Invalid, shortened};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// Which Composer may ask. Other programs may anyway: whoever wants to pass by says to be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientPolicy {
    /// Any.
    All,
    /// Those that are looked after for long, and those that know lists of malware.
    Supported,
    /// Those that know lists of malware.
    Newest,
}

/// Looked after for years, for old PHP.
const LONG_TERM: (u32, u32) = (2, 2);
/// The first that asks for lists of malware, and does not clone what it was refused.
const WATCHFUL: (u32, u32) = (2, 10);

impl ClientPolicy {
    /// All, in the order of the form.
    pub const ALL: [Self; 3] = [Self::All, Self::Supported, Self::Newest];

    /// The name in forms.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Supported => "supported",
            Self::Newest => "newest",
        }
    }

    /// What people read.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::All => "All versions",
            Self::Supported => "2.2.* and 2.10.* or newer",
            Self::Newest => "2.10.* or newer only",
        }
    }

    /// Why a client may not ask, in a sentence that says which may; `None` if it may. What counts of its version are the first two
    /// numbers.
    #[must_use]
    pub fn refuses(self, user_agent: &str) -> Option<String> {
        let version = user_agent.strip_prefix("Composer/")?;
        let version = version.split([' ', '(']).next().unwrap_or_default();
        let number = major_minor(version);
        let (is_allowed, allowed, way) = match self {
            Self::All => return None,
            Self::Supported => (
                number == Some(LONG_TERM) || number >= Some(WATCHFUL),
                "2.2.* or 2.10.* and newer",
                "\"composer self-update\", or \"composer self-update --2.2\" if PHP is older than 7.2.5",
            ),
            Self::Newest => (number >= Some(WATCHFUL), "2.10.* and newer", "\"composer self-update\""),
        };
        (!is_allowed).then(|| {
            let client = format!("Composer {}", shortened(version, 40));
            format!(
                "{} may not be used with this repository: its organization allows Composer {allowed} only. Run {way}, then \
                 try again.",
                client.trim_end()
            )
        })
    }
}

impl FromStr for ClientPolicy {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let found = Self::ALL.into_iter().find(|it| it.key() == text);
        found.ok_or_else(|| Invalid::because("Choose from the list which Composer clients may ask."))
    }
}

/// `2.10.999-dev+source` is 2.10; a commit, as development builds have it, is nothing.
fn major_minor(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split(['.', '-', '+']).map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => Some((major, minor)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_by_their_first_two_numbers() {
        // Who asks, and whether they may if those that are looked after may, and if the newest may.
        for (client, supported, newest) in [
            ("Composer/2.2.29 (Linux; 6.1; PHP 8.2.36; cURL 7.88.1; cmd:update)", true, false),
            ("Composer/2.1.14 (Linux; 6.1; PHP 8.2.36; cURL 7.88.1)", false, false),
            ("Composer/2.5.5 (Linux; 6.1; PHP 8.2.36; cURL 7.88.1)", false, false),
            ("Composer/2.9.8 (Windows NT; 10.0; PHP 8.2.36; streams; CI)", false, false),
            ("Composer/2.10.0 (Linux)", true, true),
            ("Composer/2.10.999-dev+source (Linux)", true, true),
            ("Composer/2.11.0", true, true),
            ("Composer/3.0.0-RC1 (Linux)", true, true),
            ("Composer/1.10.27 (Linux; 6.1; PHP 8.2.36)", false, false),
            ("Composer/source (Linux)", false, false),
            ("Composer/9f63b6f0e8c1b0ed1e1ab8a3fe5d9c16f3bb0f2d (Linux)", false, false),
            ("Composer/2.20.0 (Linux)", true, true),
            ("Composer/22.2.0 (Linux)", true, true),
            ("Composer/", false, false),
            ("composer-mirror/2.5", true, true),
            ("curl/8.5.0", true, true),
            ("", true, true),
        ] {
            assert_eq!(ClientPolicy::All.refuses(client), None, "{client}");
            assert_eq!(ClientPolicy::Supported.refuses(client).is_none(), supported, "{client}");
            assert_eq!(ClientPolicy::Newest.refuses(client).is_none(), newest, "{client}");
        }
    }

    #[test]
    fn a_refusal_says_what_to_run() {
        let client = "Composer/2.5.5 (Linux; 6.1; PHP 8.2.36; cURL 7.88.1)";
        assert_eq!(
            ClientPolicy::Newest.refuses(client).unwrap(),
            "Composer 2.5.5 may not be used with this repository: its organization allows Composer 2.10.* and newer only. Run \
             \"composer self-update\", then try again."
        );
        let both = ClientPolicy::Supported.refuses(client).unwrap();
        assert!(
            both.contains("allows Composer 2.2.* or 2.10.* and newer only") && both.contains("--2.2"),
            "{both}"
        );
    }

    #[test]
    fn what_is_chosen_in_a_form_is_what_was_offered() {
        for choice in ClientPolicy::ALL {
            assert_eq!(choice.key().parse(), Ok(choice));
        }
        assert!("2.5".parse::<ClientPolicy>().is_err());
    }
}
