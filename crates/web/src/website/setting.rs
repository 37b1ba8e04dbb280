//! "Login setting": the login form as visitors see it, and the dialog in which its owner changes it.

use super::{
    place::{Place, Visit},
    sent::Sent,
};
use crate::{
    done::Done,
    error::PageError,
    form,
    frame::Frame,
    issuer::{LoginButton, LoginForm, face},
    page::{Page, Refused},
};
use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use stave_app::{App, Failure, Held, Problems, ProviderForm, SettingForm, SettingView, email_choices};
use stave_domain::{
    integration::{OAuthVersion, Platform},
    website::{Colour, EmailTrust, Look, Setting, SignUp, Website},
};

#[derive(Template)]
#[template(path = "website/setting.html")]
pub(super) struct SettingPage {
    frame: Frame,
    place: Place,
    view: SettingView,
    /// What stands in the fields: what is stored, or what was typed.
    form: SettingForm,
    /// Completes the link to Bitbucket, and is not stored.
    workspace_name: String,
    shown: Shown,
    problems: Problems,
    /// Whether somebody typed what stands in the fields, and it is not stored.
    is_typed: bool,
}

/// The login form as visitors would see it.
#[derive(Template)]
#[template(path = "website/setting_shown.html")]
pub(super) struct Shown {
    colours: String,
    form: LoginForm,
}

impl Shown {
    /// What is typed, as far as it can be shown.
    fn of(website: &Website, form: &SettingForm) -> Self {
        let colour = |typed: &str, usual: Colour| typed.parse().unwrap_or(usual);
        let usual = Look::default();
        let look = Look {
            title: form.title.clone(),
            message: form.message.clone(),
            footer: form.footer.clone(),
            accent: colour(&form.accent, usual.accent),
            background: colour(&form.background, usual.background),
            logo: Some(form.logo.clone()).filter(|hash| !hash.is_empty()),
        };
        let colours = face::colours(&look);
        let on = form.ordered().into_iter().filter(|part| part.is_on);
        let buttons = on.map(|part| LoginButton { label: part.words(), action: String::new() }).collect();
        let form = LoginForm::of(website, &Setting { look, ..Setting::default() }, true);
        Self { colours, form: LoginForm { buttons, ..form } }
    }
}

impl SettingPage {
    async fn of(app: &App, Visit { frame, place }: Visit) -> Result<Self, Failure> {
        let (organization, website) = place.names();
        let view = app.website_setting_show(&frame.actor, organization, website).await?;
        let form = view.form.clone();
        let shown = Shown::of(&place.website, &form);
        let (problems, workspace_name) = (Problems::default(), String::new());
        Ok(Self { frame, place, view, form, workspace_name, shown, problems, is_typed: false })
    }

    /// The page with everything that was typed. Secrets go along, sealed.
    fn again(self, app: &App, form: SettingForm, sent: &Sent) -> Self {
        let form = app.website_setting_form_kept(&self.place.website, form);
        let shown = Shown::of(&self.place.website, &form);
        let is_typed = !form.says_the_same(&self.form);
        Self { form, shown, workspace_name: sent.text("workspace_name").to_owned(), is_typed, ..self }
    }

    /// Whether what was typed began with a setting that is no longer the one that is worked on.
    fn is_late(&self) -> bool {
        self.is_typed && !self.form.version.is_empty() && self.form.version != self.view.form.version
    }

    fn action(&self) -> String {
        format!("{}/login", self.place.base())
    }

    fn own(&self, platform: Platform) -> &ProviderForm {
        self.form.own(platform).expect("a form has a part for each platform")
    }

    fn cloud(&self) -> &ProviderForm {
        self.own(Platform::BitbucketCloud)
    }

    fn data_center(&self) -> &ProviderForm {
        self.own(Platform::BitbucketDataCenter)
    }

    /// Whether a field of this part, or of this tab, was refused.
    fn has_problem(&self, start: &str) -> bool {
        self.problems.iter().any(|(field, _)| field.starts_with(start))
    }

    /// Whether one of these fields was refused. A name that begins with `_` is that of a field of every button.
    fn has_problem_with(&self, fields: &[&str]) -> bool {
        let is_it =
            |field: &str, name: &str| field == name || (name.starts_with('_') && field.ends_with(name));
        self.problems.iter().any(|(field, _)| fields.iter().any(|name| is_it(field, name)))
    }

    fn secret_hint(part: &ProviderForm) -> String {
        if !part.kept_secret.is_empty() {
            return "The secret that you pasted is kept. Paste another one to replace it.".into();
        }
        match &part.held {
            Some(Held::Secret { ending, set_at }) => {
                let ending = if ending.is_empty() { String::new() } else { format!(", ends with {ending}") };
                format!(
                    "Set on {}{ending}. Leave it empty to keep it; for another App ID or base URL it has to be pasted again.",
                    crate::time::readable(set_at)
                )
            }
            _ => "It is sealed when it is stored, and never shown again.".into(),
        }
    }

    fn email_choices(&self, part: &ProviderForm) -> Vec<(String, String)> {
        let word = |trust: EmailTrust| match trust {
            EmailTrust::Confirmed => "Those that the server says it confirmed",
            EmailTrust::Never => "None",
            EmailTrust::All => "All, even those that nobody confirmed",
        };
        let choices = email_choices(&self.frame.actor, part).into_iter();
        choices.map(|trust| (trust.key().to_owned(), word(trust).to_owned())).collect()
    }

    /// Whether "All" is a choice anywhere.
    fn may_trust_all(&self) -> bool {
        let mut parts = self.form.providers.iter();
        parts.any(|part| email_choices(&self.frame.actor, part).contains(&EmailTrust::All))
    }

    fn sign_up_choices() -> Vec<(String, String)> {
        SignUp::ALL.map(|sign_up| (sign_up.key().to_owned(), sign_up_words(sign_up).to_owned())).into()
    }

    /// Where the consumer is made; what is not typed yet stands there as a placeholder.
    fn consumer_link(&self) -> String {
        let typed = |text: &str, blank: &str| {
            let text = text.trim().trim_end_matches('/');
            if text.is_empty() { blank.to_owned() } else { text.to_owned() }
        };
        format!(
            "{}/{}/workspace/settings/oauth-consumers/new",
            typed(&self.cloud().base_url, "<BASE_URL>"),
            typed(&self.workspace_name, "<WORKSPACE_NAME>")
        )
    }

    fn is_oauth1(&self) -> bool {
        self.data_center().oauth == OAuthVersion::One.key()
    }
}

/// Who becomes a member, in the words of the form.
pub(super) fn sign_up_words(sign_up: SignUp) -> &'static str {
    match sign_up {
        SignUp::Open => "Everybody who may log in, at once",
        SignUp::Approval => "Everybody who may log in, once an owner approves them",
        SignUp::Closed => "Nobody new",
    }
}

/// `GET /orgs/{organization}/websites/{website}/login`
pub(super) async fn show(State(app): State<App>, visit: Visit) -> Result<Page<SettingPage>, PageError> {
    Ok(Page(SettingPage::of(&app, visit).await?))
}

/// `POST /orgs/{organization}/websites/{website}/login`: `action` is `apply`, `replace`, `save` or
/// `discard`. To replace is to apply although somebody else did meanwhile.
pub(super) async fn change(State(app): State<App>, visit: Visit, sent: Sent) -> Result<Response, PageError> {
    let page = SettingPage::of(&app, visit).await?;
    let address = page.action();
    let mut form = page.form.clone();
    form.version.clear();
    form.take(&sent.fields);
    match act(&app, &page, &mut form, &sent).await {
        Ok(done) => Ok(done.at(&address).into_response()),
        Err(failure) => {
            let problems = form::problems(failure)?;
            let page = page.again(&app, form, &sent);
            Ok(Refused(SettingPage { problems, ..page }).into_response())
        }
    }
}

async fn act(app: &App, page: &SettingPage, form: &mut SettingForm, sent: &Sent) -> Result<Done, Failure> {
    let (actor, names) = (&page.frame.actor, page.place.names());
    if sent.text("action") == "discard" {
        app.website_setting_discard(actor, names, sent.text("version")).await?;
        return Ok(Done::DraftDiscarded);
    }
    if let Some(file) = &sent.file {
        form.logo = app.website_logo_put(actor, names, file.clone()).await?;
    } else if !sent.text("logo_remove").is_empty() {
        form.logo.clear();
    }
    if sent.text("action") == "save" {
        let saved = app.website_setting_save(actor, names, form).await?;
        return Ok(if saved.is_some() { Done::SettingSaved } else { Done::SettingSame });
    }
    if sent.text("action") == "replace" {
        sent.text("replaces").clone_into(&mut form.version);
    }
    app.website_setting_apply(actor, names, form).await?;
    let view = app.website_setting_show(actor, names.0, names.1).await?;
    let is_off = view.switched_off().next().is_some();
    Ok(if is_off { Done::DraftAppliedOff } else { Done::DraftApplied })
}

/// `POST /orgs/{organization}/websites/{website}/login/shown`: the login form as it would be with what is typed. Nothing is stored.
pub(super) async fn sketch(
    State(app): State<App>,
    visit: Visit,
    sent: Sent,
) -> Result<Page<Shown>, PageError> {
    let mut form = SettingPage::of(&app, visit).await?;
    form.form.take(&sent.fields);
    Ok(Page(Shown::of(&form.place.website, &form.form)))
}
