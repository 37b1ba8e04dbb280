//! A Composer repository as Satis writes it: 200 packages that need one another, as files.

use serde_json::{Map, Value, json};
use sha1::{Digest as _, Sha1};
use std::{
    fmt::Write as _,
    fs,
    io::{Cursor, Write as _},
    path::Path,
};
use zip::{ZipWriter, write::SimpleFileOptions};

pub(crate) const PACKAGES: usize = 200;
/// So many of them a project names itself; the others come with them.
pub(crate) const NAMED: usize = 40;
/// How many versions packages have, in turns.
const VERSIONS: [usize; 10] = [8, 15, 24, 40, 60, 90, 120, 180, 250, 400];

type Keys = Map<String, Value>;

/// Packages that need one another, each with the zip of its newest version.
pub(crate) struct Upstream(Vec<Library>);

struct Library {
    number: usize,
    zip: Vec<u8>,
}

pub(crate) fn name(number: usize) -> String {
    format!("{}/lib-{number}", ["acme", "blue", "core", "delta", "echo"][number % 5])
}

fn count(number: usize) -> usize {
    VERSIONS[number % VERSIONS.len()]
}

/// The major of one in a line of versions.
fn major(version: usize) -> usize {
    1 + version / 100
}

fn newest_major(number: usize) -> usize {
    major(count(number) - 1)
}

/// Whom a package needs: each one of the others is needed by somebody.
fn needs(number: usize) -> Vec<usize> {
    let mut others = vec![number + NAMED, number + NAMED + 1 + number % 23, number + 97];
    others.retain(|other| *other < PACKAGES);
    others.dedup();
    others
}

impl Upstream {
    pub(crate) fn new() -> Self {
        Self((0..PACKAGES).map(|number| Library { number, zip: zip(number) }).collect())
    }

    /// The repository as files, of which the world knows the folder by this address.
    pub(crate) fn write(&self, folder: &Path, address: &str) {
        for library in &self.0 {
            let name = name(library.number);
            let versions = library.versions(address);
            put(
                folder,
                &format!("p2/{name}.json"),
                &json!({"packages": {&name: minified(&versions)}, "minified": "composer/2.0"}),
            );
            put(
                folder,
                &format!("p2/{name}~dev.json"),
                &json!({"packages": {&name: []}, "minified": "composer/2.0"}),
            );
            let file = folder.join(dist_path(library.number, count(library.number) - 1));
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, &library.zip).unwrap();
        }
        put(folder, "packages.json", &root());
    }

    /// How large the zips are together, in bytes.
    pub(crate) fn zip_bytes(&self) -> usize {
        self.0.iter().map(|library| library.zip.len()).sum()
    }

    /// How many versions there are.
    pub(crate) fn versions() -> usize {
        (0..PACKAGES).map(count).sum()
    }
}

/// What packages.json says.
pub(crate) fn root() -> Value {
    let names: Vec<String> = (0..PACKAGES).map(name).collect();
    json!({"packages": [], "metadata-url": "/p2/%package%.json", "available-packages": names})
}

/// A file, and beside it the same compressed.
fn put(folder: &Path, path: &str, content: &Value) {
    let (path, text) = (folder.join(path), content.to_string());
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(text.as_bytes()).unwrap();
    fs::write(format!("{}.gz", path.display()), packed.finish().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn reference(number: usize, version: usize) -> String {
    hex::encode(Sha1::digest(format!("{number} {version}")))
}

fn dist_path(number: usize, version: usize) -> String {
    format!("dist/{}/{}.zip", name(number), reference(number, version))
}

impl Library {
    /// The newest first.
    fn versions(&self, address: &str) -> Vec<Keys> {
        (0..count(self.number)).rev().map(|version| self.version(version, address)).collect()
    }

    fn version(&self, version: usize, address: &str) -> Keys {
        let (number, name) = (self.number, name(self.number));
        let reference = reference(number, version);
        let is_newest = version + 1 == count(number);
        let bytes = if is_newest { &self.zip[..] } else { reference.as_bytes() };
        let pretty = format!("{}.{}.{}", major(version), version / 10 % 10, version % 10);
        let time =
            jiff::Timestamp::from_second(1_500_000_000 + 500_000 * i64::try_from(version).unwrap()).unwrap();
        let keys = json!({
            "name": name,
            "description": format!("What every project needs, part {number}"),
            "keywords": ["log", "mail", "queue", "console"],
            "homepage": "https://acme.example",
            "version": format!("v{pretty}"),
            "version_normalized": format!("{pretty}.0"),
            "license": ["MIT"],
            "authors": [
                {"name": "Ada Example", "email": "ada@acme.example"},
                {"name": "Acme Community", "homepage": "https://acme.example/contributors"},
            ],
            "source": {"type": "git", "url": format!("https://git.example.com/{name}.git"), "reference": reference},
            "dist": {
                "type": "zip", "url": format!("{address}/{}", dist_path(number, version)),
                "reference": reference, "shasum": hex::encode(Sha1::digest(bytes)),
            },
            "type": "library",
            "support": {"source": format!("https://git.example.com/{name}/tree/v{pretty}")},
            "time": time.to_string(),
            "autoload": {"psr-4": {format!("Lib{number}\\"): "src/"}, "exclude-from-classmap": ["/Tests/"]},
            "require": require(number, version),
            "require-dev": {"acme/testing": format!("^{}.0", major(version)), "acme/style": "^3.4"},
        });
        keys.as_object().unwrap().clone()
    }
}

/// Releases of the newest line take every line of the others, older ones the first alone.
fn require(number: usize, version: usize) -> Value {
    let mut require = Keys::new();
    require.insert("php".into(), json!(format!(">=7.{}", major(version))));
    for other in needs(number) {
        let lines = if major(version) == newest_major(number) { newest_major(other) } else { 1 };
        let lines: Vec<String> = (1..=lines).map(|line| format!("^{line}.0")).collect();
        require.insert(name(other), json!(lines.join(" || ")));
    }
    Value::Object(require)
}

/// Each version by its difference from the one before (composer/metadata-minifier); all have the same keys.
fn minified(versions: &[Keys]) -> Vec<Keys> {
    let mut all = versions[..1].to_vec();
    for pair in versions.windows(2) {
        let differs = |(key, value): &(&String, &Value)| pair[0].get(*key) != Some(value);
        all.push(pair[1].iter().filter(differs).map(|(key, value)| (key.clone(), value.clone())).collect());
    }
    all
}

/// A zip of 20 to 500 kB, more often a small one, as code hosts make them.
fn zip(number: usize) -> Vec<u8> {
    let folder = name(number).replace('/', "-");
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let mut file = |path: &str, text: &str| {
        zip.start_file(format!("{folder}/{path}"), SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    };
    let autoload = json!({"psr-4": {format!("Lib{number}\\"): "src/"}});
    let newest = require(number, count(number) - 1);
    file(
        "composer.json",
        &json!({"name": name(number), "require": newest, "autoload": autoload}).to_string(),
    );
    let mut words = Words(number as u64 + 1);
    // Cubes, of which most are small.
    let place = number * 37 % PACKAGES;
    for class in 0..14 + 340 * place.pow(3) / PACKAGES.pow(3) {
        file(&format!("src/Part{class}.php"), &words.class(number, class));
    }
    zip.finish().unwrap().into_inner()
}

/// Words by chance (xorshift), the same each time.
struct Words(u64);

impl Words {
    fn number(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn word(&mut self) -> &'static str {
        const WORDS: [&str; 16] = [
            "request",
            "response",
            "container",
            "service",
            "listener",
            "builder",
            "resolver",
            "message",
            "handler",
            "factory",
            "option",
            "value",
            "context",
            "result",
            "parser",
            "reader",
        ];
        WORDS[usize::try_from(self.number() % 16).unwrap()]
    }

    /// A class of some 6 kB, of which a quarter is left when it is compressed.
    fn class(&mut self, number: usize, class: usize) -> String {
        let mut text = format!("<?php\n\nnamespace Lib{number};\n\nfinal class Part{class}\n{{\n");
        for method in 0..32 {
            let (first, second, value) = (self.word(), self.word(), self.number());
            _ = write!(
                text,
                "    public function {first}{method}(string ${second}): string\n    {{\n        $this->{first}->{second}(${second}, '{value:x}');\n\n        \
                 return $this->{}[{value}] ?? ${second};\n    }}\n\n",
                self.word()
            );
        }
        text + "}\n"
    }
}
