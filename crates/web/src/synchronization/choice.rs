//! Choosing what to follow, for an organization that is there or for one that is to be made.

use super::page_of;
use crate::{
    done::Done,
    error::PageError,
    form::{self, Form},
    frame::{Frame, home},
    page::{Page, Refused},
    return_to::ReturnTo,
};
use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
};
use stave_app::{App, Failure, Problems, WorkspaceChoice, WorkspaceOffer};
use stave_domain::{integration::Platform, organization::Organization};

#[derive(Template)]
#[template(path = "synchronization/choice.html")]
pub(super) struct ChoicePage {
    frame: Frame,
    /// For whom; `None` is one that is to be made.
    organization: Option<Organization>,
    offers: Vec<WorkspaceOffer>,
    choice: WorkspaceChoice,
    problems: Problems,
}

impl ChoicePage {
    async fn of(app: &App, frame: Frame, short_name: &str, choice: WorkspaceChoice) -> Result<Self, Failure> {
        let (organization, offers) = app.workspace_offers(&frame.actor, short_name, &choice.access).await?;
        let (organization, problems) = (Some(organization), Problems::default());
        Ok(Self { frame, organization, offers, choice, problems })
    }

    fn home(&self) -> String {
        self.organization.as_ref().map(home).unwrap_or_default()
    }

    /// Where a choice is sent, and how.
    fn action(&self) -> (String, &'static str) {
        match &self.organization {
            Some(organization) => (format!("{}/settings/synchronizations/new", home(organization)), "post"),
            None => ("/orgs/new".into(), "get"),
        }
    }

    /// Where the actor connects their account, and comes back.
    fn connect(&self, offer: &WorkspaceOffer, is_another: bool) -> String {
        let back = ReturnTo::from(self.frame.path.as_str());
        let another = if is_another { "&another=yes" } else { "" };
        let slug = &offer.integration.slug;
        format!("/profile/accounts/{slug}/connect?return_to={}{another}", back.encoded())
    }

    /// What the platform calls what is followed: in a title, in a sentence, and what of it stands in addresses.
    fn nouns(offer: &WorkspaceOffer) -> (&'static str, &'static str, &'static str) {
        match offer.integration.platform {
            Platform::BitbucketCloud => ("Bitbucket Workspaces", "workspace", "Name in its address"),
            Platform::BitbucketDataCenter => ("Bitbucket Projects", "project", "Project key"),
        }
    }

    fn is_here(&self, offer: &WorkspaceOffer) -> bool {
        self.choice.integration == offer.integration.id.to_string()
    }

    /// What was typed for an integration, and what is wrong with it.
    fn typed(&self, offer: &WorkspaceOffer) -> (&str, Option<&str>) {
        if self.is_here(offer) { (&self.choice.workspace, self.problems.of("workspace")) } else { ("", None) }
    }

    /// Where a name is typed; the sentence above the form leads to the one with the problem.
    fn field_id(&self, offer: &WorkspaceOffer) -> String {
        if self.is_here(offer) { "workspace".into() } else { format!("workspace-{}", offer.integration.slug) }
    }

    fn rights(offer: &WorkspaceOffer) -> Vec<(String, String)> {
        offer.choices.iter().map(|it| (it.value.clone(), it.label.clone())).collect()
    }
}

/// `GET /orgs/{organization}/settings/synchronizations/new`
pub(super) async fn show(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
    Query(choice): Query<WorkspaceChoice>,
) -> Result<Page<ChoicePage>, PageError> {
    Ok(Page(ChoicePage::of(&app, frame, &short_name, choice).await?))
}

/// `GET /orgs/new/from`: chooses what a new organization follows.
pub(super) async fn show_for_new(
    State(app): State<App>,
    frame: Frame,
) -> Result<Page<ChoicePage>, PageError> {
    let offers = app.workspace_offers_new(&frame.actor).await?;
    let (choice, problems) = (WorkspaceChoice::default(), Problems::default());
    Ok(Page(ChoicePage { frame, organization: None, offers, choice, problems }))
}

/// `POST /orgs/{organization}/settings/synchronizations/new`
pub(super) async fn create(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
    Form(choice): Form<WorkspaceChoice>,
) -> Result<Response, PageError> {
    match app.synchronization_begin(&frame.actor, &short_name, &choice).await {
        Ok(id) => Ok(Done::SynchronizationBegun.at(&page_of(&short_name, id)).into_response()),
        Err(failure) => {
            let problems = form::problems(failure)?;
            let page = ChoicePage::of(&app, frame, &short_name, choice).await?;
            Ok(Refused(ChoicePage { problems, ..page }).into_response())
        }
    }
}
