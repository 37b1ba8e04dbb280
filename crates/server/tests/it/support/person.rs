//! A person at a screen: Chromium, in which everything is found by its label or text.

use crate::guide::PICTURES;
use serde_json::json;
use std::{
    path::PathBuf,
    time::{Duration, Instant},
};
use thirtyfour::{ChromiumLikeCapabilities, prelude::*};

/// Writes on the page the addresses that people have in place of those of this machine, until [`REVEAL`].
const DISGUISE: &str = r#"
    const [names, part] = arguments;
    // First: a field that is left tells the page what is in it.
    document.activeElement?.blur();
    const undo = [];
    const swap = (holder, key) => {
        const before = holder[key];
        const after = names.reduce((text, [here, there]) => text.replaceAll(here, there), before);
        if (after === before) return;
        undo.push(() => (holder[key] = before));
        holder[key] = after;
    };
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) swap(texts.currentNode, "data");
    document.querySelectorAll("input, textarea").forEach((field) => swap(field, "value"));
    const dress = (element, style) => {
        element.style = style;
        undo.push(() => element.removeAttribute("style"));
    };
    // A remark of which nothing is left was all that was wrong.
    for (const remark of document.querySelectorAll(".callout > p:empty")) {
        dress(remark, "display: none");
        remark.parentElement.classList.add("good");
        undo.push(() => remark.parentElement.classList.remove("good"));
    }
    // What has no border has its letters at the edge.
    if (getComputedStyle(part).borderTopStyle === "none") {
        dress(part, "box-sizing: content-box; padding: 20px; margin: -20px");
    }
    globalThis.reveal = () => undo.forEach((step) => step());
"#;
const REVEAL: &str = "globalThis.reveal()";

/// What pages say of a server without encryption.
pub(crate) const PLAIN_HTTP: &str = "The base URL starts with http://, so whoever is on the way between Stave and Bitbucket can read \
                                     along. Bitbucket itself speaks OAuth 2 only by https, unless its operator has allowed otherwise.";

/// A person at a screen, with a browser of their own.
pub(crate) struct Person {
    pub(crate) driver: WebDriver,
    screenshots: Option<PathBuf>,
    pictures: Option<PathBuf>,
    /// What stands on pages, and what stands on their pictures instead.
    names: Vec<(String, String)>,
}

impl Person {
    /// `None` if there is no `WebDriver` server: then nothing is tested, which `scripts/test` does not let happen.
    pub(crate) async fn sit_down() -> Option<Self> {
        let server = std::env::var("STAVE_TEST_WEBDRIVER_URL").ok()?;
        let mut chromium = DesiredCapabilities::chrome();
        for argument in [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-quic",
            "--no-first-run",
        ] {
            chromium.add_arg(argument).unwrap();
        }
        for argument in [
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
        ] {
            chromium.add_arg(argument).unwrap();
        }
        let driver = WebDriver::new(&server, chromium).await.expect("Chromium starts");
        driver.set_window_rect(0, 0, 1280, 900).await.unwrap();
        let folder = |variable| std::env::var_os(variable).map(PathBuf::from);
        let (screenshots, pictures) = (folder("STAVE_TEST_SCREENSHOTS"), folder("STAVE_TEST_PICTURES"));
        Some(Self { driver, screenshots, pictures, names: Vec::new() })
    }

    /// Closes the browser.
    pub(crate) async fn leave(self) {
        self.driver.quit().await.unwrap();
    }

    /// The first of these elements that is to be seen.
    pub(crate) async fn find(&self, xpath: String, what: &str) -> WebElement {
        // While the browser goes from one page to the next, what was found may be gone before it is looked at.
        let patience = Instant::now() + Duration::from_secs(20);
        loop {
            let found = self.driver.find_all(By::XPath(xpath.as_str())).await.unwrap_or_default();
            for element in found {
                if element.is_displayed().await.unwrap_or(false) {
                    return element;
                }
            }
            if Instant::now() > patience {
                let text = self.body().await.unwrap_or_default();
                panic!("{what} is not at {}:\n{text}", self.driver.current_url().await.unwrap());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Does something with the first of these elements; again if the page went, or moved, in between.
    async fn with<T>(
        &self,
        (xpath, what): (String, &str),
        act: impl AsyncFn(&WebElement) -> WebDriverResult<T>,
    ) -> T {
        let patience = Instant::now() + Duration::from_secs(20);
        loop {
            match act(&self.find(xpath.clone(), what).await).await {
                Ok(done) => return done,
                Err(error) => assert!(Instant::now() < patience, "{what} does not hold still: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Presses the button or link with this text.
    pub(crate) async fn press(&self, text: &str) {
        let xpath = format!("//*[self::a or self::button or self::summary][normalize-space()='{text}']");
        self.with((xpath, text), async |button| button.click().await).await;
    }

    fn labelled(label: &str) -> String {
        let field = "*[self::input or self::textarea]";
        format!(
            "//*[@id=//label[normalize-space()='{label}']/@for] | //label[normalize-space()='{label}']//{field} | \
             //{field}[@aria-label='{label}']"
        )
    }

    /// Types into the field with this label, in place of what is there.
    pub(crate) async fn fill(&self, label: &str, text: &str) {
        let type_in = async |field: &WebElement| {
            field.clear().await?;
            field.send_keys(text).await
        };
        self.with((Self::labelled(label), label), type_in).await;
    }

    /// What is in the field with this label.
    pub(crate) async fn read(&self, label: &str) -> String {
        let value = async |field: &WebElement| field.prop("value").await;
        self.with((Self::labelled(label), label), value).await.unwrap_or_default()
    }

    /// Ticks the box or chooses the button with this label, unless it is already.
    pub(crate) async fn tick(&self, label: &str) {
        let tick = async |field: &WebElement| {
            if field.is_selected().await? { Ok(()) } else { field.click().await }
        };
        self.with((Self::labelled(label), label), tick).await;
    }

    /// Whether the box or button with this label is chosen.
    pub(crate) async fn is_ticked(&self, label: &str) -> bool {
        self.with((Self::labelled(label), label), async |field| field.is_selected().await).await
    }

    /// Chooses from the list with this label; the texts of its options are part of a label that is around it.
    pub(crate) async fn choose(&self, label: &str, option: &str) {
        let lists = format!(
            "//select[@id=//label[normalize-space()='{label}']/@for] | //label[starts-with(normalize-space(), '{label}')]//select"
        );
        let option = format!("./option[normalize-space()='{option}']");
        let choose = async |list: &WebElement| list.find(By::XPath(option.as_str())).await?.click().await;
        self.with((lists, label), choose).await;
    }

    /// Waits until a text is on the page.
    pub(crate) async fn sees(&self, text: &str) {
        self.find(format!("//*[contains(normalize-space(.), '{text}')]"), text).await;
    }

    /// Waits until a text is not on the page, as when the next page has come.
    pub(crate) async fn misses(&self, text: &str) {
        let patience = Instant::now() + Duration::from_secs(20);
        while self.body().await.is_none_or(|body| body.contains(text)) {
            assert!(
                Instant::now() < patience,
                "{text} is still at {}",
                self.driver.current_url().await.unwrap()
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// What is to be read on the page; nothing while it goes.
    async fn body(&self) -> Option<String> {
        self.driver.find(By::Tag("body")).await.ok()?.text().await.ok()
    }

    pub(crate) async fn open(&self, url: &str) {
        self.driver.goto(url).await.unwrap();
    }

    /// Does something in a second tab, closes it and is back in the first.
    pub(crate) async fn aside<T>(&self, errand: impl Future<Output = T>) -> T {
        let first = self.driver.window().await.unwrap();
        let second = self.driver.new_tab().await.unwrap();
        self.driver.switch_to_window(second).await.unwrap();
        let done = errand.await;
        self.driver.close_window().await.unwrap();
        self.driver.switch_to_window(first).await.unwrap();
        done
    }

    /// Keeps the page as it looks on a desk and on a phone.
    pub(crate) async fn look(&self, name: &str) {
        let Some(folder) = &self.screenshots else { return };
        std::fs::create_dir_all(folder).unwrap();
        for (width, kind) in [(1280, "desk"), (390, "phone")] {
            self.unroll(width).await;
            self.driver.screenshot(&folder.join(format!("{name}-{kind}.png"))).await.unwrap();
        }
        self.driver.set_window_rect(0, 0, 1280, 900).await.unwrap();
    }

    /// Makes the window as high as the page.
    async fn unroll(&self, width: u32) {
        self.driver.set_window_rect(0, 0, width, 900).await.unwrap();
        let height =
            self.driver.execute("return document.documentElement.scrollHeight", vec![]).await.unwrap();
        let height = u32::try_from(height.json().as_u64().unwrap_or(900)).unwrap_or(900).clamp(600, 4000);
        self.driver.set_window_rect(0, 0, width, height + 90).await.unwrap();
    }

    /// On pictures, a server of this machine has such an address as people's have: the same each time, and a readable one.
    pub(crate) fn calls(&mut self, url: &str, there: &str) {
        let host = |url: &str| url.split("//").nth(1).unwrap_or_default().to_owned();
        self.names.extend([(url.to_owned(), there.to_owned()), (host(url), host(there))]);
    }

    /// On pictures, the servers that are called by other names speak https, as people's do: what pages say of plain http is not there.
    pub(crate) fn calls_by_https(&mut self) {
        let certificate = ("none: the connection is not encrypted", "trusted by this machine");
        let replaced = [certificate, (PLAIN_HTTP, "")];
        self.names.extend(replaced.map(|(here, there)| (here.to_owned(), there.to_owned())));
    }

    /// Keeps a part of the page as a picture of the guides, if they are wanted.
    pub(crate) async fn picture(&self, name: &str, css: &str) {
        assert!(PICTURES.contains(&name), "no guide shows {name}");
        let Some(folder) = &self.pictures else { return };
        self.unroll(1280).await;
        let part = self.driver.find(By::Css(css)).await.unwrap();
        self.driver.execute(DISGUISE, vec![json!(self.names), part.to_json().unwrap()]).await.unwrap();
        part.screenshot(&folder.join(format!("{name}.png"))).await.unwrap();
        self.driver.execute(REVEAL, vec![]).await.unwrap();
        self.driver.set_window_rect(0, 0, 1280, 900).await.unwrap();
    }
}
