//! The web servers in front of websites: nginx, Caddy and Apache as Debian packs them, each in a folder and on a port of its own.

use std::{net::TcpListener, path::Path, process::Stdio, time::Duration};
use tempfile::TempDir;
use tokio::{
    io::AsyncReadExt,
    net::TcpStream,
    process::{Child, Command},
};

/// Serves until it is dropped.
pub(crate) struct WebServer {
    folder: TempDir,
    child: Child,
}

/// A port on which nobody listens.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).and_then(|socket| socket.local_addr()).expect("a free port").port()
}

impl WebServer {
    /// nginx with one server on this port, which has these locations.
    pub(crate) async fn nginx(port: u16, locations: &str) -> Self {
        let folder = folder();
        let at = folder.path().display();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {at}/{kind};\n"))
            .concat();
        // One process, so that none is left over.
        let text = format!(
            "daemon off;\nmaster_process off;\npid {at}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}\
             server {{\nlisten 127.0.0.1:{port};\n{locations}\n}}\n}}\n"
        );
        let conf = write(&folder, "nginx.conf", &text);
        Self::start(folder, port, Command::new("nginx").args(["-e", "stderr", "-c", &conf])).await
    }

    /// Caddy with these sites.
    pub(crate) async fn caddy(port: u16, sites: &str) -> Self {
        let folder = folder();
        let text = format!("{{\nadmin off\nauto_https off\ndefault_bind 127.0.0.1\n}}\n{sites}\n");
        let conf = write(&folder, "Caddyfile", &text);
        let at = folder.path().to_owned();
        let mut command = Command::new("caddy");
        command.args(["run", "--adapter", "caddyfile", "--config", &conf]);
        Self::start(
            folder,
            port,
            command.env("HOME", &at).env("XDG_DATA_HOME", &at).env("XDG_CONFIG_HOME", &at),
        )
        .await
    }

    /// Apache with `mod_auth_openidc` and these directives; in the folder that it is asked for, `docs` is the site.
    pub(crate) async fn apache(port: u16, directives: impl FnOnce(&Path) -> String) -> Self {
        let folder = folder();
        let at = folder.path().display();
        let modules: String = [
            "mpm_event",
            "authn_core",
            "authz_core",
            "authz_user",
            "auth_openidc",
            "dir",
            "mime",
            "proxy",
            "proxy_http",
        ]
        .map(|module| format!("LoadModule {module}_module /usr/lib/apache2/modules/mod_{module}.so\n"))
        .concat();
        let text = format!(
            "{modules}ServerRoot {at}\nServerName 127.0.0.1\nListen 127.0.0.1:{port}\nPidFile {at}/pid\nDefaultRuntimeDir {at}\n\
             Mutex file:{at} default\nUser nobody\nGroup nogroup\nErrorLog /dev/stderr\nTypesConfig /etc/mime.types\nKeepAlive Off\n\
             DocumentRoot {at}/docs\n{}\n",
            directives(folder.path())
        );
        let conf = write(&folder, "apache.conf", &text);
        Self::start(folder, port, Command::new("apache2").args(["-X", "-f", &conf])).await
    }

    async fn start(folder: TempDir, port: u16, command: &mut Command) -> Self {
        let path = std::env::var("PATH").unwrap_or_default();
        let command = command.env("PATH", format!("{path}:/usr/sbin:/sbin")).kill_on_drop(true);
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let child = quiet.spawn();
        let child =
            child.unwrap_or_else(|error| panic!("{command:?}: {error}. scripts/test-tools installs it."));
        let mut server = Self { folder, child };
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return server;
            }
            if server.child.try_wait().expect("a status").is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it does not serve:\n{}", server.last_words().await);
    }

    /// Ends it: everything that it wrote to its log.
    pub(crate) async fn last_words(mut self) -> String {
        let _ = self.child.start_kill();
        let mut said = String::new();
        let mut stderr = self.child.stderr.take().expect("a pipe");
        stderr.read_to_string(&mut said).await.expect("it can be read");
        drop(self.folder);
        said
    }
}

/// Apache, started as root, reads it as nobody.
fn folder() -> TempDir {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = TempDir::new().expect("a temporary folder");
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).expect("it is ours");
    folder
}

fn write(folder: &TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, text).expect("it can be written");
    path.display().to_string()
}
