//! "What can this person read, and why".

use super::{
    ListQuery, Part,
    words::{self, Place, Words},
};
use crate::{
    actor::By,
    csv,
    error::PageError,
    frame::{Frame, home},
    member::parsed,
    page::Page,
};
use askama::Template;
use axum::{
    Router,
    extract::{Path, Query, State},
    response::Response,
    routing::get,
};
use stave_app::{App, PackageReading, PersonAccess, WorkspaceStanding};
use stave_domain::organization::Role;

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/orgs/{organization}/members/{user}/access", get(show))
        .route("/orgs/{organization}/members/{user}/access.csv", get(export))
}

#[derive(Template)]
#[template(path = "access/person.html")]
struct PersonAccessPage {
    frame: Frame,
    home: String,
    /// The address of the page.
    address: String,
    view: PersonAccess,
    /// How many packages there are in all, and how many of them can be read.
    packages: (usize, usize),
    list: Part<PackageLine>,
    query: ListQuery,
}

/// A package and the answer for it.
struct PackageLine {
    reading: PackageReading,
    words: Words,
}

impl PersonAccessPage {
    fn of(frame: Frame, mut view: PersonAccess, query: ListQuery) -> Self {
        let home = home(&view.organization);
        let address = format!("{home}/members/{}/access", view.user.id);
        let lines = lines(&mut view);
        let packages = (lines.len(), lines.iter().filter(|line| line.words.is_yes).count());
        let found = lines.into_iter().filter(|line| query.finds(&[&line.reading.title], line.words.is_yes));
        let list = query.part(found.collect(), &address);
        Self { frame, home, address, view, packages, list, query }
    }

    fn is_manager(&self) -> bool {
        self.view.role >= Role::Admin
    }

    /// Where whoever asks about themselves connects the account that is missing.
    fn connect(&self, standing: &WorkspaceStanding) -> Option<String> {
        let can = self.view.is_self && standing.account.is_none() && self.frame.actor.whole().is_ok();
        let slug = &standing.authority.integration.slug;
        can.then(|| format!("/profile/accounts/{slug}/connect?return_to={}", self.address))
    }
}

/// What keeps somebody from a whole workspace, and what to do.
fn obstacle(standing: &WorkspaceStanding) -> Option<(String, String)> {
    let place = Place { authority: &standing.authority, account: standing.account.as_deref() };
    standing.barrier.map(|barrier| words::obstacle(barrier, Some(place)))
}

/// The packages with the answers for them.
fn lines(view: &mut PersonAccess) -> Vec<PackageLine> {
    let packages = std::mem::take(&mut view.packages);
    let line = |reading: PackageReading| {
        let standing = reading.authority.and_then(|id| view.standings.get(&id));
        let place = standing.map(|it| Place { authority: &it.authority, account: it.account.as_deref() });
        PackageLine { words: Words::of(&reading.reading, place), reading }
    };
    packages.into_iter().map(line).collect()
}

/// `GET /orgs/{organization}/members/{user}/access`
async fn show(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, user)): Path<(String, String)>,
    Query(query): Query<ListQuery>,
) -> Result<Page<PersonAccessPage>, PageError> {
    let view = app.person_access(&frame.actor, &short_name, parsed(&user)?).await?;
    Ok(Page(PersonAccessPage::of(frame, view, query)))
}

/// `GET /orgs/{organization}/members/{user}/access.csv`
async fn export(
    State(app): State<App>,
    By(actor): By,
    Path((short_name, user)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let mut view = app.person_access(&actor, &short_name, parsed(&user)?).await?;
    let username = view.user.username.clone();
    app.access_exported(&actor, &view.organization, &format!("what {username} can read")).await?;
    let mut table = csv::line(["package", "can_read", "why", "what_to_do"]);
    for PackageLine { reading, words } in lines(&mut view) {
        table.push_str(&csv::line([reading.title.as_str(), words.answer(), &words.why, &words.advice]));
    }
    Ok(csv::file(&format!("access-{}-{}", view.organization.short_name, view.user.id), table))
}
