//! Building what the tests run, once for each process, in the profile that the tests have; or taking
//! what another compiler or another release built.

use once_cell::sync::OnceCell;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The program; another one where `PLAYDOCK_PROGRAM` names it.
pub fn program() -> PathBuf {
    if let Some(other) = std::env::var_os("PLAYDOCK_PROGRAM") {
        return other.into();
    }
    output_folder().join(format!("playdock{}", std::env::consts::EXE_SUFFIX))
}

/// A library by the name of its crate, with underscores: `close_incident_in_bulk`, or a fixture; out
/// of another folder where `PLAYDOCK_LIBRARIES` names one.
pub fn library(name: &str) -> PathBuf {
    use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
    let other = std::env::var_os("PLAYDOCK_LIBRARIES").map(PathBuf::from);
    let folder = other.unwrap_or_else(|| output_folder().to_owned());
    let path = folder.join(format!("{DLL_PREFIX}{name}{DLL_SUFFIX}"));
    assert!(path.exists(), "there is no library {}", path.display());
    path
}

/// The folder into which cargo builds, with everything in it.
fn output_folder() -> &'static Path {
    static FOLDER: OnceCell<PathBuf> = OnceCell::new();
    FOLDER.get_or_try_init(build).expect("the workspace builds")
}

fn build() -> Result<PathBuf, String> {
    let test = std::env::current_exe().map_err(|error| error.to_string())?;
    // target/PROFILE/deps/TEST
    let folder = test.ancestors().nth(2).ok_or("the test is in no folder")?.to_owned();
    // On a system that is emulated, cargo can't be run from here.
    if std::env::var_os("PLAYDOCK_BUILT").is_some() {
        return Ok(folder);
    }
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(workspace).args(["build", "--quiet", "--workspace", "--lib", "--bins"]);
    if folder.ends_with("release") {
        cargo.arg("--release");
    }
    let status = cargo.status().map_err(|error| error.to_string())?;
    if status.success() { Ok(folder) } else { Err(format!("cargo build: {status}")) }
}
