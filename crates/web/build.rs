//! Lists the pictures of the guides, so that those which are there go into the binary: they are made by `scripts/screenshots`, and
//! none has to exist for Stave to be built.

use std::{env, error::Error, fmt::Write, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let guides = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../docs/guides").canonicalize()?;
    println!("cargo::rerun-if-changed={}", guides.display());
    let mut names = Vec::new();
    let pictures = guides.join("images");
    if pictures.exists() {
        for entry in fs::read_dir(&pictures)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if Path::new(&name).extension().is_some_and(|kind| kind == "png") {
                names.push(name);
            }
        }
    }
    names.sort();
    let mut list = String::from("&[");
    for name in names {
        let path = pictures.join(&name);
        let path = path.to_str().ok_or("the folder of the project has a name that is not UTF-8")?;
        write!(list, "({name:?}, include_bytes!({path:?})),")?;
    }
    list.push(']');
    fs::write(Path::new(&env::var("OUT_DIR")?).join("pictures.rs"), list)?;
    Ok(())
}
