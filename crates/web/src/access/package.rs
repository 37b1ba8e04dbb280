//! "Who can read this package, and why".

use super::{
    ListQuery, Part,
    words::{self, Place, Words},
};
use crate::{
    actor::By,
    csv,
    done::Done,
    error::PageError,
    form::Form,
    frame::{Frame, home},
    organization::address,
    page::Page,
};
use askama::Template;
use axum::{
    Router,
    extract::{Path, Query, State},
    response::{Redirect, Response},
    routing::get,
};
use stave_app::{App, Failure, PackageAccess, PersonReading, StrangerReading};
use stave_domain::{
    id::PackageId,
    organization::Role,
    synchronization::{OLDEST_ANSWER, RightsFrom},
};

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/orgs/{organization}/packages/{package}/access", get(show).post(change))
        .route("/orgs/{organization}/packages/{package}/access.csv", get(export))
}

#[derive(Template)]
#[template(path = "access/package.html")]
struct PackageAccessPage {
    frame: Frame,
    home: String,
    /// The address of the page.
    address: String,
    view: PackageAccess,
    /// How many members can read it.
    readers: usize,
    people: Part<PersonLine>,
    query: ListQuery,
}

/// A member and the answer for them.
struct PersonLine {
    reading: PersonReading,
    words: Words,
}

impl PackageAccessPage {
    fn of(frame: Frame, mut view: PackageAccess, query: ListQuery) -> Self {
        let home = home(&view.organization);
        let address = format!("{home}/packages/{}/access", view.package.id);
        let lines = lines(&mut view);
        let readers = lines.iter().filter(|line| line.words.is_yes).count();
        let found = lines.into_iter().filter(|PersonLine { reading, words }| {
            query.finds(&[reading.user.username.as_str(), &reading.user.name], words.is_yes)
        });
        let people = query.part(found.collect(), &address);
        Self { frame, home, address, view, readers, people, query }
    }

    fn why(&self, stranger: &StrangerReading) -> String {
        let place = self.view.authority.as_ref().map(|authority| Place { authority, account: None });
        words::why(&stranger.because, place)
    }
}

/// The members with the answers for them.
fn lines(view: &mut PackageAccess) -> Vec<PersonLine> {
    let people = std::mem::take(&mut view.people);
    let line = |reading: PersonReading| {
        let authority = view.authority.as_ref();
        let place = authority.map(|authority| Place { authority, account: reading.account.as_deref() });
        PersonLine { words: Words::of(&reading.reading, place), reading }
    };
    people.into_iter().map(line).collect()
}

/// `GET /orgs/{organization}/packages/{package}/access`
async fn show(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, id)): Path<(String, String)>,
    Query(query): Query<ListQuery>,
) -> Result<Page<PackageAccessPage>, PageError> {
    let view = app.package_access(&frame.actor, &short_name, parsed(&id)?).await?;
    Ok(Page(PackageAccessPage::of(frame, view, query)))
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct ReadersForm {
    /// `teams` for those that it is given to; anything else for every member.
    readers: String,
}

/// `POST /orgs/{organization}/packages/{package}/access`
async fn change(
    State(app): State<App>,
    By(actor): By,
    Path((short_name, id)): Path<(String, String)>,
    Form(form): Form<ReadersForm>,
) -> Result<Redirect, PageError> {
    let id = parsed(&id)?;
    app.package_restrict(&actor, &short_name, id, form.readers == "teams").await?;
    Ok(Done::Saved.at(&format!("{}/packages/{id}/access", address(&short_name))))
}

/// `GET /orgs/{organization}/packages/{package}/access.csv`
async fn export(
    State(app): State<App>,
    By(actor): By,
    Path((short_name, id)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let mut view = app.package_access(&actor, &short_name, parsed(&id)?).await?;
    app.access_exported(&actor, &view.organization, &format!("who can read {}", view.title)).await?;
    let mut table = csv::line(["username", "name", "kind", "can_read", "why", "what_to_do"]);
    for PersonLine { reading, words } in lines(&mut view) {
        let (user, kind) = (&reading.user, reading.member.role.key());
        let cells = [user.username.as_str(), &user.name, kind, words.answer(), &words.why, &words.advice];
        table.push_str(&csv::line(cells));
    }
    let place = view.authority.as_ref().map(|authority| Place { authority, account: None });
    for StrangerReading { person, because } in &view.strangers {
        let why = words::why(because, place);
        let cells = [&person.handle, &person.name, "not logged in yet", "after the first log-in", &why, ""];
        table.push_str(&csv::line(cells));
    }
    for token in &view.tokens {
        let why = "Tokens of the organization read every package.";
        table.push_str(&csv::line(["", &token.description, "organization token", "yes", why, ""]));
    }
    Ok(csv::file(&format!("access-{}-{}", view.organization.short_name, view.package.id), table))
}

fn parsed(id: &str) -> Result<PackageId, Failure> {
    id.parse().map_err(|_| Failure::NotFound("package"))
}
