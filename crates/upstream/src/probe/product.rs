//! Other products that people confuse with Bitbucket, or that answer in its place.

use super::ProbeProblem;
use crate::{answer::Answer, page};
use reqwest::header::{SERVER, SET_COOKIE};

/// A product, by what its answers give away.
pub(super) struct Product {
    name: String,
}

/// Name, a header that only it sends, the beginning of a cookie, and what its pages contain; empty if there is none.
struct Mark {
    name: &'static str,
    header: &'static str,
    cookie: &'static str,
    page: &'static [&'static str],
}

const MARKS: [Mark; 9] = [
    Mark {
        name: "GitLab",
        header: "x-gitlab-meta",
        cookie: "_gitlab_session",
        page: &["content=\"gitlab\"", "<title>gitlab", "gitlab</title>"],
    },
    Mark {
        name: "GitHub",
        header: "x-github-request-id",
        cookie: "_gh_sess",
        page: &["<title>github", "github enterprise"],
    },
    Mark {
        name: "Forgejo",
        header: "",
        cookie: "i_like_forgejo",
        page: &["powered by forgejo", "forgejo</title>"],
    },
    Mark { name: "Gitea", header: "", cookie: "i_like_gitea", page: &["powered by gitea", "gitea</title>"] },
    Mark {
        name: "Confluence",
        header: "x-confluence-request-time",
        cookie: "",
        page: &["content=\"confluence\"", "confluence</title>", "id=\"confluence"],
    },
    Mark {
        name: "Jira",
        header: "",
        cookie: "atlassian.xsrf.token",
        page: &["content=\"jira\"", "jira</title>", "/secure/dashboard.jspa", "id=\"jira\""],
    },
    Mark { name: "Bamboo", header: "", cookie: "", page: &["content=\"bamboo\"", "bamboo</title>"] },
    Mark { name: "Jenkins", header: "x-jenkins", cookie: "", page: &["[jenkins]</title>"] },
    Mark { name: "Azure DevOps", header: "x-tfs-processid", cookie: "", page: &[] },
];
/// How servers call themselves that only hand out files, or hand on requests.
const WEB_SERVERS: [&str; 6] = ["nginx", "Apache", "Caddy", "Microsoft-IIS", "lighttpd", "openresty"];

impl Product {
    /// The product behind an answer, if it gives itself away.
    pub(super) fn of(answer: &Answer) -> Option<Self> {
        let html = page::beginning(&answer.body);
        let location = answer.location().map(|to| to.path().to_lowercase()).unwrap_or_default();
        let cookies: Vec<_> =
            answer.headers.get_all(SET_COOKIE).iter().filter_map(|cookie| cookie.to_str().ok()).collect();
        let fits = |mark: &&Mark| {
            let has_cookie = || cookies.iter().any(|cookie| cookie.starts_with(mark.cookie));
            let is_page = |part: &&str| html.contains(*part) || location.contains(*part);
            (!mark.header.is_empty() && answer.header(mark.header).is_some())
                || (!mark.cookie.is_empty() && has_cookie())
                || mark.page.iter().any(is_page)
        };
        let mark = MARKS.iter().find(fits);
        mark.map(|mark| Self { name: mark.name.to_owned() }).or_else(|| Self::web_server(answer, &html))
    }

    /// A server that shows its own page, because nothing is behind it.
    fn web_server(answer: &Answer, html: &str) -> Option<Self> {
        let server = answer.header(SERVER.as_str())?;
        let name = WEB_SERVERS.iter().find(|name| server.starts_with(**name))?;
        let is_own = html.contains(&format!("<center>{}", name.to_lowercase()))
            || html.contains(&format!("welcome to {}", name.to_lowercase()))
            || html.contains(&format!("<address>{}", name.to_lowercase()));
        (is_own && !answer.status.is_server_error())
            .then(|| Self { name: format!("a plain web server ({name})") })
    }

    pub(super) fn problem(self, url: String) -> ProbeProblem {
        ProbeProblem::OtherProduct { url, product: self.name }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::{StatusCode, header::HeaderMap};
    use url::Url;

    fn seen(status: u16, header: (&str, &str), body: &str) -> Option<String> {
        let url = Url::parse("https://git.example.com/rest/api/1.0/application-properties").unwrap();
        let name: reqwest::header::HeaderName = header.0.parse().unwrap();
        let headers = HeaderMap::from_iter([(name, header.1.parse().unwrap())]);
        let mut answer = Answer::new(&url, StatusCode::from_u16(status).unwrap(), headers);
        answer.body = body.as_bytes().to_vec();
        Product::of(&answer).map(|product| product.name)
    }

    #[test]
    fn products_give_themselves_away() {
        let own_page = "<html><head><title>404 Not Found</title></head><center>nginx/1.27</center></html>";
        for (status, header, body, name) in [
            (302, ("x-gitlab-meta", "{}"), "", Some("GitLab")),
            (404, ("set-cookie", "_gitlab_session=1; path=/"), "", Some("GitLab")),
            (404, ("set-cookie", "i_like_gitea=1"), "<html>", Some("Gitea")),
            (404, ("server", "caddy"), "<p>Powered by Forgejo</p>", Some("Forgejo")),
            (404, ("x-github-request-id", "1"), "{}", Some("GitHub")),
            (404, ("x-confluence-request-time", "1"), "", Some("Confluence")),
            (
                200,
                ("server", "x"),
                "<meta name=\"application-name\" content=\"JIRA\" data-name=\"jira\">",
                Some("Jira"),
            ),
            (302, ("location", "/secure/Dashboard.jspa"), "", Some("Jira")),
            (404, ("server", "nginx/1.27"), own_page, Some("a plain web server (nginx)")),
            (502, ("server", "nginx/1.27"), "<center>nginx/1.27</center>", None),
            (404, ("server", "nginx/1.27"), "{\"errors\":[]}", None),
            (404, ("server", "Tomcat"), own_page, None),
        ] {
            assert_eq!(seen(status, header, body).as_deref(), name, "{header:?} {body}");
        }
    }
}
