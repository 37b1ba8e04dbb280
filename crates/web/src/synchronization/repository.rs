//! The repositories of a workspace, and why each is a package here or not.

use super::{page_in, page_of, parsed, words};
use crate::{
    actor::By,
    done::Done,
    error::PageError,
    frame::{Frame, home},
    page::Page,
};
use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::Redirect,
};
use stave_app::{
    App, Failure, FollowedLine, RepositoryFilter, RepositoryListView, RepositorySearch, RepositoryState,
};
use std::convert::Infallible;
use url::form_urlencoded::Serializer;

/// `?q=&only=&page=`; what cannot be read counts as not said.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct ListQuery {
    q: String,
    /// A name of [`RepositoryFilter::KEYS`].
    only: String,
    page: String,
}

impl ListQuery {
    fn search(&self) -> RepositorySearch {
        let filter: Result<RepositoryFilter, Infallible> = self.only.parse();
        let filter = filter.unwrap_or_default();
        RepositorySearch { text: self.q.clone(), filter, page: self.page.parse().unwrap_or(0) }
    }

    fn address(&self, list: &str, page: usize) -> String {
        let mut query = Serializer::new(String::new());
        query.append_pair("q", &self.q).append_pair("only", &self.only);
        format!("{list}?{}", query.append_pair("page", &page.to_string()).finish())
    }
}

#[derive(Template)]
#[template(path = "synchronization/repository_list.html")]
pub(super) struct RepositoryList {
    frame: Frame,
    home: String,
    view: RepositoryListView,
    query: ListQuery,
}

impl RepositoryList {
    fn address(&self) -> String {
        page_in(&self.view.organization, self.view.synchronization.id)
    }

    fn list(&self) -> String {
        format!("{}/repositories", self.address())
    }

    fn filters() -> impl Iterator<Item = (&'static str, &'static str)> {
        RepositoryFilter::KEYS.into_iter().map(|(key, _)| (key, words::filter(key)))
    }

    /// What a button does with a repository, and brings back to this place of the list.
    fn action(&self, line: &FollowedLine, verb: &str) -> String {
        let back = self.query.address("", self.query.search().page);
        format!("{}/{}/{verb}{back}", self.list(), line.known.number)
    }

    fn can_be_added(line: &FollowedLine) -> bool {
        matches!(
            line.state,
            RepositoryState::TakenOut | RepositoryState::NotChosen | RepositoryState::NoManifest
        )
    }

    fn pages(&self) -> (Option<String>, Option<String>) {
        let page = self.query.search().page;
        let at = |page| self.query.address(&self.list(), page);
        (page.checked_sub(1).map(at), self.view.more.then(|| at(page.saturating_add(1))))
    }
}

/// `GET /orgs/{organization}/settings/synchronizations/{synchronization}/repositories`
pub(super) async fn list(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, id)): Path<(String, String)>,
    Query(query): Query<ListQuery>,
) -> Result<Page<RepositoryList>, PageError> {
    let search = query.search();
    let view = app.synchronization_repositories(&frame.actor, &short_name, parsed(&id)?, &search).await?;
    Ok(Page(RepositoryList { home: home(&view.organization), frame, view, query }))
}

/// `POST /orgs/{organization}/settings/synchronizations/{synchronization}/repositories/{number}/add`
pub(super) async fn add(
    State(app): State<App>,
    By(actor): By,
    Path(place): Path<(String, String, String)>,
    Query(query): Query<ListQuery>,
) -> Result<Redirect, PageError> {
    choose(&app, &actor, place, &query, true).await
}

/// `POST /orgs/{organization}/settings/synchronizations/{synchronization}/repositories/{number}/take-out`
pub(super) async fn take_out(
    State(app): State<App>,
    By(actor): By,
    Path(place): Path<(String, String, String)>,
    Query(query): Query<ListQuery>,
) -> Result<Redirect, PageError> {
    choose(&app, &actor, place, &query, false).await
}

async fn choose(
    app: &App,
    actor: &stave_app::Actor,
    (short_name, id, number): (String, String, String),
    query: &ListQuery,
    is_wanted: bool,
) -> Result<Redirect, PageError> {
    let id = parsed(&id)?;
    let number = number.parse().map_err(|_| Failure::NotFound("repository"))?;
    app.synchronization_choose(actor, &short_name, (id, number), is_wanted).await?;
    let done = if is_wanted { Done::RepositoryAdded } else { Done::RepositoryTakenOut };
    let list = format!("{}/repositories", page_of(&short_name, id));
    Ok(done.at(&query.address(&list, query.search().page)))
}
