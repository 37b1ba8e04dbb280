//! The guides in docs/guides: what they name is there, what they link to answers, and they can be read by everybody.

use crate::support::{
    Answer, TestStave,
    process::{Place, Process},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// The pictures of the guides: `scripts/screenshots` makes these.
pub(crate) const PICTURES: [&str; 17] = [
    "access",
    "bitbucket-done",
    "bitbucket-form",
    "check",
    "connected-accounts",
    "data-center-form",
    "data-center-look",
    "data-center-oauth1-form",
    "data-center-oauth1-link",
    "integration-list",
    "login-link",
    "synchronization-draft",
    "synchronization-status",
    "upgrade",
    "website-login",
    "website-members",
    "website-setting",
];

/// What the guides name on Bitbucket's pages and Stave's own pages do not.
const ON_BITBUCKET: [&str; 9] = [
    "2FA Configuration",
    "Application links",
    "Authorization",
    "Create OAuth client",
    "Enable OAuth whitelist",
    "OAuth clients",
    "Plugin settings",
    "Scopes",
    "Server settings",
];

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The texts of the guides, by file name.
fn guides() -> BTreeMap<String, String> {
    let files = files_in(&project().join("docs/guides"), "md");
    let name_of = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    files.into_iter().map(|path| (name_of(&path), fs::read_to_string(&path).unwrap())).collect()
}

/// The files below a folder whose names end like this.
fn files_in(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_in(&path, extension));
        } else if path.extension().is_some_and(|kind| kind == extension) {
            files.push(path);
        }
    }
    files
}

fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What is bold in a guide: labels, each part of a path such as "Settings > Integrations" by itself.
fn labels_of(guide: &str) -> BTreeSet<String> {
    let pieces: Vec<_> = guide.split("**").collect();
    assert!(pieces.len() % 2 == 1, "a ** without its partner");
    pieces.into_iter().skip(1).step_by(2).flat_map(|bold| bold.split(" > ")).map(folded).collect()
}

/// Every text of Stave's own pages: what stands between tags and in quotes in templates, and in quotes in the code that fills them.
fn labels_here() -> BTreeSet<String> {
    let mut labels = BTreeSet::new();
    for template in files_in(&project().join("crates/web/templates"), "html") {
        let text = fs::read_to_string(template).unwrap().replace("&gt;", ">");
        labels.extend(text.split(['<', '>', '{', '}', '%', '"']).map(folded));
    }
    for room in ["web", "app", "domain"] {
        let sources = files_in(&project().join("crates").join(room).join("src"), "rs");
        for source in sources.into_iter().filter(|path| !path.iter().any(|part| part == "tests")) {
            let text = fs::read_to_string(source).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
            labels.extend(lines.flat_map(|line| line.split('"').skip(1).step_by(2)).map(folded));
        }
    }
    labels
}

/// Whether a label is among these, or put together from two of them: `"Call off the {}"` and `"upgrade"`.
fn is_among(label: &str, labels: &BTreeSet<String>) -> bool {
    let is_made_with = |frame: &String| {
        let (before, after) = frame.split_once("{}").filter(|(before, _)| !before.is_empty())?;
        label.strip_prefix(before)?.strip_suffix(after).filter(|filled| labels.contains(*filled))
    };
    labels.contains(label) || labels.iter().any(|frame| is_made_with(frame).is_some())
}

#[test]
fn every_label_in_a_guide_is_on_a_page() {
    let here = labels_here();
    let mut nowhere = Vec::new();
    let mut named = BTreeSet::new();
    for (guide, text) in guides() {
        let labels = labels_of(&text);
        let lost =
            labels.iter().filter(|label| !is_among(label, &here) && !ON_BITBUCKET.contains(&label.as_str()));
        nowhere.extend(lost.map(|label| format!("{guide}: {label}")));
        named.extend(labels);
    }
    assert!(nowhere.is_empty(), "on no page of Stave or Bitbucket:\n{}", nowhere.join("\n"));
    let idle: Vec<_> = ON_BITBUCKET.iter().filter(|label| !named.contains(**label)).collect();
    assert!(idle.is_empty(), "no guide names {idle:?}: shorten the list");
}

#[test]
fn every_picture_in_a_guide_is_made() {
    let mut shown = BTreeSet::new();
    for (guide, text) in guides() {
        for picture in text.split("](images/").skip(1) {
            let name =
                picture.split_once(".png)").unwrap_or_else(|| panic!("{guide}: a picture that is no PNG")).0;
            shown.insert(name.to_owned());
        }
    }
    assert_eq!(shown.iter().map(String::as_str).collect::<Vec<_>>(), PICTURES);
    let mut made = files_in(&project().join("docs/guides/images"), "png");
    made.sort();
    let names: Vec<_> = made.iter().map(|path| path.file_stem().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, PICTURES, "run scripts/screenshots");
    let bytes: u64 = made.iter().map(|path| path.metadata().unwrap().len()).sum();
    assert!(bytes <= 1_000_000, "they are all in the binary, and have {bytes} bytes");
}

/// The values of an attribute, in the order of the page.
fn attributes<'a>(page: &'a Answer, name: &str) -> Vec<&'a str> {
    let start = format!(" {name}=\"");
    page.body.split(start.as_str()).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

#[tokio::test]
async fn every_link_in_a_guide_leads_somewhere() {
    let stave = TestStave::start().await;
    let browser = stave.browser();
    let (mut todo, mut pages) = (vec!["/docs".to_owned()], BTreeMap::new());
    while let Some(path) = todo.pop() {
        if pages.contains_key(&path) {
            continue;
        }
        let page = browser.open(&path).await;
        assert!(page.status.is_success(), "{path}: {}", page.status);
        if path.starts_with("/docs") {
            let links = attributes(&page, "href").into_iter().filter(|link| link.starts_with('/'));
            todo.extend(links.filter_map(|link| link.split('#').next()).map(str::to_owned));
        }
        pages.insert(path, page);
    }
    assert_eq!(pages.keys().filter(|path| path.starts_with("/docs")).count(), guides().len());
    for (path, page) in pages.iter().filter(|(path, _)| path.starts_with("/docs")) {
        let ids = attributes(page, "id");
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{path}: two sections with one id");
        for link in attributes(page, "href") {
            let Some((target, section)) = link.split_once('#') else { continue };
            let target = if target.is_empty() { page } else { &pages[target] };
            assert!(attributes(target, "id").contains(&section), "{path}: there is no {link}");
        }
    }
}

#[tokio::test]
async fn a_link_to_change_the_guides_is_there_if_the_operator_named_a_place() {
    let place = Place::new().await;
    let mut command = place.command(&["serve"]);
    command.env("STAVE_DOCS_EDIT_URL", "https://git.example.com/stave/docs/guides/");
    let stave = Process::start(command).await;
    for (path, file) in [("/docs", "README.md"), ("/docs/log-in", "log-in.md")] {
        let page = reqwest::get(stave.url(path)).await.unwrap().text().await.unwrap();
        let link = format!("<a href=\"https://git.example.com/stave/docs/guides/{file}\">Edit this page</a>");
        assert!(page.contains(&link), "{page}");
        assert!(project().join("docs/guides").join(file).exists());
    }
}
