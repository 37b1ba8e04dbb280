//! The applications of a website that speak OpenID Connect: a new one, its page with its texts, its secrets, its end.

use super::{
    place::{Place, Visit},
    text::{self, Text},
};
use crate::{
    done::Done,
    error::PageError,
    form::{self, Form},
    frame::Frame,
    handover,
    page::{Page, Refused},
};
use askama::Template;
use axum::{
    Router,
    extract::{Path, State},
    http::HeaderMap,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use stave_app::{App, ClientForm, Failure, Problems};
use stave_domain::{
    Secret,
    id::WebsiteClientId,
    website::{Client, ClientKind},
};

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/clients", get(list).post(create))
        .route("/clients/new", get(new))
        .route("/clients/{client}", get(show))
        .route("/clients/{client}/edit", get(edit).post(update))
        .route("/clients/{client}/secret", post(make_secret).get(show_again))
        .route("/clients/{client}/secret/retire", post(retire_secret).get(show_again))
        .route("/clients/{client}/delete", post(delete).get(show_again))
}

/// The form of a client: of a new one if `client` is `None`.
#[derive(Template)]
#[template(path = "website/client_form.html")]
struct ClientFormPage {
    frame: Frame,
    place: Place,
    client: Option<Client>,
    form: ClientForm,
    problems: Problems,
}

impl ClientFormPage {
    fn new(Visit { frame, place }: Visit, client: Option<Client>, form: ClientForm) -> Self {
        Self { frame, place, client, form, problems: Problems::default() }
    }

    fn action(&self) -> String {
        let clients = format!("{}/clients", self.place.base());
        self.client.as_ref().map_or(clients.clone(), |client| format!("{clients}/{}/edit", client.id))
    }

    /// Where Cancel leads.
    fn back(&self) -> String {
        let list = list_of(&self.place);
        self.client.as_ref().map_or(list, |client| page_of(&self.place, client.id))
    }

    fn is_browser(&self) -> bool {
        self.client.as_ref().is_some_and(|client| client.kind == ClientKind::Browser)
    }

    fn kinds() -> Vec<(String, String)> {
        vec![
            (ClientKind::Confidential.key().into(), "On a server: it keeps a secret".into()),
            (ClientKind::Browser.key().into(), "In a browser: everybody can read it, so it has none".into()),
        ]
    }
}

/// A client and the texts that are made for it.
#[derive(Template)]
#[template(path = "website/client.html")]
struct ClientPage {
    frame: Frame,
    place: Place,
    client: Client,
    /// Shown this once.
    secret: Option<Secret>,
    texts: Vec<Text>,
    scopes: String,
    problems: Problems,
}

impl ClientPage {
    fn of(
        app: &App,
        Visit { frame, place }: Visit,
        client: Client,
        secret: Option<Secret>,
    ) -> Result<Self, Failure> {
        let texts = text::of_client(app, &place, &client, secret.as_ref()).map_err(Failure::internal)?;
        let scopes = text::scopes(&client);
        Ok(Self { frame, place, client, secret, texts, scopes, problems: Problems::default() })
    }

    fn is_on_server(&self) -> bool {
        self.client.kind == ClientKind::Confidential
    }

    fn action(&self, verb: &str) -> String {
        format!("{}/{verb}", page_of(&self.place, self.client.id))
    }
}

/// `GET /orgs/{organization}/websites/{website}/clients`: they are listed on the page of OpenID Connect.
async fn list(visit: Visit) -> Redirect {
    Redirect::to(&list_of(&visit.place))
}

/// `GET /orgs/{organization}/websites/{website}/clients/new`
async fn new(visit: Visit) -> Page<ClientFormPage> {
    Page(ClientFormPage::new(visit, None, ClientForm::new()))
}

/// `POST /orgs/{organization}/websites/{website}/clients`: the page of the client then shows its secret once.
async fn create(
    State(app): State<App>,
    visit: Visit,
    Form(form): Form<ClientForm>,
) -> Result<Response, PageError> {
    let (organization, website) = visit.place.names();
    match app.website_client_create(&visit.frame.actor, organization, website, &form).await {
        Ok(made) => {
            let page = page_of(&visit.place, made.client.id);
            let there = Redirect::to(&page);
            Ok(match &made.secret {
                Some(secret) => handover::carry(&app, secret, &page, there),
                None => there.into_response(),
            })
        }
        Err(failure) => {
            let problems = form::problems(failure)?;
            let page = ClientFormPage::new(visit, None, form);
            Ok(Refused(ClientFormPage { problems, ..page }).into_response())
        }
    }
}

/// `GET /orgs/{organization}/websites/{website}/clients/{client}`; a secret that was made just now is shown this once.
async fn show(
    State(app): State<App>,
    visit: Visit,
    headers: HeaderMap,
    Path(named): Path<Named>,
) -> Result<Response, PageError> {
    let client = named.find(&app, &visit).await?;
    let page = page_of(&visit.place, client.id);
    let secret = client.secrets.first().and_then(|held| handover::fetch(&app, &headers, &page, &held.hash));
    let is_shown = secret.is_some();
    let page = Page(ClientPage::of(&app, visit, client, secret)?);
    Ok(if is_shown { (handover::end(&app), page).into_response() } else { page.into_response() })
}

/// `GET /orgs/{organization}/websites/{website}/clients/{client}/edit`
async fn edit(
    State(app): State<App>,
    visit: Visit,
    Path(named): Path<Named>,
) -> Result<Page<ClientFormPage>, PageError> {
    let client = named.find(&app, &visit).await?;
    let form = ClientForm::of(&client);
    Ok(Page(ClientFormPage::new(visit, Some(client), form)))
}

/// `POST /orgs/{organization}/websites/{website}/clients/{client}/edit`
async fn update(
    State(app): State<App>,
    visit: Visit,
    Path(named): Path<Named>,
    Form(form): Form<ClientForm>,
) -> Result<Response, PageError> {
    let client = named.find(&app, &visit).await?;
    match app.website_client_update(&visit.frame.actor, visit.place.names(), client.id, &form).await {
        Ok(()) => Ok(Done::Saved.at(&page_of(&visit.place, client.id)).into_response()),
        Err(failure) => {
            let problems = form::problems(failure)?;
            let page = ClientFormPage::new(visit, Some(client), form);
            Ok(Refused(ClientFormPage { problems, ..page }).into_response())
        }
    }
}

/// `POST /orgs/{organization}/websites/{website}/clients/{client}/secret`: the page then shows it once.
async fn make_secret(
    State(app): State<App>,
    visit: Visit,
    Path(named): Path<Named>,
) -> Result<Response, PageError> {
    let client = named.find(&app, &visit).await?;
    let made = app.website_client_secret_add(&visit.frame.actor, visit.place.names(), client.id).await;
    match made {
        Ok(secret) => {
            let page = page_of(&visit.place, client.id);
            Ok(handover::carry(&app, &secret, &page, Redirect::to(&page)))
        }
        Err(failure) => {
            let problems = form::problems(failure)?;
            let page = ClientPage::of(&app, visit, client, None)?;
            Ok(Refused(ClientPage { problems, ..page }).into_response())
        }
    }
}

/// `POST /orgs/{organization}/websites/{website}/clients/{client}/secret/retire`
async fn retire_secret(
    State(app): State<App>,
    Visit { frame, place }: Visit,
    Path(named): Path<Named>,
) -> Result<Redirect, PageError> {
    app.website_client_secret_retire(&frame.actor, place.names(), named.id()?).await?;
    Ok(Done::SecretRemoved.at(&page_of(&place, named.id()?)))
}

/// `POST /orgs/{organization}/websites/{website}/clients/{client}/delete`
async fn delete(
    State(app): State<App>,
    Visit { frame, place }: Visit,
    Path(named): Path<Named>,
) -> Result<Redirect, PageError> {
    app.website_client_delete(&frame.actor, place.names(), named.id()?).await?;
    Ok(Done::Deleted.at(&list_of(&place)))
}

/// A form's address that was opened again: the page of the client is still there.
async fn show_again(Visit { place, .. }: Visit, Path(named): Path<Named>) -> Result<Redirect, PageError> {
    Ok(Redirect::to(&page_of(&place, named.id()?)))
}

/// Which client.
#[derive(serde::Deserialize)]
struct Named {
    client: String,
}

impl Named {
    fn id(&self) -> Result<WebsiteClientId, Failure> {
        self.client.parse().map_err(|_| Failure::NotFound("application"))
    }

    async fn find(&self, app: &App, Visit { frame, place }: &Visit) -> Result<Client, Failure> {
        let (organization, website) = place.names();
        let (id, all) = (self.id()?, app.website_client_list(&frame.actor, organization, website).await?);
        all.into_iter().find(|client| client.id == id).ok_or(Failure::NotFound("application"))
    }
}

fn list_of(place: &Place) -> String {
    format!("{}/connect/openid", place.base())
}

fn page_of(place: &Place, client: WebsiteClientId) -> String {
    format!("{}/clients/{client}", place.base())
}
