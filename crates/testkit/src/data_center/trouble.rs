//! What a test lets go wrong or stand in the way, and puts right again.

use super::{FakeDataCenter, RateLimit, TwoFactor, bucket::Buckets};
use crate::{
    Fault,
    common::{courier::Mishaps, fault::When},
};
use std::time::Duration;

/// Requests are meant by their path below the context path, in which `*` stands for any text, perhaps behind a method:
/// `POST /rest/api/*/webhooks`.
impl FakeDataCenter {
    /// Forgets what this person's consent was worth: every token of OAuth 1 and 2.
    pub fn revoke_tokens(&self, name: &str) -> &Self {
        let user = self.user(name).id();
        self.fake.state().revoke(user);
        self
    }

    /// Plays a wrong proxy configuration: the server believes that this is its base URL, context path included. OAuth 1
    /// signatures are judged by it, and links in answers begin with it.
    pub fn believes_base_url(&self, url: &str) -> &Self {
        self.fake.state().switches.believes = Some(url.trim_end_matches('/').to_owned());
        self
    }

    /// As without the two properties that relax it: OAuth 2 is off while the base URL is not https, and takes no redirect
    /// URL but https.
    pub fn insist_on_https(&self) -> &Self {
        self.fake.state().switches.https_only = true;
        self
    }

    /// Takes a refresh without `redirect_uri`.
    pub fn refresh_without_redirect_uri(&self) -> &Self {
        self.fake.state().switches.refresh_without_redirect = true;
        self
    }

    /// Versions from 8 on answer OAuth 1 with 503 and `consumer_key_refused`.
    pub fn refuse_oauth1(&self) -> &Self {
        self.fake.state().switches.oauth1_refused = true;
        self
    }

    /// Serves a request with a wrong credential as nobody's, and not with 401.
    pub fn anonymous_for_wrong_credentials(&self) -> &Self {
        self.fake.state().switches.anonymous_instead = true;
        self
    }

    /// Installs a two-factor plugin. It intercepts API calls with a credential, and every call for a token.
    pub fn two_factor(&self, plugin: TwoFactor) -> &Self {
        self.fake.state().switches.two_factor = Some(plugin);
        self
    }

    /// The two-factor plugin intercepts API calls without a credential, too.
    pub fn two_factor_for_everybody(&self) -> &Self {
        self.fake.state().switches.two_factor_for_anonymous = true;
        self
    }

    /// Presses "Enable OAuth whitelist" in the settings of the two-factor plugin.
    pub fn whitelist_oauth(&self) -> &Self {
        self.fake.state().switches.oauth_whitelist = true;
        self
    }

    /// Puts a single sign-on proxy before everything: every request is sent to its page.
    pub fn single_sign_on(&self) -> &Self {
        self.fake.state().switches.single_sign_on = true;
        self
    }

    /// Answers this many more API calls with a credential, then 429 until `heal`.
    pub fn rate_limit_after(&self, calls: u32, kind: RateLimit) -> &Self {
        self.fake.state().switches.requests_left = Some((calls, kind));
        self
    }

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

    /// Gives every user a bucket of this many calls, which gains so many in a second; an empty one is 429. Bitbucket's own
    /// numbers are 60 and 5.
    pub fn rate_limit(&self, capacity: u32, fill_rate: u32, kind: RateLimit) -> &Self {
        self.fake.state().switches.buckets = Some(Buckets::new(capacity, fill_rate, kind));
        self
    }

    /// Gives no list in longer pages than this, whatever `limit` says; Bitbucket's own bound is 1,000.
    pub fn page_limit_at_most(&self, values: usize) -> &Self {
        self.fake.state().switches.page_limit_at_most = Some(values);
        self
    }

    /// Loses so many of a hundred deliveries of webhooks, by chance, until `heal`.
    pub fn lose_deliveries(&self, percent: u8) -> &Self {
        self.mishap(|mishaps| mishaps.lost_percent = percent)
    }

    /// Makes so many of a hundred deliveries twice, by chance, until `heal`: with the same `X-Request-Id`.
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

    /// Ends every trouble and takes away what stands in the way: faults, rate limits, what happens to deliveries, the two-factor plugin, the
    /// single sign-on proxy, the wrong base URL.
    pub fn heal(&self) -> &Self {
        let mut state = self.fake.state();
        state.plans.clear();
        let switches = &mut state.switches;
        switches.requests_left = None;
        switches.buckets = None;
        switches.mishaps = Mishaps::default();
        switches.two_factor = None;
        switches.two_factor_for_anonymous = false;
        switches.oauth_whitelist = false;
        switches.single_sign_on = false;
        switches.believes = None;
        drop(state);
        self
    }

    /// Lets everything that was issued grow older. The clock on the wall stays: see `clock_ahead`.
    pub fn advance(&self, by: Duration) -> &Self {
        self.fake.state().age.advance(by);
        self
    }

    /// Moves the clock on the wall of the server forward: the `Date` of answers, and the time that signed requests are
    /// held against. Call it as well when a test moves Stave's clock.
    pub fn clock_ahead(&self, by: Duration) -> &Self {
        self.fake.state().wall.advance(by);
        self
    }

    /// Moves the clock on the wall of the server back.
    pub fn clock_behind(&self, by: Duration) -> &Self {
        self.fake.state().wall.go_back(by);
        self
    }
}
