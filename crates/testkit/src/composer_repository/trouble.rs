//! What a test lets go wrong, and puts right again.

use super::FakeComposerRepository;
use crate::{Fault, common::fault::When};
use std::time::Duration;

/// Requests are meant by their path, in which `*` stands for any text, perhaps behind a method: `GET /p2/acme/*`.
impl FakeComposerRepository {
    /// Lets the next such request go wrong.
    pub fn fail_next(&self, pattern: &str, fault: Fault) -> &Self {
        self.plan(pattern, When::Once, fault)
    }

    /// Lets every such request go wrong until `heal`.
    pub fn fail(&self, pattern: &str, fault: Fault) -> &Self {
        self.plan(pattern, When::After(0), fault)
    }

    /// Answers this many more such requests and lets every later one go wrong until `heal`.
    pub fn fail_after(&self, pattern: &str, requests: u32, fault: Fault) -> &Self {
        self.plan(pattern, When::After(requests), fault)
    }

    /// Lets so many of a hundred such requests go wrong, by chance, until `heal`.
    pub fn fail_some(&self, pattern: &str, percent: u8, fault: Fault) -> &Self {
        self.plan(pattern, When::Percent(percent), fault)
    }

    fn plan(&self, pattern: &str, when: When, fault: Fault) -> &Self {
        self.fake.state().plans.add(pattern, when, fault);
        self
    }

    /// Ends every trouble.
    pub fn heal(&self) -> &Self {
        self.fake.state().plans.clear();
        self
    }

    /// Moves the fake's clock forward.
    pub fn advance(&self, by: Duration) -> &Self {
        self.fake.state().clock.advance(by);
        self
    }
}
