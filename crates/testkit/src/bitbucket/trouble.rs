//! What a test lets go wrong, and puts right again.

use super::{FakeBitbucket, limit::Limit};
use crate::{
    Fault,
    common::{courier::Mishaps, fault::When},
};
use std::time::Duration;

/// Requests are meant by their path, in which `*` stands for any text, perhaps behind a method: `POST /2.0/*/hooks`.
impl FakeBitbucket {
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

    /// Answers every git request with 503 until `heal`.
    pub fn git_down(&self) -> &Self {
        self.fail("*.git/*", Fault::status(503, "Service unavailable"))
    }

    /// Answers this many more API requests, then 429 with an empty body until `heal`.
    pub fn rate_limit_after(&self, requests: u32) -> &Self {
        self.fake.state().switches.requests_left = Some(requests);
        self
    }

    /// Answers so many API requests of each person, consumer or access token in a rolling hour, and 429 with an empty body
    /// and without `Retry-After` beyond; Bitbucket's own number is 1,000. Of files, five times as many; webhooks have a
    /// count of their own.
    pub fn rate_limit_per_hour(&self, requests: usize) -> &Self {
        self.fake.state().switches.limit = Some(Limit::new(requests));
        self
    }

    /// Loses so many of a hundred deliveries of webhooks, by chance, until `heal`.
    pub fn lose_deliveries(&self, percent: u8) -> &Self {
        self.mishap(|mishaps| mishaps.lost_percent = percent)
    }

    /// Makes so many of a hundred deliveries twice, by chance, until `heal`: with the same `X-Request-UUID`.
    pub fn double_deliveries(&self, percent: u8) -> &Self {
        self.mishap(|mishaps| mishaps.doubled_percent = percent)
    }

    /// Makes every delivery so much later, until `heal`.
    pub fn delay_deliveries(&self, by: Duration) -> &Self {
        self.mishap(|mishaps| mishaps.delay = by)
    }

    fn mishap(&self, change: impl FnOnce(&mut Mishaps)) -> &Self {
        change(&mut self.fake.state().switches.mishaps);
        self
    }

    /// Ends every trouble: faults, rate limits, what happens to deliveries. What was revoked or has expired stays so.
    pub fn heal(&self) -> &Self {
        let mut state = self.fake.state();
        state.plans.clear();
        state.switches.requests_left = None;
        state.switches.limit = None;
        state.switches.mishaps = Mishaps::default();
        state.switches.oauth_requests_left = None;
        drop(state);
        self
    }

    /// Gives no list in longer pages than this, whatever `pagelen` says; Bitbucket's own bound is 100.
    pub fn page_length_at_most(&self, values: usize) -> &Self {
        self.fake.state().switches.page_length_at_most = Some(values);
        self
    }

    /// Names the granted scopes `scopes` in token answers, as before 4 May 2026, and not `scope`.
    pub fn answer_scopes(&self) -> &Self {
        self.fake.state().switches.scopes_key = true;
        self
    }

    /// Accepts a `redirect_uri` that begins with the callback URL, as before May 2026.
    pub fn allow_redirect_prefix(&self) -> &Self {
        self.fake.state().switches.redirect_prefix = true;
        self
    }

    /// Moves the fake's clock forward.
    pub fn advance(&self, by: Duration) -> &Self {
        self.fake.state().clock.advance(by);
        self
    }
}
