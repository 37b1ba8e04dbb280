//! "Test sign-in": an owner takes the whole trip of a visitor, by the draft, and is shown what came of it. Nobody becomes a member,
//! nobody is signed in.

use super::setting::{LOCK, stored};
use crate::{
    Actor, App, Departure, Failure,
    issuer::{Arrived, Issuer, addresses_of, admitted, claims, newcomer, told},
    website::{Server, for_owner},
};
use stave_domain::{
    Secret,
    id::UserId,
    identity::{Grant, RemoteProfile},
    integration::{Permission, Platform},
    organization::{Organization, ShortName},
    website::{
        Address, Circle, Draft, Member, Provider, ProviderKey, Scopes, SignUp, TestReport, TestStep, Trip,
        TripPurpose, Website,
    },
};
use std::collections::BTreeMap;

impl App {
    /// Sends an owner's browser to the server behind a button of the draft, or of what visitors see if there is no draft. `None`
    /// if it does not get that far: the report says why.
    pub async fn website_test_begin(
        &self,
        actor: &Actor,
        (organization, slug): (&str, &str),
        provider: &str,
        browser: Option<Secret>,
    ) -> Result<Option<Departure>, Failure> {
        let (_, website) = self.website_owned(actor, organization, slug).await?;
        let user = actor.user()?.id;
        let tried = stored(&self.storage, &website).await?.tried();
        let missing = || Failure::NotFound("way to log in");
        let (setting, revision) = tried.ok_or_else(missing)?;
        let key: ProviderKey = provider.parse().map_err(|_| missing())?;
        let provider = setting.provider(&key).cloned().ok_or_else(missing)?;
        let issuer = Issuer { website, setting };
        let server = self.website_server(&issuer.website, &provider, None).await?;
        let (leaving, began) = ((&provider, &server, revision), self.clock.now());
        match self.issuer_depart_with(&issuer, leaving, TripPurpose::Test { user }, browser).await? {
            Ok(departure) => Ok(Some(departure)),
            Err(error) => {
                let mut test = Test::of(&issuer, &provider, user, began);
                test.report.is_draft = revision.is_none();
                let took = self.clock.now().duration_since(began).as_millis();
                test.failed("Go to the server", for_owner(&error, &provider), took);
                self.storage.website_test_put(&test.report).await?;
                Ok(None)
            }
        }
    }

    /// What came of the actor's latest test.
    pub async fn website_test_show(
        &self,
        actor: &Actor,
        organization: &str,
        slug: &str,
    ) -> Result<(Organization, Website, Option<TestReport>), Failure> {
        let (organization, website) = self.website_owned(actor, organization, slug).await?;
        let report = self.storage.website_test_find(website.id, actor.user()?.id).await?;
        Ok((organization, website, report))
    }

    /// Lets only members of a workspace in which the actor was at their latest test come in through that button: in the draft.
    pub async fn website_test_allow(
        &self,
        actor: &Actor,
        (organization, slug): (&str, &str),
        uuid: &str,
    ) -> Result<(), Failure> {
        let (_, website, report) = self.website_test_show(actor, organization, slug).await?;
        let report = report.ok_or(Failure::NotFound("test"))?;
        let is_meant =
            |circle: &&Circle| matches!(circle, Circle::Workspace { uuid: Some(id), .. } if id == uuid);
        let circle = report.circles.iter().find(is_meant).cloned().ok_or(Failure::NotFound("workspace"))?;
        let stored = stored(&self.storage, &website).await?;
        let mut setting = stored.setting();
        let provider = setting.providers.iter_mut().find(|provider| provider.key == report.provider);
        let provider = provider.ok_or(Failure::NotFound("way to log in"))?;
        provider.only = vec![circle];
        self.website_draft_put(actor, (&website, &stored), setting).await
    }

    /// Receives an owner who tried a button. Only the report is stored, and in the draft the ids of workspaces that were known by
    /// their names only.
    pub(crate) async fn website_test_finish(
        &self,
        issuer: &Issuer,
        trip: &Trip,
        query: &BTreeMap<String, String>,
        actor: &Actor,
    ) -> Result<ShortName, Failure> {
        let website = &issuer.website;
        let organization = self.storage.organization_find(website.organization_id).await?;
        let organization = organization.ok_or(Failure::NotFound("organization"))?;
        let user = actor.user()?.id;
        let TripPurpose::Test { user: owner } = trip.purpose else {
            return Err(Failure::internal("a trip that is no test"));
        };
        if user != owner {
            return Err(Failure::Denied(
                "This test was begun by somebody else in this browser. Begin another on the preview.".into(),
            ));
        }
        self.website_owned(actor, organization.short_name.as_str(), website.slug.as_str()).await?;
        let (tried, draft) = self.tried(issuer, trip).await?;
        let changed =
            || Failure::Denied("The draft was changed while you were away. Begin the test once more.".into());
        let provider = tried.setting.provider(&trip.provider).ok_or_else(changed)?;
        let server = self.website_server(website, provider, Some(&trip.client_id)).await?;
        let mut test = Test::of(&tried, provider, user, self.clock.now());
        test.report.is_draft = trip.revision.is_none();
        self.test_run(&mut test, &server, (trip, query)).await?;
        if let Some(draft) = draft {
            self.test_pin(website, draft, &test.report).await?;
        }
        self.storage.website_test_put(&test.report).await?;
        Ok(organization.short_name)
    }

    /// The setting by which a test began, and the draft if it was that.
    async fn tried(&self, issuer: &Issuer, trip: &Trip) -> Result<(Issuer, Option<Draft>), Failure> {
        let website = issuer.website.clone();
        let gone = || {
            Failure::Denied("The draft was discarded while you were away. Begin the test once more.".into())
        };
        if let Some(number) = trip.revision {
            let revision = self.storage.website_revision_find(website.id, number).await?.ok_or_else(gone)?;
            return Ok((Issuer { website, setting: revision.setting }, None));
        }
        let draft = self.storage.website_draft_find(website.id).await?.ok_or_else(gone)?;
        Ok((Issuer { website, setting: draft.setting.clone() }, Some(draft)))
    }

    /// What happens when a visitor comes back, step by step; nothing follows a step that failed.
    async fn test_run(
        &self,
        test: &mut Test<'_>,
        server: &Server,
        (trip, query): (&Trip, &BTreeMap<String, String>),
    ) -> Result<(), Failure> {
        let kept = self.issuer_trip_kept(trip)?;
        let began = self.clock.now();
        let finished = server.finish(&kept, query).await;
        let took = self.clock.now().duration_since(began).as_millis();
        let (profile, grant) = match finished {
            Ok(found) => found,
            Err(error) => {
                test.failed("Log in at the server", for_owner(&error, test.provider), took);
                return Ok(());
            }
        };
        test.passed("Log in at the server", "It sent you back, and knows this website.".into(), took);
        test.account(&profile);
        if !test.addresses(&profile, server.platform, &grant) {
            return Ok(());
        }
        let Some(circles) = self.test_circles(test, server, &grant).await else { return Ok(()) };
        // A workspace that was known by its name only is known now.
        let only = pinned(&test.provider.only, &circles);
        let provider = Provider { only, ..test.provider.clone() };
        let arrived = Arrived { profile, addresses: test.report.addresses.clone(), circles };
        if let Err(barred) = admitted(test.tried, (&provider, &server.place), &arrived) {
            test.failed("Who may come in", barred.told, 0);
            return Ok(());
        }
        test.passed("Who may come in", coming_in(test.tried.setting.sign_up).into(), 0);
        self.test_claims(test, server, &arrived).await
    }

    /// In which workspaces or groups the owner is; `None` if that matters and could not be found out.
    async fn test_circles(&self, test: &mut Test<'_>, server: &Server, grant: &Grant) -> Option<Vec<Circle>> {
        let wanted = &test.provider.only;
        let name = match server.platform {
            Platform::BitbucketCloud => "Workspaces",
            Platform::BitbucketDataCenter => "Groups",
        };
        let began = self.clock.now();
        let found = server.circles(grant, wanted).await;
        let took = self.clock.now().duration_since(began).as_millis();
        match found {
            Ok(found) => {
                let names: Vec<String> = found.iter().map(ToString::to_string).collect();
                let said = match (names.is_empty(), wanted.is_empty(), server.platform) {
                    (false, ..) => names.join(", "),
                    (true, false, _) => "You are in none of those that the setting names.".into(),
                    (true, true, Platform::BitbucketCloud) => {
                        "You are in none, and the setting asks for none.".into()
                    }
                    (true, true, Platform::BitbucketDataCenter) => "The setting asks for none.".into(),
                };
                test.passed(name, said, took);
                test.report.circles.clone_from(&found);
                Some(found)
            }
            // Without a restriction visitors are not asked for theirs.
            Err(_) if wanted.is_empty() => {
                let said = "Not asked of visitors: everybody may come in. To let in members of a workspace only, the consumer needs the permission Account: Read.";
                test.passed(name, said.into(), took);
                Some(Vec::new())
            }
            Err(error) => {
                test.failed(name, for_owner(&error, test.provider), took);
                None
            }
        }
    }

    /// What an application would learn.
    async fn test_claims(
        &self,
        test: &mut Test<'_>,
        server: &Server,
        arrived: &Arrived,
    ) -> Result<(), Failure> {
        let website = &test.tried.website;
        let external_id = &arrived.profile.external_id;
        let known = self.storage.website_identity_find(website.id, &server.place, external_id).await?;
        let now = self.clock.now();
        let (member, identities) = match known {
            Some(known) => (
                self.storage.website_member_find(website.id, known.member_id).await?,
                self.storage.website_identity_list(known.member_id).await?,
            ),
            None => (None, Vec::new()),
        };
        let member = member.unwrap_or_else(|| Member {
            sub: "(made when you first come in)".into(),
            ..newcomer(test.tried, now)
        });
        let mut addresses: Vec<&[Address]> = identities
            .iter()
            .map(|known| {
                if known.place == server.place { &arrived.addresses } else { &known.addresses }.as_slice()
            })
            .collect();
        if addresses.is_empty() {
            addresses.push(&arrived.addresses);
        }
        let member = told(member, &arrived.profile, addresses.into_iter().flatten(), now);
        let mut token = serde_json::Map::new();
        token.insert("iss".into(), self.issuer_address(website).into());
        token.append(&mut claims(&member, &Scopes::all()));
        test.report.claims = Some(serde_json::to_string_pretty(&token).map_err(Failure::internal)?);
        Ok(())
    }

    /// A workspace that the draft knows by its name only has an id now, if the owner is in it. The draft stays its author's.
    async fn test_pin(&self, website: &Website, draft: Draft, report: &TestReport) -> Result<(), Failure> {
        let mut setting = draft.setting.clone();
        for provider in setting.providers.iter_mut().filter(|provider| provider.key == report.provider) {
            provider.only = pinned(&provider.only, &report.circles);
        }
        if setting == draft.setting {
            return Ok(());
        }
        let txn = self.storage.begin().await?;
        txn.lock(LOCK).await?;
        if txn.website_draft_find(website.id).await?.as_ref() == Some(&draft) {
            txn.website_draft_put(website.id, &Draft { setting, ..draft }).await?;
        }
        Ok(txn.commit().await?)
    }
}

/// A test that is going on.
struct Test<'a> {
    /// The website with the setting that is tried.
    tried: &'a Issuer,
    provider: &'a Provider,
    report: TestReport,
}

impl<'a> Test<'a> {
    fn of(tried: &'a Issuer, provider: &'a Provider, user: UserId, now: stave_domain::Timestamp) -> Self {
        let report = TestReport {
            website_id: tried.website.id,
            user_id: user,
            provider: provider.key.clone(),
            label: provider.label.clone(),
            is_draft: false,
            steps: Vec::new(),
            addresses: Vec::new(),
            circles: Vec::new(),
            claims: None,
            tested_at: now,
        };
        Self { tried, provider, report }
    }

    fn passed(&mut self, name: &str, result: String, took: i128) {
        self.step(name, result, None, took);
    }

    fn failed(&mut self, name: &str, problem: String, took: i128) {
        self.step(name, String::new(), Some(problem), took);
    }

    fn step(&mut self, name: &str, result: String, problem: Option<String>, took: i128) {
        let took_ms = i64::try_from(took).unwrap_or(i64::MAX);
        self.report.steps.push(TestStep { name: name.to_owned(), result, problem, took_ms });
    }

    /// Who the server says they are.
    fn account(&mut self, profile: &RemoteProfile) {
        let RemoteProfile { display_name, handle, external_id, second_id, .. } = profile;
        let name = match (display_name.as_str(), handle.as_str()) {
            ("", "") => "You are there; no name is told.",
            ("", handle) => handle,
            (name, _) => name,
        };
        self.passed("Account", name.to_owned(), 0);
        if !handle.is_empty() && handle != name {
            self.passed("User name", handle.clone(), 0);
        }
        let second = second_id.as_ref().map(|id| format!(", also {id}")).unwrap_or_default();
        self.passed("Id", format!("{external_id}{second}"), 0);
    }

    /// Which addresses it tells. `false` if somebody needs one to come in, and none may be told.
    fn addresses(&mut self, profile: &RemoteProfile, platform: Platform, grant: &Grant) -> bool {
        self.report.addresses = addresses_of(profile, self.provider.email);
        let verified = self.report.addresses.iter().filter(|address| address.is_verified).count();
        let missing = Permission::missing_from(platform, &grant.scopes);
        let said = match self.report.addresses.len() {
            0 if missing.contains(&Permission::AccountEmail) => {
                let lack = format!(
                    "The {} lacks the permission Account: Email, so no address is told.",
                    platform.application()
                );
                let setting = &self.tried.setting;
                if setting.email_required || !setting.allowed.is_empty() {
                    let sentence = format!("{lack} The setting asks for one: tick that box on Bitbucket.");
                    self.failed(ADDRESSES, sentence, 0);
                    return false;
                }
                format!(
                    "{lack} The setting asks for none. If applications need them, tick that box on Bitbucket."
                )
            }
            0 => "It tells none.".into(),
            all => format!("Told: {all}. Counting as verified: {verified}."),
        };
        self.passed(ADDRESSES, said, 0);
        true
    }
}

/// The name of the step that tells addresses.
const ADDRESSES: &str = "E-mail addresses";

/// What becomes of somebody whom the setting lets in.
fn coming_in(sign_up: SignUp) -> &'static str {
    match sign_up {
        SignUp::Open => "A visitor like you would be in.",
        SignUp::Approval => "A visitor like you would be in as soon as an owner approves them.",
        SignUp::Closed => {
            "A visitor like you would be in if they are a member already: nobody new becomes one."
        }
    }
}

/// The circles that the setting wants; those that had a name only, with the id that was told for it.
fn pinned(wanted: &[Circle], told: &[Circle]) -> Vec<Circle> {
    let pin = |wanted: &Circle| told.iter().find(|told| is_named(told, wanted)).unwrap_or(wanted).clone();
    wanted.iter().map(pin).collect()
}

/// Whether a circle that is known is the one that the setting knows by its name only.
fn is_named(known: &Circle, wanted: &Circle) -> bool {
    matches!((known, wanted),
        (Circle::Workspace { uuid: Some(_), slug }, Circle::Workspace { uuid: None, slug: name }) if slug.eq_ignore_ascii_case(name))
}
