//! Settings > Credentials: how Stave reads repositories that no connected account can.

use crate::{
    actor::By,
    done::Done,
    error::PageError,
    form::{self, Form},
    frame::{Frame, home},
    organization::address,
    page::{Page, Refused},
};
use askama::Template;
use axum::{
    Router,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use stave_app::{App, CredentialForm, Failure, Problems};
use stave_domain::{
    Secret, credential::StoredCredential, id::CredentialId, organization::Organization, package::Package,
};

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/orgs/{organization}/settings/credentials", get(list).post(create))
        .route("/orgs/{organization}/settings/credentials/new", get(new))
        .route("/orgs/{organization}/settings/credentials/{credential}", get(edit).post(update))
        .route("/orgs/{organization}/settings/credentials/{credential}/delete", post(delete))
}

#[derive(Template)]
#[template(path = "credential_list.html")]
struct CredentialList {
    frame: Frame,
    organization: Organization,
    home: String,
    credentials: Vec<StoredCredential>,
    /// The public line of the organization's SSH key.
    ssh_key: String,
}

/// `GET /orgs/{organization}/settings/credentials`
async fn list(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
) -> Result<Page<CredentialList>, PageError> {
    let (organization, credentials) = app.credential_list(&frame.actor, &short_name).await?;
    let ssh_key = app.organization_key_show(&frame.actor, &short_name).await?;
    let home = home(&organization);
    Ok(Page(CredentialList { frame, organization, home, credentials, ssh_key }))
}

/// The form of a credential, for a new one and for one that exists.
#[derive(Template)]
#[template(path = "credential_form.html")]
struct CredentialFormPage {
    frame: Frame,
    organization: Organization,
    home: String,
    /// The credential that is changed; `None` is a new one.
    credential: Option<StoredCredential>,
    /// The packages that are read with it.
    packages: Vec<Package>,
    form: CredentialForm,
    problems: Problems,
}

impl CredentialFormPage {
    async fn of_new(
        app: &App,
        frame: Frame,
        short_name: &str,
        form: CredentialForm,
    ) -> Result<Self, Failure> {
        let (organization, _) = app.credential_list(&frame.actor, short_name).await?;
        let home = home(&organization);
        let (credential, packages, problems) = (None, Vec::new(), Problems::default());
        Ok(Self { frame, organization, home, credential, packages, form, problems })
    }

    /// The form is what was typed, or else what is stored.
    async fn of(
        app: &App,
        frame: Frame,
        short_name: &str,
        id: CredentialId,
        form: Option<CredentialForm>,
    ) -> Result<Self, Failure> {
        let (organization, credential, packages) = app.credential_show(&frame.actor, short_name, id).await?;
        let form = form.unwrap_or_else(|| CredentialForm {
            description: credential.description.clone(),
            host: credential.host.clone(),
            username: credential.username.clone(),
            secret: Secret::default(),
        });
        let home = home(&organization);
        Ok(Self {
            frame,
            organization,
            home,
            credential: Some(credential),
            packages,
            form,
            problems: Problems::default(),
        })
    }

    fn delete_action(&self) -> String {
        format!("{}/delete", self.action())
    }

    fn action(&self) -> String {
        match &self.credential {
            Some(credential) => format!("{}/settings/credentials/{}", self.home, credential.id),
            None => format!("{}/settings/credentials", self.home),
        }
    }
}

/// `GET /orgs/{organization}/settings/credentials/new`
async fn new(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
) -> Result<Page<CredentialFormPage>, PageError> {
    let form = CredentialForm { host: "bitbucket.org".into(), ..CredentialForm::default() };
    Ok(Page(CredentialFormPage::of_new(&app, frame, &short_name, form).await?))
}

/// `POST /orgs/{organization}/settings/credentials`
async fn create(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
    Form(form): Form<CredentialForm>,
) -> Result<Response, PageError> {
    match app.credential_create(&frame.actor, &short_name, &form).await {
        Ok(()) => Ok(Done::Saved.at(&credentials(&short_name)).into_response()),
        Err(failure) => {
            let problems = form::problems(failure)?;
            let page = CredentialFormPage::of_new(&app, frame, &short_name, form).await?;
            Ok(Refused(CredentialFormPage { problems, ..page }).into_response())
        }
    }
}

/// `GET /orgs/{organization}/settings/credentials/{credential}`
async fn edit(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, id)): Path<(String, String)>,
) -> Result<Page<CredentialFormPage>, PageError> {
    Ok(Page(CredentialFormPage::of(&app, frame, &short_name, parsed(&id)?, None).await?))
}

/// `POST /orgs/{organization}/settings/credentials/{credential}`
async fn update(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, id)): Path<(String, String)>,
    Form(form): Form<CredentialForm>,
) -> Result<Response, PageError> {
    let id = parsed(&id)?;
    match app.credential_update(&frame.actor, &short_name, id, &form).await {
        Ok(()) => Ok(Done::Saved.at(&credentials(&short_name)).into_response()),
        Err(failure) => {
            let problems = form::problems(failure)?;
            let page = CredentialFormPage::of(&app, frame, &short_name, id, Some(form)).await?;
            Ok(Refused(CredentialFormPage { problems, ..page }).into_response())
        }
    }
}

/// `POST /orgs/{organization}/settings/credentials/{credential}/delete`
async fn delete(
    State(app): State<App>,
    By(actor): By,
    Path((short_name, id)): Path<(String, String)>,
) -> Result<Redirect, PageError> {
    app.credential_delete(&actor, &short_name, parsed(&id)?).await?;
    Ok(Done::Deleted.at(&credentials(&short_name)))
}

fn credentials(short_name: &str) -> String {
    format!("{}/settings/credentials", address(short_name))
}

fn parsed(id: &str) -> Result<CredentialId, Failure> {
    id.parse().map_err(|_| Failure::NotFound("credential"))
}
