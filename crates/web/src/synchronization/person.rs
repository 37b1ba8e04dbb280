//! The people of a workspace, and what is known of each.

use super::{page_in, parsed};
use crate::{
    error::PageError,
    frame::{Frame, home},
    page::Page,
};
use askama::Template;
use axum::extract::{Path, Query, State};
use stave_app::{App, PeoplePage, PeopleSearch};
use stave_domain::{
    organization::{Organization, Role},
    synchronization::{KnownPerson, RightsFrom, Synchronization},
    user::User,
};
use url::form_urlencoded::Serializer;

/// `?q=&page=`; what cannot be read counts as not said.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct ListQuery {
    q: String,
    page: String,
}

impl ListQuery {
    fn search(&self) -> PeopleSearch {
        PeopleSearch { text: self.q.clone(), page: self.page.parse().unwrap_or(0) }
    }
}

#[derive(Template)]
#[template(path = "synchronization/person_list.html")]
pub(super) struct PersonList {
    frame: Frame,
    home: String,
    organization: Organization,
    synchronization: Synchronization,
    people: PeoplePage<(KnownPerson, Option<User>)>,
    query: ListQuery,
}

impl PersonList {
    fn address(&self) -> String {
        page_in(&self.organization, self.synchronization.id)
    }

    fn list(&self) -> String {
        format!("{}/people", self.address())
    }

    fn asks_each_person(&self) -> bool {
        self.synchronization.rights_from == RightsFrom::EachPerson
    }

    fn at(&self, page: usize) -> String {
        let mut query = Serializer::new(String::new());
        query.append_pair("q", &self.query.q).append_pair("page", &page.to_string());
        format!("{}?{}", self.list(), query.finish())
    }

    fn pages(&self) -> (Option<String>, Option<String>) {
        let page = self.query.search().page;
        let on = self.people.more.then(|| self.at(page.saturating_add(1)));
        (page.checked_sub(1).map(|page| self.at(page)), on)
    }
}

/// `GET /orgs/{organization}/settings/synchronizations/{synchronization}/people`
pub(super) async fn list(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, id)): Path<(String, String)>,
    Query(query): Query<ListQuery>,
) -> Result<Page<PersonList>, PageError> {
    let search = query.search();
    let (organization, synchronization, people) =
        app.synchronization_people(&frame.actor, &short_name, parsed(&id)?, &search).await?;
    let home = home(&organization);
    Ok(Page(PersonList { frame, home, organization, synchronization, people, query }))
}
