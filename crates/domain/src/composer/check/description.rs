//! What a package says about itself and its people.

use super::{Check, Severity, is_php_array, items_of, kind};
use crate::{Timestamp, composer::time, version::Stability};
use jiff::SignedDuration;
use serde_json::Value;

/// Licences of older releases are left alone: the list has changed since.
const LICENCE_IS_CHECKED_FOR: SignedDuration = SignedDuration::from_hours(8 * 24);
const WEB: &[&str] = &["http", "https"];

impl Check<'_> {
    pub(super) fn description(&mut self, now: Timestamp) {
        self.text("description", Severity::Error);
        if self.text("homepage", Severity::Error).is_some_and(|url| !has_scheme(url, WEB)) {
            self.warning("homepage", "“homepage” is an address that starts with http:// or https://.");
        }
        for (index, keyword) in self.items("keywords", Severity::Error) {
            let field = format!("keywords.{index}");
            match keyword {
                Value::String(word) if !word.chars().all(|c| c.is_alphanumeric() || " ._-".contains(c)) => {
                    self.warning(field, format!("The keyword “{word}” has other characters than letters, digits, “ ”, “.”, “_”, “-”."));
                }
                Value::String(_) | Value::Number(_) => {}
                other => self.error(field, format!("A keyword is a text, not {}.", kind(other))),
            }
        }
        self.licence(now);
        if self
            .text("minimum-stability", Severity::Error)
            .is_some_and(|text| text.parse::<Stability>().is_err())
        {
            self.error("minimum-stability", "“minimum-stability” is one of stable, RC, beta, alpha, dev.");
        }
    }

    fn licence(&mut self, now: Timestamp) {
        let time = self.text("time", Severity::Error);
        let released_at = time.and_then(time::parse);
        if time.is_some() && released_at.is_none() {
            self.error(
                "time",
                "“time” is not a date. One looks like 2024-03-01 or 2024-03-01T10:00:00+00:00.",
            );
        }
        let is_old = released_at.is_some_and(|at| now.duration_since(at) > LICENCE_IS_CHECKED_FOR);
        let Some(licence) = self.manifest.get("license").filter(|_| !is_old) else { return };
        let licences = if is_php_array(licence) { items_of(licence) } else { vec![(String::new(), licence)] };
        for (_, licence) in licences {
            if !licence.as_str().is_some_and(is_licence) {
                let sentence =
                    format!("{licence} is not an identifier of the SPDX licence list, nor “proprietary”.");
                self.warning("license", sentence);
            }
        }
    }

    pub(super) fn people(&mut self) {
        for (index, author) in self.items("authors", Severity::Error) {
            let field = format!("authors.{index}");
            self.texts_in(&field, author, &["homepage", "email", "name", "role"]);
            self.address_in(&field, author, "homepage", WEB);
            self.email_in(&field, author);
        }
        if let Some(support) = self.manifest.get("support") {
            const ADDRESSES: [&str; 7] = ["issues", "forum", "wiki", "source", "docs", "rss", "chat"];
            self.texts_in("support", support, &ADDRESSES);
            self.texts_in("support", support, &["email", "irc"]);
            self.email_in("support", support);
            self.address_in("support", support, "irc", &["irc", "ircs"]);
            for key in ADDRESSES.into_iter().filter(|key| *key != "rss") {
                self.address_in("support", support, key, WEB);
            }
        }
        for (index, funding) in self.items("funding", Severity::Error) {
            let field = format!("funding.{index}");
            self.texts_in(&field, funding, &["type", "url"]);
            self.address_in(&field, funding, "url", WEB);
        }
    }

    /// The value is an object and these of its keys are texts.
    fn texts_in(&mut self, field: &str, value: &serde_json::Value, keys: &[&str]) {
        if !is_php_array(value) && !self.problems.iter().any(|problem| problem.field == field) {
            self.error(field, format!("“{field}” is an object, not {}.", kind(value)));
        }
        for key in keys {
            if let Some(other) = value.get(key).filter(|value| !value.is_null() && !value.is_string()) {
                self.error(format!("{field}.{key}"), format!("“{key}” is a text, not {}.", kind(other)));
            }
        }
    }

    fn address_in(&mut self, field: &str, value: &Value, key: &str, schemes: &[&str]) {
        if value.get(key).and_then(Value::as_str).is_some_and(|url| !has_scheme(url, schemes)) {
            let wanted = schemes.join(":// or ");
            self.warning(
                format!("{field}.{key}"),
                format!("“{key}” is an address that starts with {wanted}://."),
            );
        }
    }

    fn email_in(&mut self, field: &str, value: &Value) {
        let is_address = |text: &str| {
            text.split_once('@').is_some_and(|(who, host)| {
                !who.is_empty()
                    && host.contains('.')
                    && !text.contains(char::is_whitespace)
                    && !host.contains('@')
            })
        };
        if value.get("email").and_then(Value::as_str).is_some_and(|text| !is_address(text)) {
            self.warning(format!("{field}.email"), "“email” is not an e-mail address.");
        }
    }
}

/// An empty address passes, as it does for Composer.
fn has_scheme(url: &str, schemes: &[&str]) -> bool {
    url.is_empty()
        || url.split_once("://").is_some_and(|(scheme, rest)| {
            schemes.contains(&scheme) && rest.chars().next().is_some_and(|c| !"/?#".contains(c))
        })
}

fn is_licence(expression: &str) -> bool {
    // Deprecated identifiers and `GPL-2.0+` are on Composer's list; `proprietary` is its own word.
    const MODE: spdx::ParseMode = spdx::ParseMode {
        allow_slash_as_or_operator: false,
        allow_imprecise_license_names: true,
        allow_postfix_plus_on_gpl: true,
        allow_deprecated: true,
        allow_unknown: false,
    };
    let expression = expression.replace("proprietary", "MIT");
    matches!(expression.as_str(), "NONE" | "NOASSERTION")
        || spdx::Expression::parse_mode(&expression, MODE).is_ok()
}
