//! Synchronizations: the list, the choice of a workspace, the page of one, its repositories and people, its promotion and end.

mod choice;
mod delete;
mod list;
mod person;
mod promote;
mod repository;
mod show;
#[cfg(test)]
mod tests;
mod words;

use crate::organization::address;
use axum::{
    Router,
    extract::Path,
    response::Redirect,
    routing::{get, post},
};
use stave_app::{App, Failure};
use stave_domain::{id::SynchronizationId, organization::Organization};

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/orgs/new/from", get(choice::show_for_new))
        .nest("/orgs/{organization}/settings/synchronizations", pages())
}

fn pages() -> Router<App> {
    Router::new()
        .route("/", get(list::show))
        .route("/new", get(choice::show).post(choice::create))
        .route("/{synchronization}", get(show::show))
        .route("/{synchronization}/start", post(show::start).get(show_again))
        .route("/{synchronization}/run", post(show::run).get(show_again))
        .route("/{synchronization}/settings", post(show::update).get(show_again))
        .route("/{synchronization}/access", post(show::change_access).get(show_again))
        .route("/{synchronization}/webhooks", post(show::repair).get(show_again))
        .route("/{synchronization}/promote", get(promote::ask).post(promote::promote))
        .route("/{synchronization}/delete", get(delete::ask).post(delete::delete))
        .route("/{synchronization}/people", get(person::list))
        .route("/{synchronization}/repositories", get(repository::list))
        .route("/{synchronization}/repositories/{number}/add", post(repository::add))
        .route("/{synchronization}/repositories/{number}/take-out", post(repository::take_out))
}

/// `GET` of what is only sent: a reload after a refusal.
async fn show_again(
    Path((short_name, id)): Path<(String, String)>,
) -> Result<Redirect, crate::error::PageError> {
    Ok(Redirect::to(&page_of(&short_name, parsed(&id)?)))
}

/// The address of the list.
fn list_of(short_name: &str) -> String {
    format!("{}/settings/synchronizations", address(short_name))
}

/// The address of one.
pub(crate) fn page_of(short_name: &str, id: SynchronizationId) -> String {
    format!("{}/{id}", list_of(short_name))
}

/// The address of one, below its organization.
pub(crate) fn page_in(organization: &Organization, id: SynchronizationId) -> String {
    page_of(organization.short_name.as_str(), id)
}

fn parsed(id: &str) -> Result<SynchronizationId, Failure> {
    id.parse().map_err(|_| Failure::NotFound("synchronization"))
}
