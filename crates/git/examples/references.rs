//! How long it takes to read a mirror: `cargo run --release -p stave-git --example references -- <folder>`, where the
//! folder is a bare repository. It is copied first. Prints microseconds for each reference, and milliseconds for one archive.

use stave_git::{Manifest, Mirror, Target, Tree};
use std::{collections::BTreeSet, env, error::Error, fs, path::Path, time::Instant};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args().nth(1).ok_or("name the folder of a bare repository")?;
    let copy = env::temp_dir().join(format!("stave-references-{}", std::process::id()));
    copy_folder(Path::new(&folder), &copy)?;
    let result = measure(&copy);
    fs::remove_dir_all(copy)?;
    result
}

fn measure(folder: &Path) -> Result<(), Box<dyn Error>> {
    let began_at = Instant::now();
    let mirror = Mirror::open_or_create(folder)?;
    let opened_after = began_at.elapsed();
    let references = mirror.references()?;
    let listed_after = began_at.elapsed();
    let (mut commits, mut blobs) = (0_u32, BTreeSet::new());
    let mut newest = None;
    for reference in references.tags.iter().chain(&references.branches) {
        let Target::Commit { id, .. } = &reference.target else { continue };
        commits += 1;
        newest = Some(id.clone());
        if let Manifest::Found { blob } = mirror.manifest(id)?
            && !blobs.contains(&blob)
        {
            mirror.blob(&blob)?;
            blobs.insert(blob);
        }
    }
    let read_after = began_at.elapsed();
    let each = read_after.as_secs_f64() * 1e6 / f64::from(commits.max(1));
    eprintln!("opened {opened_after:.1?}, listed {listed_after:.1?}, read {read_after:.1?}");
    eprintln!("{commits} references, {} manifests, {each:.0} us each", blobs.len());
    if let Some(commit) = newest {
        let began_at = Instant::now();
        let file = folder.join("archive.zip");
        mirror.archive(
            Tree::root(&commit),
            "top",
            &|_, is_ignored| !is_ignored,
            &mut fs::File::create(&file)?,
        )?;
        eprintln!("archive: {:.1?}, {} bytes", began_at.elapsed(), file.metadata()?.len());
    }
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
