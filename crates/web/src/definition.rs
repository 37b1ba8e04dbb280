//! Custom packages: the form in which somebody types one as JSON.

use crate::{
    done::Done,
    error::PageError,
    form::{self, Form},
    frame::{Frame, home},
    package::page_of as package_page,
    page::{Page, Refused},
};
use askama::Template;
use axum::{
    Router,
    extract::{Path, State},
    response::{IntoResponse, Response},
    routing::get,
};
use stave_app::{App, DefinitionForm, Failure, Problems};
use stave_domain::{id::PackageId, organization::Organization, package::Package};

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/orgs/{organization}/packages/new/custom", get(new).post(create))
        .route("/orgs/{organization}/packages/{package}/custom", get(edit).post(change))
}

#[derive(Template)]
#[template(path = "definition.html")]
struct DefinitionPage {
    frame: Frame,
    organization: Organization,
    home: String,
    /// The package that is changed; `None` is a new one.
    package: Option<Package>,
    form: DefinitionForm,
    problems: Problems,
    choices: Vec<(String, String)>,
}

impl DefinitionPage {
    async fn of(app: &App, frame: Frame, short_name: &str, form: DefinitionForm) -> Result<Self, Failure> {
        let choices = app.definition_credentials(&frame.actor, short_name).await?;
        let choices = choices.into_iter().map(|choice| (choice.value, choice.label)).collect();
        let organization = app.organization_extended(&frame.actor, short_name).await?;
        let home = home(&organization);
        Ok(Self { frame, organization, home, package: None, form, problems: Problems::default(), choices })
    }

    fn action(&self) -> String {
        match &self.package {
            Some(package) => format!("{}/packages/{}/custom", self.home, package.id),
            None => format!("{}/packages/new/custom", self.home),
        }
    }

    fn back(&self) -> String {
        match &self.package {
            Some(package) => format!("{}/packages/{}", self.home, package.id),
            None => format!("{}/packages", self.home),
        }
    }

    /// Whether there is anything to choose from.
    fn has_credentials(&self) -> bool {
        self.choices.len() > 1
    }
}

/// `GET /orgs/{organization}/packages/new/custom`
async fn new(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
) -> Result<Page<DefinitionPage>, PageError> {
    Ok(Page(DefinitionPage::of(&app, frame, &short_name, DefinitionForm::default()).await?))
}

/// `POST /orgs/{organization}/packages/new/custom`
async fn create(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
    Form(form): Form<DefinitionForm>,
) -> Result<Response, PageError> {
    match app.definition_create(&frame.actor, &short_name, &form).await {
        Ok(package) => Ok(Done::CustomPackageAdded.at(&package_page(&short_name, package)).into_response()),
        Err(failure) => {
            let problems = form::problems(failure)?;
            let page = DefinitionPage::of(&app, frame, &short_name, form).await?;
            Ok(Refused(DefinitionPage { problems, ..page }).into_response())
        }
    }
}

/// `GET /orgs/{organization}/packages/{package}/custom`
async fn edit(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, id)): Path<(String, String)>,
) -> Result<Page<DefinitionPage>, PageError> {
    let (_, package, form) = app.definition_show(&frame.actor, &short_name, parsed(&id)?).await?;
    let page = DefinitionPage::of(&app, frame, &short_name, form).await?;
    Ok(Page(DefinitionPage { package: Some(package), ..page }))
}

/// `POST /orgs/{organization}/packages/{package}/custom`
async fn change(
    State(app): State<App>,
    frame: Frame,
    Path((short_name, id)): Path<(String, String)>,
    Form(form): Form<DefinitionForm>,
) -> Result<Response, PageError> {
    let id = parsed(&id)?;
    match app.definition_change(&frame.actor, &short_name, id, &form).await {
        Ok(()) => Ok(Done::Saved.at(&package_page(&short_name, id)).into_response()),
        Err(failure) => {
            let problems = form::problems(failure)?;
            let (_, package, _) = app.definition_show(&frame.actor, &short_name, id).await?;
            let page = DefinitionPage::of(&app, frame, &short_name, form).await?;
            Ok(Refused(DefinitionPage { package: Some(package), problems, ..page }).into_response())
        }
    }
}

fn parsed(id: &str) -> Result<PackageId, Failure> {
    id.parse().map_err(|_| Failure::NotFound("package"))
}

#[cfg(test)]
mod tests {
    use crate::testing::TestSite;
    use axum::http::StatusCode;

    const NEW: &str = "/orgs/acme/packages/new/custom";
    const PAID: &str = r#"{"name": "acme/paid", "version": "1.0.0", "description": "Paid for",
        "require": {"php": ">=8"}, "dist": {"type": "zip", "url": "https://x.example/paid.zip"}}"#;

    #[tokio::test]
    async fn a_custom_package_is_added_changed_and_deleted() {
        let (site, _bitbucket, [_, mut grace]) = TestSite::with_acme().await;
        let made = grace.post(NEW, &[("json", PAID), ("credential", "")]).await;
        assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.body);
        let address = made.location.split('?').next().unwrap().to_owned();
        let page = grace.get(&made.location).await;
        assert!(page.body.contains("acme/paid") && page.body.contains("1.0.0"), "{}", page.body);
        let p2 = async |grace: &mut crate::testing::Browser| {
            let token = site.token_of(grace).await;
            let request = axum::http::Request::get("/repo/acme/p2/acme/paid.json")
                .header("authorization", format!("Bearer {token}"));
            grace.send(request, "").await
        };
        assert_eq!(p2(&mut grace).await.status, StatusCode::OK);

        let edit = format!("{address}/custom");
        let form = grace.get(&edit).await;
        assert!(form.body.contains("Paid for") && form.body.contains("Save"), "{}", form.body);
        let again = grace.post(NEW, &[("json", PAID)]).await;
        assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            again.body.contains("The organization has acme/paid already, as a custom package."),
            "{}",
            again.body
        );
        let renamed = grace.post(&edit, &[("json", &PAID.replace("acme/paid", "acme/free"))]).await;
        assert!(renamed.body.contains("This package is called acme/paid."), "{}", renamed.body);
        let changed = grace.post(&edit, &[("json", &PAID.replace("1.0.0", "1.1.0"))]).await;
        assert_eq!(changed.location, format!("{address}?done=saved"), "{}", changed.body);
        let page = grace.get(&address).await;
        assert!(page.body.contains("1.1.0") && !page.body.contains("1.0.0"), "{}", page.body);

        assert_eq!(grace.post(&format!("{address}/delete"), &[]).await.status, StatusCode::SEE_OTHER);
        assert_eq!(p2(&mut grace).await.status, StatusCode::NOT_FOUND);
    }

    #[tokio::test]
    async fn what_is_wrong_is_said_beside_the_field() {
        let (_site, _bitbucket, [_, mut grace]) = TestSite::with_acme().await;
        for (json, sentence) in [
            ("", "Paste the package as JSON"),
            ("{", "This is not valid JSON"),
            (r#"{"name": "acme/x"}"#, "version: “version” is missing."),
            (&PAID.replace("https:", "file:"), "dist.url: An archive is fetched from"),
        ] {
            let refused = grace.post(NEW, &[("json", json)]).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{json}");
            assert!(refused.body.contains(sentence), "{json}: {}", refused.body);
        }
        let refused = grace.post(NEW, &[("json", PAID), ("credential", "x")]).await;
        assert!(refused.body.contains("Choose a credential from the list."), "{}", refused.body);
        assert!(grace.get("/orgs/acme/packages").await.body.contains("No packages yet"));
    }

    #[tokio::test]
    async fn only_those_who_may_add_packages_do() {
        let (site, bitbucket, [_, mut grace]) = TestSite::with_acme().await;
        let mut linus = site.browser();
        linus.register(&bitbucket, "linus").await;
        grace.post("/orgs/acme/teams", &[("who", "linus"), ("role", "member")]).await;
        for path in [NEW, "/orgs/acme/packages/new/artifact", "/orgs/acme/packages/new/import"] {
            assert_eq!(linus.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
        }
        assert_eq!(linus.post(NEW, &[("json", PAID)]).await.status, StatusCode::FORBIDDEN);
    }
}
