//! Taking over a satis.json or composer.json: a report first, then the work.

use crate::{
    error::PageError,
    form,
    frame::{Frame, home},
    page::{Page, Refused},
};
use askama::Template;
use axum::{
    Router,
    extract::{FromRequest, Multipart, Path, Request, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use stave_app::{App, Failure, ImportForm, ImportReport, ImportState, ImportView, Problems};
use stave_domain::{id::CredentialId, import::Importable};

/// How the boxes for credentials are called.
const CREDENTIAL: &str = "credential-";

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/orgs/{organization}/packages/new/import", get(new).post(report))
        .route("/orgs/{organization}/packages/new/import/run", post(run))
}

#[derive(Template)]
#[template(path = "import.html")]
struct ImportPage {
    frame: Frame,
    view: ImportView,
    home: String,
    form: ImportForm,
    problems: Problems,
    /// Empty before a file was read.
    report: Vec<ImportReport>,
    /// Whether the work was done.
    is_done: bool,
}

impl ImportPage {
    async fn of(app: &App, frame: Frame, short_name: &str, form: ImportForm) -> Result<Self, Failure> {
        let view = app.import_show(&frame.actor, short_name).await?;
        let home = home(&view.organization);
        let problems = Problems::default();
        Ok(Self { frame, view, home, form, problems, report: Vec::new(), is_done: false })
    }

    /// Whether a credential may be tried; all may, before anybody chose.
    fn is_chosen(&self, id: &CredentialId) -> bool {
        self.form.credentials.contains(&id.to_string())
    }

    /// How many lines would become something.
    fn new_ones(&self) -> usize {
        self.report.iter().filter(|it| matches!(it.state, ImportState::New(_))).count()
    }

    fn added(&self) -> usize {
        self.report.iter().filter(|it| it.state == ImportState::Added).count()
    }
}

/// What the box of a credential is called.
fn field_of(id: &CredentialId) -> String {
    format!("{CREDENTIAL}{id}")
}

/// What stands in the column of the state: a tone, a word, and a sentence.
fn state(report: &ImportReport) -> (&'static str, &'static str, String) {
    match (&report.state, &report.line.what) {
        (ImportState::New(Some(credential)), _) => {
            ("", "Will be added", format!("Read with the credential “{credential}”."))
        }
        (ImportState::New(None), _) => ("", "Will be added", String::new()),
        (ImportState::Here, _) => ("good", "Here already", String::new()),
        (ImportState::Added, _) => ("good", "Added", String::new()),
        (ImportState::Not(sentence), Importable::Nothing(_)) => ("", "Nothing to do", sentence.clone()),
        (ImportState::Not(sentence), _) => ("bad", "Not taken over", sentence.clone()),
    }
}

/// `GET /orgs/{organization}/packages/new/import`
async fn new(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
) -> Result<Page<ImportPage>, PageError> {
    let mut page = ImportPage::of(&app, frame, &short_name, ImportForm::default()).await?;
    page.form.credentials =
        page.view.credentials.iter().map(|credential| credential.id.to_string()).collect();
    Ok(Page(page))
}

/// `POST /orgs/{organization}/packages/new/import`: what would come of a file. Nothing is added.
async fn report(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
    Sent(form): Sent,
) -> Result<Response, PageError> {
    let report = app.import_report(&frame.actor, &short_name, &form).await;
    let page = ImportPage::of(&app, frame, &short_name, form).await?;
    match report {
        Ok(report) => Ok(Page(ImportPage { report, ..page }).into_response()),
        Err(failure) => {
            Ok(Refused(ImportPage { problems: form::problems(failure)?, ..page }).into_response())
        }
    }
}

/// `POST /orgs/{organization}/packages/new/import/run`: everything that can be added is, and the report says what came of it.
async fn run(
    State(app): State<App>,
    frame: Frame,
    Path(short_name): Path<String>,
    Sent(form): Sent,
) -> Result<Response, PageError> {
    let report = app.import_run(&frame.actor, &short_name, &form).await;
    let page = ImportPage::of(&app, frame, &short_name, form).await?;
    match report {
        Ok(report) => Ok(Page(ImportPage { report, is_done: true, ..page }).into_response()),
        Err(failure) => {
            Ok(Refused(ImportPage { problems: form::problems(failure)?, ..page }).into_response())
        }
    }
}

/// The form, with the file in place of the text if one was chosen.
struct Sent(ImportForm);

impl<S: Send + Sync> FromRequest<S> for Sent {
    type Rejection = PageError;

    async fn from_request(request: Request, state: &S) -> Result<Self, PageError> {
        let kind =
            request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.starts_with("multipart/form-data") {
            let form::Form(fields) =
                form::Form::<Vec<(String, String)>>::from_request(request, state).await?;
            let mut form = ImportForm::default();
            for (name, text) in fields {
                take(&mut form, &name, text);
            }
            return Ok(Self(form));
        }
        let mut parts = Multipart::from_request(request, state).await.map_err(|_| damaged())?;
        let (mut form, mut file) = (ImportForm::default(), String::new());
        while let Some(part) = parts.next_field().await.map_err(|_| damaged())? {
            let (name, is_file) = (part.name().unwrap_or_default().to_owned(), part.file_name().is_some());
            let text = part.text().await.map_err(|_| damaged())?;
            if is_file { file = text } else { take(&mut form, &name, text) }
        }
        if !file.trim().is_empty() {
            form.json = file;
        }
        Ok(Self(form))
    }
}

fn take(form: &mut ImportForm, name: &str, text: String) {
    match name.strip_prefix(CREDENTIAL) {
        Some(id) => form.credentials.push(id.to_owned()),
        None if name == "json" => form.json = text,
        None => {}
    }
}

/// The error itself is not logged: it may quote what was typed.
fn damaged() -> PageError {
    PageError::new(
        StatusCode::BAD_REQUEST,
        "The form did not arrive as it was made, or the file is larger than 1 MiB. Nothing was added. Go back and try again.",
    )
}

#[cfg(test)]
mod tests {
    use crate::testing::TestSite;
    use axum::http::{Request, StatusCode, header::CONTENT_TYPE};

    const IMPORT: &str = "/orgs/acme/packages/new/import";
    const SATIS: &str = r#"{"repositories": [
        {"type": "vcs", "url": "https://bitbucket.example/acme/mailer.git"},
        {"type": "package", "package": {"name": "acme/meta", "version": "1.0", "type": "metapackage"}},
        {"type": "path", "url": "../lib"}
    ]}"#;

    #[tokio::test]
    async fn nothing_is_added_before_the_report_was_seen() {
        let (_site, _bitbucket, [_, mut grace]) = TestSite::with_acme().await;
        assert_eq!(grace.get(IMPORT).await.status, StatusCode::OK);
        let report = grace.post(IMPORT, &[("json", SATIS)]).await;
        assert_eq!(report.status, StatusCode::OK, "{}", report.body);
        for text in [
            "https://bitbucket.example/acme/mailer.git",
            "acme/meta",
            "Will be added",
            "A path is a folder",
            "Add 2 of them",
        ] {
            assert!(report.body.contains(text), "{text}: {}", report.body);
        }
        assert!(grace.get("/orgs/acme/packages").await.body.contains("No packages yet"));

        let done = grace.post(&format!("{IMPORT}/run"), &[("json", SATIS)]).await;
        assert!(done.body.contains("2 of 3 were added"), "{}", done.body);
        let packages = grace.get("/orgs/acme/packages").await.body;
        assert!(packages.contains("acme/meta") && packages.contains("bitbucket.example"), "{packages}");
        let again = grace.post(IMPORT, &[("json", SATIS)]).await;
        assert!(
            again.body.contains("Here already") && !again.body.contains("Add 2 of them"),
            "{}",
            again.body
        );
    }

    #[tokio::test]
    async fn a_file_is_read_too() {
        let (_site, _bitbucket, [_, mut grace]) = TestSite::with_acme().await;
        let body = format!(
            "--b\r\nContent-Disposition: form-data; name=\"json\"\r\n\r\n\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"satis.json\"\r\n\r\n{SATIS}\r\n--b--\r\n"
        );
        let request = Request::post(IMPORT).header(CONTENT_TYPE, "multipart/form-data; boundary=b");
        let report = grace.send(request, &body).await;
        assert!(report.body.contains("acme/meta"), "{}", report.body);
        let refused = grace.post(IMPORT, &[("json", "[]")]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.body.contains("neither a satis.json nor a composer.json"), "{}", refused.body);
    }
}
