//! "Background job is running": the job of an organization, told on each of its pages.
//!
//! The page brings it, and while it is there the script asks for it again ([`show`]), and for nothing else of the page.

use crate::{actor::By, error::PageError, frame::home, page::Page};
use askama::Template;
use axum::{
    Router,
    extract::{Path, State},
    routing::get,
};
use stave_app::{App, JobLine, JobPage};

pub(crate) fn router() -> Router<App> {
    Router::new().route("/orgs/{organization}/job", get(show))
}

/// A job that is told on a page.
pub(crate) struct Busy {
    pub(crate) line: JobLine,
    /// Where to ask again how far it is.
    pub(crate) from: String,
}

impl Busy {
    pub(crate) fn of(short_name: &str, line: JobLine) -> Self {
        Self { line, from: format!("/orgs/{short_name}/job") }
    }
}

/// The page that shows what a job is about.
pub(crate) fn page_of(line: &JobLine) -> Option<String> {
    let subject = line.subject.as_ref()?;
    let organization = line.organization.as_ref().map(home);
    match subject.page {
        JobPage::None => None,
        JobPage::Package(id) => Some(format!("{}/packages/{id}", organization?)),
        JobPage::Repository(id) => Some(format!("{}/repositories/{id}", organization?)),
        JobPage::Synchronization(id) => Some(format!("{}/settings/synchronizations/{id}", organization?)),
        JobPage::Credential(id) => Some(format!("{}/settings/credentials/{id}", organization?)),
        JobPage::Mirror(id) => Some(format!("{}/settings/mirroring/{id}", organization?)),
        JobPage::Integration(id) => Some(match organization {
            Some(home) => format!("{home}/settings/integrations/{id}"),
            None => format!("/admin/integrations/{id}"),
        }),
    }
}

/// What of a page tells of the job.
#[derive(Template)]
#[template(path = "job.html")]
struct BusyPart {
    busy: Option<Busy>,
}

/// `GET /orgs/{organization}/job`: the part of a page that tells of the job; empty when none runs.
async fn show(
    State(app): State<App>,
    By(actor): By,
    Path(short_name): Path<String>,
) -> Result<Page<BusyPart>, PageError> {
    let line = app.job_busy_in(&actor, &short_name).await?;
    Ok(Page(BusyPart { busy: line.map(|line| Busy::of(&short_name, line)) }))
}

#[cfg(test)]
mod tests {
    use crate::testing::TestSite;
    use axum::http::StatusCode;

    const SOURCE: &str = "https://bitbucket.example/acme/secret";

    #[tokio::test]
    async fn every_page_of_an_organization_tells_of_its_job() {
        let (site, bitbucket, [mut ada, mut grace]) = TestSite::with_acme().await;
        assert!(!grace.get("/orgs/acme").await.body.contains("Background job"));
        let idle = grace.get("/orgs/acme/job").await.body;
        assert!(idle.contains("id=\"job\"") && !idle.contains("data-refresh"), "{idle}");

        let added = grace.post("/orgs/acme/packages", &[("url", SOURCE), ("credential", "none")]).await;
        assert_eq!(added.status, StatusCode::SEE_OTHER, "{}", added.body);
        for page in ["/orgs/acme", "/orgs/acme/teams", "/orgs/acme/settings/log", "/orgs/acme/job"] {
            let body = grace.get(page).await.body;
            let busy = body.split_once("id=\"job\"").unwrap_or_else(|| panic!("{page}: {body}")).1;
            let busy = busy.split_once("</div>").unwrap().0;
            for part in
                ["data-refresh=\"2s\"", "data-from=\"/orgs/acme/job\"", "Background job is running", SOURCE]
            {
                assert!(busy.contains(part), "{page}, {part}: {busy}");
            }
        }
        assert!(!grace.get("/profile").await.body.contains("Background job"), "no page of the organization");

        let mut linus = site.browser();
        linus.register(&bitbucket, "linus").await;
        assert_eq!(linus.get("/orgs/acme/job").await.status, StatusCode::NOT_FOUND);
        grace.post("/orgs/acme/teams", &[("who", "linus"), ("role", "member")]).await;
        let told = linus.get("/orgs/acme").await.body;
        assert!(
            told.contains("Reading a repository") && !told.contains(SOURCE),
            "not everybody knows it: {told}"
        );
        assert!(!linus.get("/orgs/acme/job").await.body.contains(SOURCE));

        let jobs = ada.get("/admin/jobs").await.body;
        for part in ["Reading a repository", SOURCE, "Acme", "1 waiting for a free runner", "data-refresh"] {
            assert!(jobs.contains(part), "{part}: {jobs}");
        }
        let metrics = site.browser().get("/metrics").await;
        assert_eq!(metrics.status, StatusCode::OK);
        for line in [
            "stave_jobs{kind=\"update-repository\",state=\"due\"} 1\n",
            "# TYPE stave_job_oldest_age_seconds gauge\n",
            "stave_endpoints_failing{state=\"removed\"} 0\n",
        ] {
            assert!(metrics.body.contains(line), "{line}: {}", metrics.body);
        }
        assert!(!metrics.body.contains("acme"), "numbers only: {}", metrics.body);
    }
}
