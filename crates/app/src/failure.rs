//! What went wrong, in words of the product.

use crate::LogInThrough;
use jiff::SignedDuration;
use stave_domain::Invalid;
use std::{borrow::Cow, collections::BTreeMap, error::Error, io, sync::Arc};

/// What went wrong. `Display` is a sentence for the user; `source()` is for the log only.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It is not there, or this actor may not know that it is.
    #[error("There is no such {0} here, or you may not see it.")]
    NotFound(&'static str),
    /// It is not there, and there is more to say about that.
    #[error("{0}")]
    Absent(String),
    /// It was there, and is not handed out any more: the sentence says why.
    #[error("{0}")]
    Gone(String),
    /// The actor is known and may not do this.
    #[error("{0}")]
    Denied(String),
    /// The actor is not known.
    #[error("Log in first.")]
    LogInNeeded,
    /// The actor is known, but an organization wants them to log in in another way.
    #[error("{} asks its members to log in with {}.", .0.organization.name, .0.integration.name)]
    LogInThrough(Box<LogInThrough>),
    /// What was typed cannot be used; nothing was changed.
    #[error("{}", .0.first())]
    Invalid(Problems),
    /// It does not fit what is there.
    #[error("{0}")]
    Conflict(String),
    /// It was done too often; later it is done again.
    #[error("{sentence}")]
    TooOften {
        /// What, and when to try again.
        sentence: String,
        /// How long to wait.
        wait: SignedDuration,
    },
    /// Another server did not do its part.
    #[error("{sentence}")]
    Elsewhere {
        /// What it did and what to do next.
        sentence: String,
        /// Whether trying again later may help.
        is_transient: bool,
        /// For the log.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// This machine could not keep something.
    #[error(
        "The disk of the server is full or cannot be written, so nothing was stored. Tell whoever runs the server, then try again."
    )]
    Disk(#[source] io::Error),
    /// A defect or a broken machine.
    #[error("Something went wrong inside Stave. Try again; if it stays, the log of the server tells more.")]
    Internal(#[source] Box<dyn Error + Send + Sync>),
}

impl Failure {
    /// One field cannot be used.
    pub fn invalid(field: impl Into<Cow<'static, str>>, problem: impl Into<String>) -> Self {
        Self::Invalid(Problems(BTreeMap::from([(field.into(), problem.into())])))
    }

    /// A defect or a broken machine.
    pub fn internal(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Internal(source.into())
    }

    /// The same failure, for another one who waited for the same thing.
    pub(crate) fn shared(one: Arc<Self>) -> Self {
        match &*one {
            Self::NotFound(what) => Self::NotFound(what),
            Self::Absent(sentence) => Self::Absent(sentence.clone()),
            Self::Gone(sentence) => Self::Gone(sentence.clone()),
            Self::Denied(sentence) => Self::Denied(sentence.clone()),
            Self::Conflict(sentence) => Self::Conflict(sentence.clone()),
            Self::Elsewhere { sentence, is_transient, .. } => {
                let (sentence, is_transient) = (sentence.clone(), *is_transient);
                Self::Elsewhere { sentence, is_transient, source: Box::new(one) }
            }
            Self::Disk(_) => Self::Disk(io::Error::other(one)),
            _ => Self::Internal(Box::new(one)),
        }
    }

    /// Whether the same thing may work later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Elsewhere { is_transient, .. } => *is_transient,
            Self::Internal(_) | Self::Disk(_) | Self::TooOften { .. } => true,
            _ => false,
        }
    }
}

impl From<stave_storage::StorageError> for Failure {
    fn from(error: stave_storage::StorageError) -> Self {
        match error {
            stave_storage::StorageError::Conflict => Self::Conflict(
                "Somebody else changed the same thing at this moment. Look at it again, then repeat.".into(),
            ),
            stave_storage::StorageError::Detached => {
                Self::Conflict("What this belongs to was deleted at this moment. Nothing was changed.".into())
            }
            stave_storage::StorageError::Disk(source) => Self::Disk(io::Error::other(source)),
            other => Self::internal(other),
        }
    }
}

impl From<stave_upstream::UpstreamError> for Failure {
    fn from(error: stave_upstream::UpstreamError) -> Self {
        Self::Elsewhere {
            sentence: error.to_string(),
            is_transient: error.is_transient(),
            source: Box::new(error),
        }
    }
}

impl From<stave_git::GitError> for Failure {
    fn from(error: stave_git::GitError) -> Self {
        if error.is_disk_full() {
            return Self::Disk(io::Error::other(error));
        }
        Self::Elsewhere {
            sentence: error.to_string(),
            is_transient: error.is_transient(),
            source: Box::new(error),
        }
    }
}

/// What is wrong with a form: a sentence per field. The name `""` is the form as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems(BTreeMap<Cow<'static, str>, String>);

impl Problems {
    /// The sentence for a field, if there is one.
    #[must_use]
    pub fn of(&self, field: &str) -> Option<&str> {
        self.0.get(field).map(String::as_str)
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every field with its sentence.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(field, sentence)| (field.as_ref(), sentence.as_str()))
    }

    fn first(&self) -> &str {
        self.0.values().next().map_or("", String::as_str)
    }

    /// Notes what is wrong with a field.
    pub fn add(&mut self, field: impl Into<Cow<'static, str>>, problem: impl Into<String>) {
        self.0.insert(field.into(), problem.into());
    }

    /// Parses what was typed into a field, or notes what is wrong with it.
    pub fn parse<T: std::str::FromStr<Err = Invalid>>(
        &mut self,
        field: impl Into<Cow<'static, str>>,
        typed: &str,
    ) -> Option<T> {
        self.check(field, typed.parse())
    }

    /// Keeps the good value, or notes what is wrong.
    pub fn check<T>(&mut self, field: impl Into<Cow<'static, str>>, result: Result<T, Invalid>) -> Option<T> {
        result.map_err(|Invalid(problem)| self.add(field, problem)).ok()
    }

    /// A text that must not be empty and has at most `longest` characters. `label` is the field's name on the page.
    pub fn text(
        &mut self,
        field: impl Into<Cow<'static, str>>,
        label: &str,
        typed: &str,
        longest: usize,
    ) -> Option<String> {
        let text = typed.trim();
        let problem = match text.chars().count() {
            0 => format!("{label} cannot be empty."),
            count if count > longest => format!("{label} is too long: at most {longest} characters."),
            _ if text.chars().any(char::is_control) => {
                format!("{label} has characters that cannot be shown. Type it again.")
            }
            _ => return Some(text.to_owned()),
        };
        self.add(field, problem);
        None
    }

    /// The failure that these problems are; call it when a value is missing because of them.
    #[must_use]
    pub fn into_failure(self) -> Failure {
        Failure::Invalid(self)
    }
}
