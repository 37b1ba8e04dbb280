//! A check of the connection: the whole chain of a log-in, tried with one account, a line for each step.

use crate::{Timestamp, id::IntegrationId, integration::Permission};

/// One try of everything that a log-in needs. The latest of an integration is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What is checked.
    pub integration_id: IntegrationId,
    /// What came of it so far, in the order in which it is tried.
    pub steps: Vec<Step>,
    /// Whether somebody is on the way to the platform, or did not come back.
    pub is_away: bool,
    /// When it began.
    pub started_at: Timestamp,
}

impl Check {
    /// Whether everything that was tried went well.
    #[must_use]
    pub fn is_good(&self) -> bool {
        !self.is_away && !self.steps.iter().any(|step| matches!(step.outcome, Outcome::Failed(_)))
    }
}

/// One step and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Step {
    /// Which.
    pub part: Part,
    /// What came of it.
    pub outcome: Outcome,
}

/// A link in the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The server answers, and is what it should be.
    Server,
    /// It accepts key and secret.
    Client,
    /// By OAuth 1: it accepts key and signature.
    Signature,
    /// It sends people back to the callback.
    Callback,
    /// It says who they are.
    Person,
    /// It tells their e-mail address.
    Email,
    /// It lets Stave do what this box is for.
    Permission(Permission),
    /// It would ring a bell when code changes.
    Webhooks,
}

impl Part {
    /// The name in the list.
    #[must_use]
    pub fn label(self) -> String {
        match self {
            Self::Server => "Server reached".into(),
            Self::Client => "Key and secret accepted".into(),
            Self::Signature => "Key and signature accepted".into(),
            Self::Callback => "Callback accepted".into(),
            Self::Person => "Who am I".into(),
            Self::Email => "E-mail address".into(),
            Self::Permission(permission) => format!("Permission “{permission}”"),
            Self::Webhooks => "Webhooks possible".into(),
        }
    }
}

/// What came of a step; the text is a sentence for the admin.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It works.
    Passed(String),
    /// People can log in without it, but something else will not work.
    Noted(String),
    /// It does not work; how to mend it.
    Failed(String),
}
