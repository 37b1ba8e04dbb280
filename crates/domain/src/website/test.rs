//! What an owner sees after a test sign-in: nobody became a member, nobody is signed in.

use super::{Address, Circle, ProviderKey};
use crate::{
    Timestamp,
    id::{UserId, WebsiteId},
};
use serde::{Deserialize, Serialize};

/// The latest test sign-in of an owner at a website.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestReport {
    /// Of which website.
    pub website_id: WebsiteId,
    /// Who tried.
    pub user_id: UserId,
    /// Through which button.
    pub provider: ProviderKey,
    /// Its words.
    pub label: String,
    /// Whether it was the draft; otherwise what visitors see.
    pub is_draft: bool,
    /// What was done, in order; nothing follows a step that failed.
    pub steps: Vec<TestStep>,
    /// Every address that was told, and whether it would count as verified.
    pub addresses: Vec<Address>,
    /// The workspaces or groups that were told or asked for, those of the person.
    pub circles: Vec<Circle>,
    /// What an ID token would say, as JSON; `None` if nobody would come in.
    pub claims: Option<String>,
    /// When.
    pub tested_at: Timestamp,
}

impl TestReport {
    /// Whether a visitor would be in now.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.steps.iter().all(|step| step.problem.is_none())
    }
}

/// One step of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestStep {
    /// What was done, such as "Who am I".
    pub name: String,
    /// What came of it, if it went well.
    pub result: String,
    /// What was wrong and what to do, if it did not.
    pub problem: Option<String>,
    /// How long it took, in milliseconds.
    pub took_ms: i64,
}
