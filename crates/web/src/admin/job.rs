//! All jobs: what runs, what comes next, and why what failed did.

use crate::{actor::By, done::Done, error::PageError, frame::Frame, page::Page};
use askama::Template;
use axum::{
    Router,
    extract::{Path, State},
    response::Redirect,
    routing::{get, post},
};
use stave_app::{App, Failure, JobLine};
use stave_domain::{
    Timestamp,
    job::{JobCount, JobState},
};

pub(super) fn router() -> Router<App> {
    Router::new().route("/admin/jobs", get(list)).route("/admin/jobs/{job}/run", post(hasten).get(list_again))
}

#[derive(Template)]
#[template(path = "admin/job_list.html")]
struct JobList {
    frame: Frame,
    lines: Vec<JobLine>,
    counts: Vec<JobCount>,
    now: Timestamp,
}

impl JobList {
    fn count(&self, state: JobState) -> u64 {
        self.counts.iter().filter(|count| count.state == state).map(|count| count.count).sum()
    }

    /// So many jobs are there and not in the list.
    fn left_out(&self) -> u64 {
        let all: u64 = self.counts.iter().map(|count| count.count).sum();
        all.saturating_sub(self.lines.len() as u64)
    }

    /// Whether the page should look again soon.
    fn is_busy(&self) -> bool {
        self.counts.iter().any(|count| count.state != JobState::Later)
    }

    fn age(&self, line: &JobLine) -> String {
        crate::time::length(self.now.duration_since(line.job.created_at))
    }

    fn run_action(line: &JobLine) -> String {
        format!("/admin/jobs/{}/run", line.job.id)
    }
}

/// `GET /admin/jobs`
async fn list(State(app): State<App>, frame: Frame) -> Result<Page<JobList>, PageError> {
    let lines = app.job_list(&frame.actor).await?;
    let counts = app.job_count_list().await?;
    Ok(Page(JobList { frame, lines, counts, now: app.clock().now() }))
}

/// `GET` of what is only sent.
async fn list_again() -> Redirect {
    Redirect::to("/admin/jobs")
}

/// `POST /admin/jobs/{job}/run`
async fn hasten(
    State(app): State<App>,
    By(actor): By,
    Path(job): Path<String>,
) -> Result<Redirect, PageError> {
    let id = job.parse().map_err(|_| Failure::NotFound("job"))?;
    app.job_hasten(&actor, id).await?;
    Ok(Done::JobHastened.at("/admin/jobs"))
}
