//! An organization beside a workspace, from which the stories of synchronization begin.

use super::platform::{Followed, Rows, Token};
use crate::support::{Browser, TestStave};
use stave_testkit::Repository;

/// `ada` owns the workspace and the organization `acme`.
pub(super) struct Acme {
    pub(super) stave: TestStave,
    pub(super) ada: Browser,
    pub(super) rows: Rows,
}

impl Acme {
    /// Nothing is followed yet.
    pub(super) async fn open() -> Self {
        let (stave, ada) = TestStave::with_acme().await;
        let rows = Rows { storage: stave.storage().await, clock: stave.app.clock().clone() };
        Self { stave, ada, rows }
    }

    /// A repository that is a package of its name, with one version.
    pub(super) fn package(&self, workspace: &str, slug: &str) -> Repository {
        let repository = self.stave.bitbucket.workspace(workspace).repository(slug);
        repository.commit("main", &[("composer.json", &format!("{{\"name\": \"acme/{slug}\"}}"))]);
        repository.tag("1.0.0", &format!("{{\"name\": \"acme/{slug}\"}}"));
        repository
    }

    /// Follows a workspace with the account of `ada`.
    pub(super) async fn follow(&self, workspace: &str) -> Followed<'_> {
        Followed::start(&self.ada, &self.rows, ("bitbucket", workspace), None).await
    }

    /// Somebody who logs in for the first time.
    pub(super) async fn newcomer(&self, name: &str) -> Browser {
        let browser = self.stave.browser();
        self.stave.sign_in(&browser, name).await.shows("Create account");
        let fields = [("username", name), ("name", ""), ("email", "")];
        browser.send("/login/register", &fields).await;
        browser
    }

    pub(super) async fn token(&self, browser: &Browser) -> Token {
        Token::of(browser, &self.stave.url).await
    }

    /// Stores a credential; what stands for it in lists of rights.
    pub(super) async fn credential(&self, kind: &str, host: &str, secret: &str) -> String {
        let fields = [("description", "Robot"), ("kind", kind), ("host", host), ("secret", secret)];
        let page = self.ada.send("/orgs/acme/settings/credentials", &fields).await;
        let id = page.url.path().rsplit('/').next().unwrap().to_owned();
        assert_ne!(id, "credentials", "{}", page.text());
        format!("credential:{id}")
    }
}
