//! Clients of OpenID Connect that nobody here wrote, in Python and JavaScript. `scripts/test-tools` installs them below `target`.
//!
//! A judge does what a website's server does. Whenever a visitor has to go somewhere it asks, a line of JSON, and is told where their
//! browser came out; its last line is the verdict. See `website/judges/dialog.py`.

use super::website::Visitor;
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

/// Longer than any judge takes, so that one that hangs says so.
const PATIENCE: Duration = Duration::from_secs(20);

/// A judge at work.
pub(crate) struct Judge {
    child: Child,
    stdin: ChildStdin,
    stdout: Lines<BufReader<ChildStdout>>,
}

impl Judge {
    /// A script of `website/judges`, told its task.
    pub(crate) fn python(script: &str, task: &Value) -> Self {
        let mut command = Command::new(tool("judges/bin/python"));
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/website/judges").join(script));
        Self::start(command.env("PYTHONDONTWRITEBYTECODE", "1").arg(task.to_string()))
    }

    /// The text of a script; Node.js finds the packages in the folder in which it is started.
    pub(crate) fn node(script: &str, task: &Value) -> Self {
        let mut command = Command::new("node");
        command.current_dir(tool("node")).args(["--input-type=module", "--eval", script]);
        Self::start(command.arg(task.to_string()))
    }

    fn start(command: &mut Command) -> Self {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = piped.env("NO_PROXY", "127.0.0.1,localhost").kill_on_drop(true).spawn();
        let mut child =
            child.unwrap_or_else(|error| panic!("{command:?}: {error}. scripts/test-tools installs it."));
        let stdin = child.stdin.take().expect("a pipe");
        let stdout = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        Self { child, stdin, stdout }
    }

    /// Plays the visitor until the judge has found its verdict.
    pub(crate) async fn verdict(mut self, visitor: &Visitor) -> Value {
        loop {
            let said = self.line().await;
            if let Some(verdict) = said.get("verdict") {
                return verdict.clone();
            }
            let page = match (said["sign_in"].as_str(), said["visit"].as_str()) {
                (Some(address), _) => visitor.sign_in(address).await,
                (_, Some(address)) => visitor.browser.open(address).await,
                _ => panic!("the judge speaks in riddles: {said}"),
            };
            self.say(&json!({"url": page.url, "status": page.status.as_u16(), "text": page.text()})).await;
        }
    }

    /// Asks one thing, for judges that answer line by line.
    pub(crate) async fn ask(&mut self, question: &Value) -> Value {
        self.say(question).await;
        self.line().await
    }

    async fn say(&mut self, line: &Value) {
        self.stdin.write_all(format!("{line}\n").as_bytes()).await.expect("the judge listens");
    }

    async fn line(&mut self) -> Value {
        let line = timeout(PATIENCE, self.stdout.next_line()).await.expect("the judge speaks in time");
        match line.expect("it can be read") {
            Some(line) => serde_json::from_str(&line).unwrap_or_else(|_| panic!("the judge says: {line}")),
            None => panic!("the judge gives up:\n{}", self.last_words().await),
        }
    }

    async fn last_words(&mut self) -> String {
        let mut said = String::new();
        let mut stderr = self.child.stderr.take().expect("a pipe");
        stderr.read_to_string(&mut said).await.expect("it can be read");
        said
    }
}

/// Something that `scripts/test-tools` installed.
pub(crate) fn tool(path: &str) -> PathBuf {
    let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/test-tools").join(path);
    assert!(tool.exists(), "there is no {}: scripts/test-tools installs it.", tool.display());
    tool
}

/// `PyJWT` and joserfc, who look at signatures.
pub(crate) struct Signatures(Judge);

impl Signatures {
    pub(crate) fn new() -> Self {
        Self(Judge::python("signature.py", &json!({})))
    }

    /// The claims and the header of a token, or why it is not to be trusted.
    pub(crate) async fn judge(
        &mut self,
        token: &str,
        keys: &Value,
        (issuer, audience): (&str, &str),
    ) -> Value {
        let case = json!({"token": token, "keys": keys, "issuer": issuer, "audience": audience});
        self.0.ask(&case).await
    }
}
