//! The words and the rules of Stave: no I/O, no clock, no SQL, no HTTP.
//!
//! Every other room speaks in these types. A value that exists has been checked: names, addresses and
//! versions are parsed once, at the door, and the type is the proof.

mod as_text;

pub mod access;
pub mod advisory;
pub mod check;
pub mod composer;
pub mod credential;
pub mod delivery;
pub mod endpoint;
pub mod expiry;
pub mod id;
pub mod identity;
pub mod import;
pub mod install;
pub mod integration;
pub mod job;
pub mod log;
pub mod login;
pub mod mirror;
pub mod organization;
pub mod outbound;
pub mod package;
pub mod repository;
pub mod run;
pub mod secret;
pub mod security;
pub mod setting;
pub mod synchronization;
pub mod team;
pub mod token;
pub mod user;
pub mod version;
pub mod website;

pub use jiff::Timestamp;
pub use secret::Secret;

/// Why a text that somebody typed was not accepted: one sentence that says what is wrong and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub String);

impl Invalid {
    /// A refusal with its sentence.
    pub fn because(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

/// Enough of a foreign text to recognise it in a sentence, without control characters.
pub(crate) fn shortened(text: &str, most_chars: usize) -> String {
    let (start, end) = match text.char_indices().nth(most_chars) {
        None => (text, ""),
        Some((end, _)) => (&text[..end], "…"),
    };
    format!("{}{end}", start.replace(char::is_control, " "))
}
