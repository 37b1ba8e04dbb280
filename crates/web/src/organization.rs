//! An organization: making one, its Overview, its general settings.

use crate::{
    actor::By,
    composer_auth::ComposerAuth,
    done::Done,
    error::PageError,
    form::{self, Form},
    frame::{Frame, home},
    handover,
    page::{Page, Refused},
    synchronization,
};
use askama::Template;
use axum::{
    Router,
    extract::{Path, Query, State},
    http::HeaderMap,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use stave_app::{App, Failure, OrganizationForm, OrganizationView, Problems, WorkspaceChoice};
use stave_domain::{
    Secret,
    organization::{Organization, Role, ShortName},
    synchronization::Workspace,
};

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/orgs/new", get(new).post(create))
        .route("/orgs/{organization}", get(show))
        .route("/orgs/{organization}/token", get(show_again).post(make_token))
        .route("/orgs/{organization}/settings", get(settings))
        .route("/orgs/{organization}/settings/general", get(edit).post(rename))
        .route("/orgs/{organization}/settings/general/delete", get(ask).post(delete))
}

#[derive(Template)]
#[template(path = "organization_new.html")]
struct NewOrganization {
    frame: Frame,
    form: OrganizationForm,
    problems: Problems,
    /// Where its address begins.
    address: String,
    /// The workspace that it follows; nothing is chosen unless it is made from one.
    choice: WorkspaceChoice,
}

impl NewOrganization {
    fn has_choice(&self) -> bool {
        !self.choice.workspace.is_empty()
    }
}

/// What is typed into the form of a new organization.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct NewForm {
    name: String,
    short_name: String,
    integration: String,
    access: String,
    workspace: String,
}

impl NewForm {
    fn parts(self) -> (OrganizationForm, WorkspaceChoice) {
        let Self { name, short_name, integration, access, workspace } = self;
        (OrganizationForm { name, short_name }, WorkspaceChoice { integration, access, workspace })
    }
}

/// `GET /orgs/new`; with a workspace in the query its form is filled with what that is called.
async fn new(
    State(app): State<App>,
    frame: Frame,
    Query(choice): Query<WorkspaceChoice>,
) -> Result<Page<NewOrganization>, PageError> {
    frame.actor.user()?;
    if !app.organization_may_create(&frame.actor).await? {
        return Err(Failure::Denied(
            "Only admins create organizations here. Ask one to create it for you.".into(),
        )
        .into());
    }
    let mut page = NewOrganization {
        frame,
        form: OrganizationForm::default(),
        problems: Problems::default(),
        address: app.address("/orgs/"),
        choice,
    };
    if page.has_choice() {
        match app.workspace_choose_new(&page.frame.actor, &page.choice).await {
            Ok(chosen) => page.form = form_of(&chosen.workspace),
            Err(failure) => page.problems = as_a_whole(&form::problems(failure)?),
        }
    }
    Ok(Page(page))
}

/// What is wrong with a choice, where its fields are not shown.
fn as_a_whole(problems: &Problems) -> Problems {
    let sentences: Vec<_> = problems.iter().map(|(_, sentence)| sentence).collect();
    let mut whole = Problems::default();
    whole.add("", sentences.join(" "));
    whole
}

/// What an organization may be called that follows a workspace.
fn form_of(workspace: &Workspace) -> OrganizationForm {
    let short_name: String = workspace
        .key
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
        .collect();
    let words: Vec<_> = short_name.split('-').filter(|word| !word.is_empty()).collect();
    OrganizationForm { name: workspace.title().to_owned(), short_name: words.join("-") }
}

/// `POST /orgs/new`
async fn create(
    State(app): State<App>,
    frame: Frame,
    Form(form): Form<NewForm>,
) -> Result<Response, PageError> {
    let (form, choice) = form.parts();
    let created = if choice.workspace.is_empty() {
        let created = app.organization_create(&frame.actor, &form).await;
        created.map(|organization| Done::OrganizationCreated.at(&home(&organization)))
    } else {
        let created = app.organization_create_from(&frame.actor, &form, &choice).await;
        created.map(|(organization, id)| {
            Done::SynchronizationBegun.at(&synchronization::page_in(&organization, id))
        })
    };
    match created {
        Ok(redirect) => Ok(redirect.into_response()),
        Err(failure) => {
            let problems = form::problems(failure)?;
            let address = app.address("/orgs/");
            Ok(Refused(NewOrganization { frame, form, problems, address, choice }).into_response())
        }
    }
}

#[derive(Template)]
#[template(path = "organization.html")]
struct Overview {
    frame: Frame,
    view: OrganizationView,
    home: String,
    auth: ComposerAuth,
    /// What the second line does: it names the repository in composer.json.
    configure: String,
    /// What the third line installs.
    require: String,
    /// Whether Composer has to be told to accept plain http.
    is_http: bool,
    /// `COMPOSER_AUTH` for machines, without its token.
    environment: String,
    /// Where the button sends that makes a token.
    token_action: String,
    /// Whether `auth` holds a token that was made just now.
    is_token_new: bool,
}

impl Overview {
    fn of(app: &App, frame: Frame, view: OrganizationView, made: Option<Secret>) -> Result<Self, Failure> {
        let username = frame.actor.user()?.username.to_string();
        let is_token_new = made.is_some();
        let auth = made.map_or_else(
            || ComposerAuth::unknown(app.url(), &username),
            |token| ComposerAuth::of(app.url(), &username, token),
        );
        let is_http = app.url().scheme() == "http";
        let example = view.example.as_ref().map_or_else(|| "vendor/package".to_owned(), ToString::to_string);
        let home = home(&view.organization);
        let environment =
            format!("COMPOSER_AUTH='{}'", ComposerAuth::unknown(app.url(), "token").environment());
        Ok(Self {
            token_action: format!("{home}/token"),
            home,
            environment,
            configure: configure(&view, is_http),
            require: format!("composer require {example}"),
            is_token_new,
            frame,
            view,
            auth,
            is_http,
        })
    }

    fn is_manager(&self) -> bool {
        self.view.role >= Role::Admin
    }
}

/// Composer refuses plain http, on this machine too, until the project allows it.
fn configure(view: &OrganizationView, is_http: bool) -> String {
    let allow = if is_http { "composer config secure-http false && " } else { "" };
    let name = &view.organization.short_name;
    format!(
        "test -e composer.json || echo '{{}}' > composer.json && {allow}composer config repositories.{name} composer {}",
        view.repository_url
    )
}

/// `GET /orgs/{organization}`; a token that was made here is shown this once.
async fn show(
    State(app): State<App>,
    frame: Frame,
    headers: HeaderMap,
    Path(short_name): Path<String>,
) -> Result<Response, PageError> {
    let view = app.organization_show(&frame.actor, &short_name).await?;
    let token = app.user_token_find(&frame.actor).await?;
    let made = token.and_then(|token| handover::receive(&app, &headers, &home(&view.organization), &token));
    let is_shown = made.is_some();
    let page = Page(Overview::of(&app, frame, view, made)?);
    Ok(if is_shown { (handover::end(&app), page).into_response() } else { page.into_response() })
}

/// `POST /orgs/{organization}/token`: the Overview then shows it once.
async fn make_token(
    State(app): State<App>,
    By(actor): By,
    Path(short_name): Path<String>,
) -> Result<Response, PageError> {
    let view = app.organization_show(&actor, &short_name).await?;
    let made = app.user_token_regenerate(&actor).await?;
    Ok(handover::send(&app, &made, &home(&view.organization), view.has_token))
}

/// `GET /orgs/{organization}/token`: the token was shown once, the Overview is still there.
async fn show_again(Path(short_name): Path<String>) -> Redirect {
    Redirect::to(&address(&short_name))
}

/// `GET /orgs/{organization}/settings`
async fn settings(Path(short_name): Path<String>) -> Redirect {
    Redirect::to(&format!("{}/settings/general", address(&short_name)))
}

#[derive(Template)]
#[template(path = "organization_edit.html")]
struct GeneralSettings {
    frame: Frame,
    organization: Organization,
    home: String,
    repository_url: String,
    /// Whether the actor may rename and delete it.
    is_owned: bool,
    /// The name as it was typed.
    typed: String,
    problems: Problems,
}

#[derive(serde::Deserialize)]
struct RenameForm {
    #[serde(default)]
    name: String,
}

/// `GET /orgs/{organization}/settings/general`
async fn edit(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
) -> Result<Page<GeneralSettings>, PageError> {
    let (organization, is_owned) = app.organization_settings(&frame.actor, &short_name).await?;
    let name = organization.name.clone();
    Ok(Page(general(&app, frame, (organization, is_owned), name, Problems::default())))
}

/// `POST /orgs/{organization}/settings/general`
async fn rename(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
    Form(form): Form<RenameForm>,
) -> Result<Response, PageError> {
    match app.organization_rename(&frame.actor, &short_name, &form.name).await {
        Ok(()) => Ok(Done::Saved.at(&format!("{}/settings/general", address(&short_name))).into_response()),
        Err(failure) => {
            let problems = form::problems(failure)?;
            let settings = app.organization_settings(&frame.actor, &short_name).await?;
            Ok(Refused(general(&app, frame, settings, form.name, problems)).into_response())
        }
    }
}

fn general(
    app: &App,
    frame: Frame,
    (organization, is_owned): (Organization, bool),
    typed: String,
    problems: Problems,
) -> GeneralSettings {
    let (home, repository_url) = (home(&organization), app.repository_url(&organization));
    GeneralSettings { frame, organization, home, repository_url, is_owned, typed, problems }
}

#[derive(Template)]
#[template(path = "organization_delete.html")]
struct DeleteOrganization {
    frame: Frame,
    organization: Organization,
    home: String,
    repository_url: String,
    packages: u64,
}

/// `GET /orgs/{organization}/settings/general/delete`: what would go with it.
async fn ask(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
) -> Result<Page<DeleteOrganization>, PageError> {
    let (organization, packages) = app.organization_effect(&frame.actor, &short_name).await?;
    let (home, repository_url) = (home(&organization), app.repository_url(&organization));
    Ok(Page(DeleteOrganization { frame, organization, home, repository_url, packages }))
}

/// `POST /orgs/{organization}/settings/general/delete`
async fn delete(
    State(app): State<App>,
    By(actor): By,
    Path(short_name): Path<String>,
) -> Result<Redirect, PageError> {
    app.organization_delete(&actor, &short_name).await?;
    Ok(Done::Deleted.at("/"))
}

/// The address of the Overview, by what stood in the address that was asked for; what is no name leads to the start page.
pub(crate) fn address(short_name: &str) -> String {
    short_name.parse::<ShortName>().map_or_else(|_| "/".to_owned(), |name| format!("/orgs/{name}"))
}

#[cfg(test)]
mod tests {
    use crate::testing::TestSite;
    use axum::http::StatusCode;

    const GENERAL: &str = "/orgs/acme/settings/general";
    const DELETE: &str = "/orgs/acme/settings/general/delete";

    #[tokio::test]
    async fn admins_manage_all_but_the_organization_itself() {
        let (site, bitbucket, [_, mut grace]) = TestSite::with_acme().await;
        let mut linus = site.browser();
        linus.register(&bitbucket, "linus").await;
        let make = |role| [("who", "linus"), ("role", role)];
        grace.post("/orgs/acme/teams", &make("member")).await;
        let refused = linus.get(GENERAL).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert!(refused.body.contains("Only owners and admins of the organization may do this."));
        assert!(!linus.get("/orgs/acme").await.body.contains(GENERAL));

        grace.post("/orgs/acme/teams", &make("admin")).await;
        assert!(linus.get("/orgs/acme").await.body.contains(GENERAL));
        for section in ["access", "integrations", "credentials", "tokens", "log"] {
            let seen = linus.get(&format!("/orgs/acme/settings/{section}")).await;
            assert_eq!(seen.status, StatusCode::OK, "{section}: {}", seen.body);
        }
        let general = linus.get(GENERAL).await;
        assert_eq!(general.status, StatusCode::OK);
        assert!(general.body.contains("Only owners rename or delete the organization."));
        assert!(!general.body.contains(DELETE));
        for refused in [
            linus.post(GENERAL, &[("name", "Mine")]).await,
            linus.get(DELETE).await,
            linus.post(DELETE, &[]).await,
        ] {
            assert_eq!(refused.status, StatusCode::FORBIDDEN);
            let sentence = "Only owners of the organization may do this.";
            assert!(refused.body.contains(sentence), "{}", refused.body);
        }
        let of_owner = grace.get(GENERAL).await.body;
        assert!(of_owner.contains(DELETE) && !of_owner.contains("Only owners rename"), "{of_owner}");
        let renamed = grace.post(GENERAL, &[("name", "Acme Corp")]).await;
        assert_eq!(renamed.status, StatusCode::SEE_OTHER);
        assert!(grace.get(GENERAL).await.body.contains("Acme Corp"));
    }
}
