//! Settings > Credentials: with what Stave reads repositories and follows workspaces for which nobody lends their own account.

mod view;

pub(crate) use view::Life;

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
use stave_app::{
    App, CredentialForm, CredentialLine, CredentialSaved, CredentialTrial, CredentialView, Failure, Problems,
};
use stave_domain::{
    Timestamp,
    credential::{CredentialKind, StoredCredential},
    id::CredentialId,
    organization::Organization,
    package::Package,
    repository::Repository,
};
use std::borrow::Borrow as _;

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/orgs/{organization}/settings/credentials", get(list).post(create))
        .route("/orgs/{organization}/settings/credentials/new", get(new))
        .route("/orgs/{organization}/settings/credentials/{credential}", get(show).post(update))
        .route("/orgs/{organization}/settings/credentials/{credential}/test", post(test).get(show_again))
        .route("/orgs/{organization}/settings/credentials/{credential}/delete", post(delete).get(show_again))
}

#[derive(Template)]
#[template(path = "credential_list.html")]
struct CredentialList {
    frame: Frame,
    organization: Organization,
    home: String,
    lines: Vec<CredentialLine>,
    now: Timestamp,
    /// The public line of the organization's SSH key.
    ssh_key: String,
}

/// `GET /orgs/{organization}/settings/credentials`
async fn list(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
) -> Result<Page<CredentialList>, PageError> {
    let (organization, lines) = app.credential_list(&frame.actor, &short_name).await?;
    let ssh_key = app.organization_key_show(&frame.actor, &short_name).await?;
    let (home, now) = (home(&organization), app.clock().now());
    Ok(Page(CredentialList { frame, organization, home, lines, now, ssh_key }))
}

/// A new credential.
#[derive(Template)]
#[template(path = "credential_new.html")]
struct NewCredential {
    frame: Frame,
    organization: Organization,
    home: String,
    form: CredentialForm,
    problems: Problems,
    /// Whether it can be stored although something does not look right.
    is_doubtful: bool,
}

impl NewCredential {
    const IS_NEW: bool = true;

    fn kinds() -> Vec<(&'static str, &'static str)> {
        kinds()
    }

    fn secret_hint(&self) -> &'static str {
        if self.form.kept_secret.is_empty() { "It is sealed and cannot be shown again." } else { KEPT }
    }
}

/// `GET /orgs/{organization}/settings/credentials/new`
async fn new(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
) -> Result<Page<NewCredential>, PageError> {
    let organization = app.credential_owner(&frame.actor, &short_name).await?;
    let form = CredentialForm {
        kind: CredentialKind::ApiToken.key().into(),
        host: "bitbucket.org".into(),
        ..CredentialForm::default()
    };
    let (home, problems) = (home(&organization), Problems::default());
    Ok(Page(NewCredential { frame, organization, home, form, problems, is_doubtful: false }))
}

/// `POST /orgs/{organization}/settings/credentials`
async fn create(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
    Form(mut form): Form<CredentialForm>,
) -> Result<Response, PageError> {
    let saved = app.credential_create(&frame.actor, &short_name, &form).await;
    let (problems, is_doubtful) = match refusal(saved, &mut form)? {
        Ok(id) => return Ok(Done::CredentialStored.at(&page(&short_name, id)).into_response()),
        Err(refusal) => refusal,
    };
    let organization = app.credential_owner(&frame.actor, &short_name).await?;
    let form = app.credential_form_kept(&organization, form);
    let home = home(&organization);
    Ok(Refused(NewCredential { frame, organization, home, form, problems, is_doubtful }).into_response())
}

/// A credential: how it fares, its form, and what hangs on it.
#[derive(Template)]
#[template(path = "credential.html")]
struct ShownCredential {
    frame: Frame,
    home: String,
    view: CredentialView,
    now: Timestamp,
    /// What came of the test that was just made.
    trial: Option<CredentialTrial>,
    form: CredentialForm,
    problems: Problems,
    /// Whether it can be stored although something does not look right.
    is_doubtful: bool,
}

impl ShownCredential {
    const IS_NEW: bool = false;

    fn of(app: &App, frame: Frame, view: CredentialView) -> Self {
        let form = CredentialForm::of(&view.credential);
        Self {
            frame,
            home: home(&view.organization),
            view,
            now: app.clock().now(),
            trial: None,
            form,
            problems: Problems::default(),
            is_doubtful: false,
        }
    }

    fn kinds() -> Vec<(&'static str, &'static str)> {
        kinds()
    }

    fn secret_hint(&self) -> &'static str {
        if self.form.kept_secret.is_empty() {
            "Leave it empty to keep the one that is stored. It is sealed and cannot be shown."
        } else {
            KEPT
        }
    }

    fn it(&self) -> &StoredCredential {
        &self.view.credential
    }

    fn page(&self) -> String {
        format!("{}/settings/credentials/{}", self.home, self.it().id)
    }

    fn below(&self, action: &str) -> String {
        format!("{}/{action}", self.page())
    }

    /// How it ends, if that is soon.
    fn warning(&self) -> Option<Life> {
        Life::of(self.it(), &self.now).filter(|life| !life.tone.is_empty())
    }

    fn account(&self) -> Option<&str> {
        self.it().seen.as_ref()?.account.as_deref()
    }

    /// Whether it works, but nobody knows for what.
    fn hides_powers(&self) -> bool {
        self.it().seen.as_ref().is_some_and(|seen| seen.scopes.is_empty())
    }

    fn powers(&self) -> Vec<(&'static str, &'static str, String)> {
        view::powers(self.it())
    }

    /// The first ones that are read with it: a workspace may have thousands.
    fn packages(&self) -> &[(Package, Option<Repository>)] {
        &self.view.packages[..self.view.packages.len().min(SHOWN)]
    }

    fn more_packages(&self) -> usize {
        self.view.packages.len().saturating_sub(SHOWN)
    }

    fn replacements(&self) -> Vec<(String, String)> {
        let choice = |other: &StoredCredential| (other.id.to_string(), other.description.clone());
        self.view.replacements.iter().map(choice).collect()
    }
}

/// Packages on the page of a credential.
const SHOWN: usize = 50;

const KEPT: &str = "The secret that you pasted is kept. Paste another one to replace it.";

/// `GET /orgs/{organization}/settings/credentials/{credential}`
async fn show(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, id)): Path<(String, String)>,
) -> Result<Page<ShownCredential>, PageError> {
    let view = app.credential_show(&frame.actor, &short_name, parsed(&id)?).await?;
    Ok(Page(ShownCredential::of(&app, frame, view)))
}

/// `POST /orgs/{organization}/settings/credentials/{credential}`
async fn update(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, id)): Path<(String, String)>,
    Form(mut form): Form<CredentialForm>,
) -> Result<Response, PageError> {
    let id = parsed(&id)?;
    let saved = app.credential_update(&frame.actor, &short_name, id, &form).await;
    let (problems, is_doubtful) = match refusal(saved, &mut form)? {
        Ok(id) => return Ok(Done::Saved.at(&page(&short_name, id)).into_response()),
        Err(refusal) => refusal,
    };
    let view = app.credential_show(&frame.actor, &short_name, id).await?;
    let form = app.credential_form_kept(&view.organization, form);
    let shown = ShownCredential::of(&app, frame, view);
    Ok(Refused(ShownCredential { form, problems, is_doubtful, ..shown }).into_response())
}

/// `POST /orgs/{organization}/settings/credentials/{credential}/test`
async fn test(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, id)): Path<(String, String)>,
) -> Result<Page<ShownCredential>, PageError> {
    let (view, trial) = app.credential_test(&frame.actor, &short_name, parsed(&id)?).await?;
    let shown = ShownCredential::of(&app, frame, view);
    Ok(Page(ShownCredential { trial: Some(trial), ..shown }))
}

/// Who reloads the page that a button led to, or comes back to it after a log-in.
async fn show_again(Path((short_name, id)): Path<(String, String)>) -> Result<Redirect, PageError> {
    Ok(Redirect::to(&page(&short_name, parsed(&id)?)))
}

/// What is chosen when a credential is deleted that is in use.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Deletion {
    replacement: String,
}

/// `POST /orgs/{organization}/settings/credentials/{credential}/delete`
async fn delete(
    State(app): State<App>,
    By(actor): By,
    Path((short_name, id)): Path<(String, String)>,
    Form(Deletion { replacement }): Form<Deletion>,
) -> Result<Redirect, PageError> {
    app.credential_delete(&actor, &short_name, parsed(&id)?, &replacement).await?;
    Ok(Done::Deleted.at(&credentials(&short_name)))
}

/// The id of what was stored; or what is wrong, whether it can be stored all the same, and in the form the kind that fits better.
fn refusal(
    saved: Result<CredentialSaved, Failure>,
    form: &mut CredentialForm,
) -> Result<Result<CredentialId, (Problems, bool)>, PageError> {
    match saved {
        Ok(CredentialSaved::Saved(id)) => Ok(Ok(id)),
        Ok(CredentialSaved::Doubtful { problems, kind }) => {
            if let Some(kind) = kind {
                form.kind = kind.key().into();
            }
            Ok(Err((problems, true)))
        }
        Err(failure) => Ok(Err((form::problems(failure)?, false))),
    }
}

fn kinds() -> Vec<(&'static str, &'static str)> {
    CredentialKind::ALL.into_iter().map(|kind| (kind.key(), kind.label())).collect()
}

fn credentials(short_name: &str) -> String {
    format!("{}/settings/credentials", address(short_name))
}

fn page(short_name: &str, id: CredentialId) -> String {
    format!("{}/{id}", credentials(short_name))
}

fn parsed(id: &str) -> Result<CredentialId, Failure> {
    id.parse().map_err(|_| Failure::NotFound("credential"))
}

#[cfg(test)]
mod tests;
