//! A stateful fake Bitbucket over real HTTP, git repositories to import, Composer repositories to mirror, a Composer client.
//!
//! Everything here listens on loopback only, keeps its files in a temporary folder and is gone when it is dropped.
//! Servers run on a thread of their own, so that tests without a runtime, or with a blocking client, can use them too.
//! Whatever goes wrong in here is a broken test, not a state of the product: these functions panic and say why.
//!
//! ```no_run
//! use stave_testkit::{Composer, Email, Fault, FakeBitbucket, Forgery, Level, Size, Standing};
//!
//! # async fn story() {
//! let bitbucket = FakeBitbucket::start().await;
//! bitbucket.base_url(); // "http://127.0.0.1:41234": site at /, API at /2.0, OAuth at /site/oauth2, git at /acme/mailer.git
//!
//! // people, workspaces, repositories: made when first named
//! let acme = bitbucket.workspace("acme");
//! acme.owner("ada").member("grace");
//! bitbucket.user("grace").emails(&[Email::primary("grace@example.com"), Email::unconfirmed("g@example.org")]);
//! let mailer = acme.repository("mailer");
//! mailer.tag("1.4.0", r#"{"name": "acme/mailer"}"#).branch("feature/x", r#"{"name": "acme/mailer"}"#);
//! acme.repository("secret").only_for(&["grace"]).grant("linus", Level::Read);
//!
//! // OAuth: a consumer, and a person at the consent page (a real browser can press the buttons as well)
//! let consumer = bitbucket.consumer("acme", "http://127.0.0.1:8080/oauth/callback/bitbucket", &["account", "email"]);
//! let authorize = format!("{}/site/oauth2/authorize?client_id={}&response_type=code", bitbucket.base_url(), consumer.key());
//! let _back = bitbucket.grant_access(&authorize, "ada").await; // the callback URL with code and state
//! let _tokens = consumer.tokens_of("ada"); // without the trip
//!
//! // credentials that people bring, groups, projects, a large workspace in a moment
//! let _token = bitbucket.user("ada").api_token(&["read:repository:bitbucket"]);
//! let _token = acme.access_token(&["account", "repository", "webhook"]);
//! acme.group("php", &["grace"]).project("PHP").grant_group("php", Level::Read);
//! bitbucket.seed_large("globex", Size { repositories: 3000, people: 500, packages: 60, each_reads: 3000 });
//! assert!(mailer.forge(Forgery::WrongSecret).await.is_empty()); // nobody hung up a webhook yet
//!
//! // random changes, and what is so after them
//! let mut script = bitbucket.script("globex", 42).sparing(&["p0001"]);
//! println!("{}", script.step().what);
//! script.heal();
//! assert!(script.truth().people.values().any(|person| person.standing == Standing::Owner));
//!
//! // trouble on command, time, and what was asked
//! bitbucket.fail_next("/2.0/user*", Fault::status(503, ""));
//! bitbucket.advance(std::time::Duration::from_hours(2));
//! assert!(bitbucket.requests().iter().all(|request| !request.query.contains("access_token")));
//!
//! // the real Composer, away from the user's own configuration
//! let composer = Composer::new();
//! composer.repository("http://127.0.0.1:8080/repo/acme/").config_auth("127.0.0.1:8080", "token", "stave_uut_...");
//! let run = composer.require("acme/mailer").await;
//! assert!(run.success(), "{run}");
//! # }
//! ```
//!
//! And a Bitbucket Data Center, of the version that a test wants:
//!
//! ```no_run
//! use stave_testkit::{DataCenterOptions, FakeDataCenter, Level, RateLimit, TwoFactor, Version};
//!
//! # async fn story(public_key: &str) {
//! let server = FakeDataCenter::start_with(DataCenterOptions::new(Version::V7_20).context_path("/bitbucket")).await;
//! server.base_url(); // "http://127.0.0.1:41234/bitbucket"
//!
//! // people, groups, projects, repositories: made when first named
//! server.user("root").system_admin();
//! server.user("Ada@Example.com").email("ada@example.com").slug(); // "ada_example.com"
//! let php = server.group("php", &["grace"]).project("PHP");
//! php.grant_group("php", Level::Read).repository("mailer").grant("ada", Level::Admin);
//!
//! // OAuth 1, then an upgrade of the server, then OAuth 2: a person at the consent page, or tokens without the trip
//! let consumer = server.consumer("stave", public_key);
//! let _back = server.grant_access("http://.../plugins/servlet/oauth/authorize?oauth_token=...", "ada").await;
//! let _signed = consumer.tokens_of("ada");
//! server.set_version(Version::V8_19).refuse_oauth1();
//! let link = server.link("http://127.0.0.1:8080/oauth/callback/bitbucket", &["REPO_READ"]);
//! let (_id, _secret, _tokens) = (link.client_id(), link.client_secret(), link.tokens_of("ada"));
//!
//! // what stands in the way
//! server.two_factor(TwoFactor::HtmlPage).whitelist_oauth();
//! server.believes_base_url("https://git.example.com").clock_ahead(std::time::Duration::from_mins(6));
//! server.rate_limit_after(10, RateLimit::Announced).heal();
//! # }
//! ```

//! And a Composer repository of somebody else:
//!
//! ```no_run
//! use serde_json::json;
//! use stave_testkit::{Composer1, FakeComposerRepository, Fault};
//!
//! # async fn story() {
//! let upstream = FakeComposerRepository::start().await;
//! upstream.package("psr/log").version("1.0.0", &json!({"require": {"php": ">=8"}})).version("dev-main", &json!({}));
//! upstream.require_basic("token", "secret").fail("/dists/*", Fault::Truncated);
//! upstream.package("psr/log").retag("1.0.0").abandon("psr/other").advisory("PKSA-1", "<1.1").malware("1.0.0", "It steals.");
//! upstream.heal().composer1(Composer1::Hashed);
//! assert_eq!(upstream.calls("/p2/psr/*"), 0);
//! # }
//! ```

#![expect(clippy::missing_panics_doc, reason = "all of it panics when a test is broken; said once, above")]
#![expect(
    clippy::must_use_candidate,
    reason = "most functions change the fake and give it back for the next change"
)]

mod bitbucket;
mod common;
mod composer;
mod composer_repository;
pub mod data_center;
mod git;
mod listener;
mod mail;
pub mod samples;
mod script;
mod truth;

pub use bitbucket::{
    FakeBitbucket,
    consumer::{Consumer, Tokens},
    permission::Level,
    project::Project,
    repository::Repository,
    user::{Email, User},
    workspace::Workspace,
};
pub use common::{
    courier::{Delivery, Forgery},
    fault::Fault,
    record::RecordedRequest,
    size::Size,
};
pub use composer::{Composer, ComposerRun};
pub use composer_repository::{Composer1, FakeComposerRepository, FakePackage};
pub use data_center::{DataCenterOptions, FakeDataCenter, RateLimit, TwoFactor, Version};
pub use git::{BareRepository, GitServer};
pub use mail::{FakeMailServer, Mail};
pub use script::{Script, Step};
pub use truth::{Standing, TruePerson, TrueRepository, Truth};
