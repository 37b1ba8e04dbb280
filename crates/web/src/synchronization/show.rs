//! The page of a synchronization: what it would do, and later how it fares; its settings.

use super::{page_in, page_of, parsed, words};
use crate::{
    actor::By,
    done::Done,
    error::PageError,
    form::{self, Form},
    frame::{Frame, home},
    page::{Page, Refused},
};
use askama::Template;
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use stave_app::{App, Failure, Problems, SynchronizationForm, SynchronizationView};
use stave_domain::integration::Platform;

#[derive(Template)]
#[template(path = "synchronization/show.html")]
pub(super) struct SynchronizationPage {
    frame: Frame,
    home: String,
    view: SynchronizationView,
    form: SynchronizationForm,
    /// The rights that were chosen in their form.
    access: String,
    problems: Problems,
}

impl SynchronizationPage {
    async fn of(app: &App, frame: Frame, short_name: &str, id: &str) -> Result<Self, Failure> {
        let view = app.synchronization_show(&frame.actor, short_name, parsed(id)?).await?;
        let form = SynchronizationForm::of(&view.line.synchronization);
        let home = home(&view.organization);
        Ok(Self { frame, home, view, form, access: String::new(), problems: Problems::default() })
    }

    fn address(&self) -> String {
        page_in(&self.view.organization, self.view.line.synchronization.id)
    }

    fn below(&self, verb: &str) -> String {
        format!("{}/{verb}", self.address())
    }

    fn is_cloud(&self) -> bool {
        self.view.line.integration.platform == Platform::BitbucketCloud
    }

    /// What the platform calls what is followed.
    fn noun(&self) -> &'static str {
        if self.is_cloud() { "workspace" } else { "project" }
    }

    /// How many repositories were looked at for a composer.json.
    fn looked_at(&self) -> u64 {
        self.view.counts.all.saturating_sub(self.view.counts.unknown)
    }

    fn rights(&self) -> Vec<(String, String)> {
        let as_it_is = (String::new(), format!("As it is: {}", self.view.line.rights));
        let others = self.view.choices.iter().map(|it| (it.value.clone(), it.label.clone()));
        [as_it_is].into_iter().chain(others).collect()
    }

    fn rights_from() -> Vec<(String, String)> {
        vec![
            ("everybody".into(), "The rights that it runs with: they see what everybody may read".into()),
            ("each_person".into(), "Everybody's own account, when they log in and on a schedule".into()),
        ]
    }

    /// Whether it would be the primary one, whatever is chosen.
    fn becomes_primary(&self) -> bool {
        self.view.is_owned && self.view.primary.is_none()
    }
}

/// `GET /orgs/{organization}/settings/synchronizations/{synchronization}`
pub(super) async fn show(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, id)): Path<(String, String)>,
) -> Result<Page<SynchronizationPage>, PageError> {
    Ok(Page(SynchronizationPage::of(&app, frame, &short_name, &id).await?))
}

/// `POST /orgs/{organization}/settings/synchronizations/{synchronization}/start`
pub(super) async fn start(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, id)): Path<(String, String)>,
    Form(form): Form<SynchronizationForm>,
) -> Result<Response, PageError> {
    let done = app.synchronization_start(&frame.actor, &short_name, parsed(&id)?, &form).await;
    answered(&app, frame, (&short_name, &id), (done, Done::SynchronizationStarted), form).await
}

/// `POST /orgs/{organization}/settings/synchronizations/{synchronization}/settings`
pub(super) async fn update(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, id)): Path<(String, String)>,
    Form(form): Form<SynchronizationForm>,
) -> Result<Response, PageError> {
    let done = app.synchronization_update(&frame.actor, &short_name, parsed(&id)?, &form).await;
    answered(&app, frame, (&short_name, &id), (done, Done::Saved), form).await
}

async fn answered(
    app: &App,
    frame: Frame,
    (short_name, id): (&str, &str),
    (outcome, done): (Result<(), Failure>, Done),
    form: SynchronizationForm,
) -> Result<Response, PageError> {
    match outcome {
        Ok(()) => Ok(done.at(&page_of(short_name, parsed(id)?)).into_response()),
        Err(failure) => {
            let problems = form::problems(failure)?;
            let page = SynchronizationPage::of(app, frame, short_name, id).await?;
            Ok(Refused(SynchronizationPage { form, problems, ..page }).into_response())
        }
    }
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct AccessForm {
    access: String,
}

/// `POST /orgs/{organization}/settings/synchronizations/{synchronization}/access`
pub(super) async fn change_access(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, id)): Path<(String, String)>,
    Form(AccessForm { access }): Form<AccessForm>,
) -> Result<Response, PageError> {
    let known = parsed(&id)?;
    match app.synchronization_access_change(&frame.actor, &short_name, known, &access).await {
        Ok(()) => Ok(Done::RightsChanged.at(&page_of(&short_name, known)).into_response()),
        Err(failure) => {
            let problems = form::problems(failure)?;
            let page = SynchronizationPage::of(&app, frame, &short_name, &id).await?;
            Ok(Refused(SynchronizationPage { access, problems, ..page }).into_response())
        }
    }
}

/// `POST /orgs/{organization}/settings/synchronizations/{synchronization}/run`
pub(super) async fn run(
    State(app): State<App>,
    By(actor): By,
    Path((short_name, id)): Path<(String, String)>,
) -> Result<Redirect, PageError> {
    let id = parsed(&id)?;
    app.synchronization_run(&actor, &short_name, id).await?;
    Ok(Done::SynchronizationRuns.at(&page_of(&short_name, id)))
}

/// `POST /orgs/{organization}/settings/synchronizations/{synchronization}/webhooks`
pub(super) async fn repair(
    State(app): State<App>,
    By(actor): By,
    Path((short_name, id)): Path<(String, String)>,
) -> Result<Redirect, PageError> {
    let id = parsed(&id)?;
    app.synchronization_webhooks_repair(&actor, &short_name, id).await?;
    Ok(Done::WebhooksRepaired.at(&page_of(&short_name, id)))
}
