//! Who may see and change what came with synchronizations: everybody else is sent away, whatever they send.

use super::*;

/// One of everything in acme: what stands in addresses.
struct Acme {
    synchronization: String,
    credential: String,
    team: String,
    package: String,
    repository: String,
    member: String,
}

const NOWHERE: &str = "00000000-0000-7000-8000-000000000000";

impl Acme {
    /// Addresses for those who manage an organization: to look at, and to send something to.
    fn managed(&self, organization: &str) -> (Vec<String>, Vec<String>) {
        let home = format!("/orgs/{organization}");
        let settings = format!("{home}/settings");
        let synchronization = format!("{settings}/synchronizations/{}", self.synchronization);
        let credential = format!("{settings}/credentials/{}", self.credential);
        let team = format!("{home}/teams/{}", self.team);
        let package = format!("{home}/packages/{}", self.package);
        let repository = format!("{home}/repositories/{}", self.repository);
        let member = format!("{home}/members/{}", self.member);
        let seen = vec![
            synchronization.clone(),
            format!("{synchronization}/people"),
            format!("{synchronization}/repositories"),
            format!("{synchronization}/promote"),
            format!("{synchronization}/delete"),
            credential.clone(),
            team.clone(),
            format!("{package}/access"),
            format!("{package}/access.csv"),
            repository.clone(),
            format!("{repository}/edit"),
        ];
        let sent = vec![
            format!("{synchronization}/start"),
            format!("{synchronization}/run"),
            format!("{synchronization}/settings"),
            format!("{synchronization}/access"),
            format!("{synchronization}/webhooks"),
            format!("{synchronization}/promote"),
            format!("{synchronization}/delete"),
            format!("{synchronization}/repositories/1/add"),
            format!("{synchronization}/repositories/1/take-out"),
            credential.clone(),
            format!("{credential}/test"),
            format!("{credential}/delete"),
            team.clone(),
            format!("{team}/delete"),
            format!("{team}/members"),
            format!("{team}/members/{}/remove", self.member),
            format!("{team}/packages"),
            format!("{team}/packages/{}/take", self.package),
            format!("{package}/access"),
            format!("{package}/delete"),
            format!("{repository}/edit"),
            format!("{repository}/update"),
            format!("{repository}/delete"),
            format!("{member}/activate"),
            format!("{member}/deactivate"),
            format!("{home}/teams/{}/role", self.member),
        ];
        (seen, sent)
    }

    /// The same without the id of anything.
    fn lists(organization: &str) -> (Vec<String>, Vec<String>) {
        let settings = format!("/orgs/{organization}/settings");
        let below = |path: &str| format!("{settings}/{path}");
        let seen = [
            "synchronizations",
            "synchronizations/new",
            "credentials",
            "credentials/new",
            "log",
            "log.csv",
            "log.jsonl",
        ];
        let sent = ["synchronizations/new", "credentials"];
        let mut sent: Vec<_> = sent.map(below).into();
        sent.extend([
            format!("/orgs/{organization}/members/settings"),
            format!("/orgs/{organization}/teams"),
            format!("/orgs/{organization}/teams/new"),
        ]);
        (seen.map(below).into(), sent)
    }
}

/// What is sent everywhere: each form finds a field of its own in it, and nobody becomes what it says.
fn form(who: &str) -> [(&'static str, &str); 8] {
    [
        ("who", who),
        ("role", "owner"),
        ("name", "acme"),
        ("package", "acme/mailer"),
        ("selection", "by_hand"),
        ("is_restricted", "on"),
        ("deactivates_found", "on"),
        ("access", "account:00000000-0000-7000-8000-000000000000"),
    ]
}

async fn is_refused(
    browser: &mut Browser,
    who: &str,
    status: StatusCode,
    (seen, sent): (Vec<String>, Vec<String>),
) {
    for address in seen {
        assert_eq!(browser.get(&address).await.status, status, "{who} at {address}");
    }
    for address in sent {
        let answer = browser.post(&address, &form(who)).await;
        assert_eq!(answer.status, status, "{who} sends to {address}: {}", answer.location);
    }
}

async fn id_of(site: &TestSite, browser: &Browser) -> String {
    site.actor(browser).await.user.unwrap().id.to_string()
}

fn last(address: &str) -> String {
    address.split('?').next().unwrap().rsplit('/').next().unwrap().to_owned()
}

/// Grace's organization follows a workspace, and has one of everything.
async fn acme(site: &TestSite, bitbucket: &FakeBitbucket, grace: &mut Browser, linus: &mut Browser) -> Acme {
    workspace(bitbucket);
    let synchronization = start(grace).await;
    linus.register(bitbucket, "linus").await;
    let credential = [
        ("description", "Robot"),
        ("kind", "password"),
        ("host", "git.example.com"),
        ("username", "robot"),
        ("secret", "swordfish"),
        ("all_the_same", "on"),
    ];
    let credential = grace.post("/orgs/acme/settings/credentials", &credential).await.location;
    let team = grace.post("/orgs/acme/teams/new", &[("name", "devs")]).await.location;
    let packages = grace.get("/orgs/acme/packages").await.body;
    let package = packages.split('"').find(|text| text.starts_with("/orgs/acme/packages/0")).unwrap();
    let shown = grace.get(package).await.body;
    let repository = shown.split('"').find(|text| text.starts_with("/orgs/acme/repositories/")).unwrap();
    Acme {
        synchronization: last(&synchronization),
        credential: last(&credential),
        team: last(&team),
        package: last(package),
        repository: repository.split('/').nth(4).unwrap().to_owned(),
        member: id_of(site, linus).await,
    }
}

#[tokio::test]
async fn only_those_who_manage_it_get_in() {
    let (site, bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    let _jobs = Jobs::run(&site);
    let (mut linus, mut olga, mut nobody) = (site.browser(), site.browser(), site.browser());
    let acme = acme(&site, &bitbucket, &mut grace, &mut linus).await;
    olga.register(&bitbucket, "olga").await;
    olga.post("/orgs/new", &[("name", "Other"), ("short_name", "other")]).await;

    for all in [acme.managed("acme"), Acme::lists("acme")] {
        is_refused(&mut linus, "linus", StatusCode::FORBIDDEN, all.clone()).await;
        is_refused(&mut olga, "olga", StatusCode::NOT_FOUND, all.clone()).await;
        for address in all.0.iter().chain(&all.1) {
            let away = nobody.post(address, &[]).await;
            let is_away = away.location.starts_with("/login") || away.status.is_client_error();
            assert!(is_away, "nobody sends to {address}: {} {}", away.status, away.location);
        }
        for address in all.0 {
            assert!(nobody.get(&address).await.location.starts_with("/login"), "{address}");
        }
    }
    // Nothing of acme is reached by the address of an organization that somebody owns.
    is_refused(&mut olga, "olga", StatusCode::NOT_FOUND, acme.managed("other")).await;

    // Somebody's own server says who they are for its organization only.
    let server = FakeBitbucket::start().await;
    let own = site.add_own(&olga, "other", &server).await;
    olga.post("/orgs/other/teams", &[("who", "grace"), ("role", "member")]).await;
    grace.connect(&format!("/profile/accounts/{}/connect", own.slug), &server, "grace").await;
    let mut mallory = site.browser();
    mallory.travel(&format!("/login/{}", own.slug), &server, "grace").await;
    assert_eq!(mallory.get("/orgs/other").await.status, StatusCode::OK);
    for all in [acme.managed("acme"), Acme::lists("acme")] {
        is_refused(&mut mallory, "mallory", StatusCode::FORBIDDEN, all).await;
    }

    let deactivate = format!("/orgs/acme/members/{}/deactivate", acme.member);
    assert_eq!(grace.post(&deactivate, &[]).await.status, StatusCode::SEE_OTHER);
    for all in [acme.managed("acme"), Acme::lists("acme")] {
        is_refused(&mut linus, "linus", StatusCode::FORBIDDEN, all).await;
    }
    for page in ["", "/job", "/packages", "/teams", "/members"] {
        assert_eq!(linus.get(&format!("/orgs/acme{page}")).await.status, StatusCode::FORBIDDEN, "{page}");
    }
    let (seen, _) = acme.managed("acme");
    for address in seen {
        assert_eq!(grace.get(&address).await.status, StatusCode::OK, "nothing was done to {address}");
    }
}

#[tokio::test]
async fn an_admin_is_no_owner() {
    let (site, bitbucket, [_, mut grace]) = TestSite::with_acme().await;
    let _jobs = Jobs::run(&site);
    workspace(&bitbucket);
    let first = start(&mut grace).await;
    bitbucket.workspace("tools").owner("margaret");
    let mut margaret = site.browser();
    margaret.register(&bitbucket, "margaret").await;
    grace.post("/orgs/acme/teams", &[("who", "margaret"), ("role", "admin")]).await;
    let form = margaret.get(&format!("{LIST}/new")).await.body;
    let (integration, access) = (hidden(&form, "integration"), hidden(&form, "access"));
    let choice = [("integration", integration), ("access", access), ("workspace", "tools")];
    let begun = margaret.post(&format!("{LIST}/new"), &choice).await;
    let second = begun.location.split('?').next().unwrap().to_owned();
    when(&mut margaret, &second, "What would happen").await;
    margaret.post(&format!("{second}/start"), &[("selection", "all"), ("is_primary", "on")]).await;
    when(&mut margaret, &second, "Run now").await;
    let id = id_of(&site, &margaret).await;
    for (address, form) in [
        (format!("{second}/promote"), vec![]),
        (format!("/orgs/acme/teams/{id}/role"), vec![("role", "owner")]),
        ("/orgs/acme/teams".to_owned(), vec![("who", "margaret"), ("role", "owner")]),
        (format!("/orgs/acme/members/{}/deactivate", id_of(&site, &grace).await), vec![]),
    ] {
        let refused = margaret.post(&address, &form).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{address}");
    }
    let refused = margaret.post(&format!("{first}/delete"), &[("name", "acme")]).await;
    assert!(refused.body.contains("Only owners delete the primary synchronization"), "{}", refused.body);
    let theirs = margaret.get("/orgs/acme/settings/general/delete").await;
    assert_eq!(theirs.status, StatusCode::FORBIDDEN, "still an admin");

    // Nobody lends the account of somebody else.
    let identities = site.app.account_list(&site.actor(&grace).await).await.unwrap();
    let hers = identities.into_iter().find_map(|account| account.identity).unwrap().id;
    for stolen in [format!("account:{hers}"), format!("credential:{hers}"), format!("credential:{NOWHERE}")] {
        let access = [("access", stolen.as_str())];
        let refused = margaret.post(&format!("{second}/access"), &access).await;
        assert!(refused.body.contains("Choose an account or a credential from the list"), "{}", refused.body);
        let choice = [("integration", integration), access[0], ("workspace", "acme")];
        let refused = margaret.post(&format!("{LIST}/new"), &choice).await;
        assert!(refused.body.contains("Choose an account or a credential from the list"), "{}", refused.body);
    }
}
