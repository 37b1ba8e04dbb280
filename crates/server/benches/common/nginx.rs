//! nginx, as teams put it in front of a folder: compressed files beside the others, no log.

use super::process::Process;
use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::Command,
};

/// The password that it lets in, of the user `token`.
pub(crate) const PASSWORD: &str = "secret";
/// The usual way: `openssl passwd -apr1 -salt stavebch secret`.
const PASSWORD_FILE: &str = "token:$apr1$stavebch$";

/// The rule that lets nobody in without a password.
pub(crate) fn password_rule(web: &Path) -> String {
    let hash = Command::new("openssl")
        .args(["passwd", "-apr1", "-salt", "stavebch", PASSWORD])
        .output()
        .expect("openssl makes the password file");
    let hash = String::from_utf8(hash.stdout).unwrap();
    assert!(format!("token:{hash}").starts_with(PASSWORD_FILE), "{hash}");
    fs::write(web.join("passwords"), format!("token:{hash}")).unwrap();
    format!("auth_basic Stave; auth_basic_user_file {}/passwords;", web.display())
}

/// Serves a folder on a port.
pub(crate) fn serve(web: &Path, (name, port): (&str, u16), rule: &str) -> Process {
    // Its processes may run as somebody else, who has to read the files.
    fs::set_permissions(web, Permissions::from_mode(0o755)).unwrap();
    let at = web.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {at}/{name}-{kind};\n"))
        .concat();
    let text = format!(
        "daemon off;\nmaster_process off;\npid {at}/{name}.pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\nsendfile on;\n\
         gzip_static on;\nif_modified_since exact;\nkeepalive_requests 1000000000;\ntypes {{ application/json json; application/zip zip; }}\n\
         {temporary}server {{\nlisten 127.0.0.1:{port};\nroot {at};\n{rule}\n}}\n}}\n"
    );
    let conf = web.join(format!("{name}.conf"));
    fs::write(&conf, text).unwrap();
    Process::nginx(&conf, port)
}
