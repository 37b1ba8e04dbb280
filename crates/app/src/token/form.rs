//! The form of an organization's token: what is typed, and what it means.

use crate::{App, Failure, Problems};
use stave_domain::{
    Timestamp, expiry,
    package::Patterns,
    token::{Addresses, Token, TokenAccess},
};
use std::sync::Arc;

/// What is typed into the form of an organization's token.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
pub struct TokenForm {
    /// What it is for.
    pub description: String,
    /// A [`TokenAccess`]'s key; empty is read-only. A token that is there keeps its own: its text tells it.
    pub access: String,
    /// `selection`, if it reads the packages in `selection` only; else it reads all.
    pub reads: String,
    /// One name or pattern per line.
    pub selection: String,
    /// From where it may be used, one address or range per line; empty is everywhere.
    pub addresses: String,
    /// The last day on which it works, such as `2027-01-31`, or empty.
    pub expires_on: String,
}

/// What a form says once it has been read.
pub(super) struct Typed {
    pub(super) description: String,
    pub(super) access: TokenAccess,
    pub(super) selection: Option<Arc<Patterns>>,
    pub(super) addresses: Addresses,
    pub(super) expires_at: Option<Timestamp>,
}

impl TokenForm {
    /// The form of a token that is there.
    #[must_use]
    pub fn of(token: &Token) -> Self {
        Self {
            description: token.description.clone(),
            access: token.access.key().to_owned(),
            reads: if token.selection.is_some() { "selection".into() } else { "all".into() },
            selection: token.selection.as_ref().map(ToString::to_string).unwrap_or_default(),
            addresses: token.addresses.to_string(),
            expires_on: token.expires_at.map(expiry::day).unwrap_or_default(),
        }
    }

    /// Whether it reads a selection only.
    #[must_use]
    pub fn is_selective(&self) -> bool {
        self.reads == "selection"
    }

    #[expect(clippy::option_option, reason = "mistyped, everything, or a selection")]
    fn selection(&self, problems: &mut Problems) -> Option<Option<Arc<Patterns>>> {
        if !self.is_selective() {
            return Some(None);
        }
        let chosen: Patterns = problems.parse("selection", &self.selection)?;
        if chosen.is_empty() {
            problems.add(
                "selection",
                "Write the name of at least one package, or a pattern such as acme/*. To let it read every package, choose that above.",
            );
            return None;
        }
        Some(Some(Arc::new(chosen)))
    }
}

impl App {
    /// What a form says, or what is wrong with it; `before` is the token that is changed.
    pub(super) fn token_typed(&self, form: &TokenForm, before: Option<&Token>) -> Result<Typed, Failure> {
        let mut problems = Problems::default();
        let description = problems.text("description", "Description", &form.description, 100);
        let access = match (before, form.access.as_str()) {
            (Some(token), _) => Some(token.access),
            (None, "") => Some(TokenAccess::Read),
            (None, key) => problems.parse("access", key),
        };
        let selection = form.selection(&mut problems);
        let addresses = problems.parse("addresses", &form.addresses);
        let is_same_day = before
            .and_then(|token| token.expires_at)
            .is_some_and(|at| expiry::day(at) == form.expires_on.trim());
        let expires_at = expiry::parse(&form.expires_on, self.clock.now(), !is_same_day);
        let expires_at = problems.check("expires_on", expires_at);
        match (description, access, selection, addresses, expires_at) {
            (Some(description), Some(access), Some(selection), Some(addresses), Some(expires_at)) => {
                Ok(Typed { description, access, selection, addresses, expires_at })
            }
            _ => Err(problems.into_failure()),
        }
    }
}
