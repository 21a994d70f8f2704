//! Two lock files at once, as a user's and the system's are: what one allows is allowed, and what
//! one revokes is refused.

use super::Folder;
use super::signing::{Signer, signature_of};
use playdock_host::plugins::{LockFile, PluginError, PluginFile, Trust, Trusted};
use std::path::{Path, PathBuf};

/// A folder with a signed library and two lock files, of which there is none yet.
struct Locks {
    folder: Folder,
    own: PathBuf,
    of_the_system: PathBuf,
}

impl Locks {
    fn new() -> (Locks, Signer) {
        let (folder, signer) = Folder::signed();
        let place = folder.plugin.with_file_name("etc");
        std::fs::create_dir(&place).expect("a folder can be made");
        let (own, of_the_system) = (folder.lock(), place.join("plugins.lock"));
        (Locks { folder, own, of_the_system }, signer)
    }

    fn write(&self, lock: &Path, action: &[&str]) {
        let (lock, plugin) = (lock.to_string_lossy(), self.folder.plugin.to_string_lossy());
        let mut arguments = vec!["plugins"];
        arguments.extend(action.iter().map(|it| if *it == "FILE" { &*plugin } else { it }));
        arguments.extend(["--lock", &lock]);
        let finished = self.folder.run(&arguments);
        assert_eq!(finished.code, Some(0), "{finished:?}");
    }

    fn read(&self) -> Vec<LockFile> {
        let paths = [&self.own, &self.of_the_system];
        paths.map(|path| LockFile::read(path).expect("it can be read")).into()
    }

    fn open(&self, trust: &Trust) -> Result<Trusted, PluginError> {
        PluginFile::open(&self.folder.plugin, trust).map(|file| file.trusted())
    }

    fn locked(&self) -> Result<Trusted, PluginError> {
        self.open(&Trust::locked(self.read()))
    }

    fn signed(&self) -> Result<&'static str, PluginError> {
        self.open(&Trust::signed(self.read())).map(Trusted::word)
    }
}

#[test]
fn either_lock_file_allows_a_plugin() {
    let (locks, _) = Locks::new();
    assert!(matches!(locks.locked(), Err(PluginError::NotTrusted { .. })));
    locks.write(&locks.of_the_system, &["trust", "FILE"]);
    assert_eq!(locks.locked(), Ok(Trusted::Locked));
    locks.write(&locks.own, &["trust", "--dev", "FILE"]);
    assert_eq!(locks.locked(), Ok(Trusted::Locked));
    locks.folder.change();
    assert_eq!(locks.locked(), Ok(Trusted::Dev));
    locks.write(&locks.own, &["untrust", "FILE"]);
    assert!(matches!(locks.locked(), Err(PluginError::Changed { .. })));
}

#[test]
fn a_revocation_in_either_lock_file_counts_against_a_key_in_the_other() {
    for (trusting, revoking) in [(0, 1), (1, 0)] {
        let (locks, signer) = Locks::new();
        let paths = [&locks.own, &locks.of_the_system];
        locks.write(paths[trusting], &["keys", "add", &signer.key()]);
        locks.write(paths[trusting], &["trust", "FILE"]);
        assert_eq!((locks.signed(), locks.locked()), (Ok("signed"), Ok(Trusted::Locked)));
        locks.write(paths[revoking], &["keys", "revoke", &signer.id()]);
        let refused = locks.signed().expect_err("its key is revoked").to_string();
        let by = format!("{} revokes", paths[revoking].display());
        assert!(refused.contains(&by), "{refused}");
        let refused = locks.locked().expect_err("its key is revoked").to_string();
        assert!(refused.contains(&by), "{refused}");
        // Nor does another entry for the same bytes help.
        std::fs::remove_file(signature_of(&locks.folder.plugin)).expect("it can be removed");
        locks.write(paths[revoking], &["trust", "FILE"]);
        assert!(matches!(locks.locked(), Err(PluginError::SignerRevoked { .. })));
    }
}

#[test]
fn a_refusal_repeats_the_lock_file_that_was_named() {
    let folder = Folder::new();
    folder.playdock.file("team.lock", "");
    let plugin = folder.plugin.to_string_lossy();
    let list = ["plugins", "list", "--plugin", &plugin, "--lock", "team.lock"];
    let advice = format!("run: playdock plugins trust {plugin} --lock team.lock\n");
    super::assert_refusal(&folder.run(&list), &[&advice]);
    folder.trust(&["--lock", "team.lock"]);
    folder.change();
    super::assert_refusal(&folder.run(&list), &[&advice]);
    Signer::new().sign(&folder.plugin);
    let advice = "playdock plugins keys add KEY.pub --lock team.lock\n";
    super::assert_refusal(&folder.run(&[&list[..], &["--policy", "signed"]].concat()), &[advice]);
}

#[test]
fn plugins_that_are_trusted_at_the_same_time_are_all_kept() {
    let folder = Folder::new();
    let start = |number: usize| {
        let copy = folder.plugin.with_file_name(format!("{number}.so"));
        std::fs::copy(&folder.plugin, &copy).expect("it can be copied");
        let copy = copy.to_string_lossy();
        let command = folder.playdock.command(&["plugins", "trust", "--dev", &copy]);
        folder.playdock.start(command)
    };
    let running: Vec<_> = (0..8).map(start).collect();
    for child in running {
        let finished = child.wait_with_output().expect("it can be waited for");
        assert!(finished.status.success(), "{finished:?}");
    }
    let lock = std::fs::read_to_string(folder.lock()).expect("it can be read");
    assert_eq!(lock.matches("[[plugin]]").count(), 8, "{lock}");
}
