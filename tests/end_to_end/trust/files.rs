//! What could be changed by others is not loaded, whoever trusts it; what was checked is what is
//! loaded.

use super::signing::signature_of;
use super::{Folder, assert_refusal, copy_of_the_program};
use playdock_host::plugins::{PluginFile, Trust};
use playdock_tests::{Finished, library};
use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

fn allow(path: &Path, mode: u32) {
    set_permissions(path, Permissions::from_mode(mode)).expect("the mode can be changed");
}

#[test]
fn a_symbolic_link_is_refused_and_the_file_itself_named() {
    let folder = Folder::new();
    folder.trust(&[]);
    let link = folder.playdock.folder().join("link.so");
    symlink(&folder.plugin, &link).expect("a link can be made");
    let words = format!("symbolic link; name the file itself, {}\n", folder.plugin.display());
    assert_refusal(&folder.list(&link), &[&words]);
    let link = link.to_string_lossy();
    assert_refusal(&folder.run(&["plugins", "trust", &link]), &[&words]);
    let inspected = folder.run(&["plugins", "inspect", &link]);
    assert_eq!(inspected.code, Some(0), "{inspected:?}");
}

#[test]
fn a_file_or_a_folder_that_others_may_write_to_is_refused_under_every_policy() {
    let folder = Folder::new();
    folder.trust(&[]);
    let (file, parent) = (&*folder.plugin, folder.plugin.parent().expect("it is in a folder"));
    for (place, unsafe_mode, safe_mode) in [(file, 0o666, 0o644), (parent, 0o777, 0o1777)] {
        allow(place, unsafe_mode);
        let words = format!("others may write to {}; run: chmod go-w", place.display());
        folder.assert_refused(&[&words]);
        let plugin = file.to_string_lossy();
        let any = ["plugins", "list", "--policy", "any", "--plugin", &plugin];
        assert_refusal(&folder.run(&any), &[&words]);
        allow(place, safe_mode);
        folder.assert_runs("locked");
    }
}

#[test]
fn a_lock_file_that_others_may_write_to_is_refused() {
    let folder = Folder::new();
    folder.trust(&[]);
    allow(&folder.lock(), 0o666);
    folder.assert_refused(&["the lock file", "others may write to", "plugins.lock; run: chmod"]);
    allow(&folder.lock(), 0o644);
    folder.assert_runs("locked");
}

#[test]
fn a_signature_that_is_a_link_or_that_others_may_write_to_is_refused() {
    let (folder, signer) = Folder::signed();
    folder.keys(&["add", &signer.key()]);
    let (signature, real) =
        (signature_of(&folder.plugin), folder.plugin.with_file_name("real.minisig"));
    allow(&signature, 0o666);
    let words = format!("others may write to {}; run: chmod go-w", signature.display());
    assert_refusal(&folder.list_signed(), &["its signature", &words]);
    allow(&signature, 0o644);
    assert_eq!(folder.list_signed().code, Some(0));
    std::fs::rename(&signature, &real).expect("it can be moved");
    symlink(&real, &signature).expect("a link can be made");
    let words = format!("symbolic link; name the file itself, {}\n", real.display());
    assert_refusal(&folder.list_signed(), &["its signature", &words]);
}

#[test]
fn the_library_beside_the_program_runs_unless_others_may_write_to_it() {
    let folder = Folder::new();
    let (program, library) = copy_of_the_program(&folder.plugin.with_file_name("program"));
    let list = |more: &[&str]| -> Finished {
        let mut command = Command::new(&program);
        command.args(["plugins", "list", "--output", "json"]).args(more);
        command.current_dir(folder.playdock.folder());
        command.env("HOME", folder.playdock.folder()).env_remove("XDG_CONFIG_HOME");
        command.env_remove("PLAYDOCK_POLICY");
        let child = folder.playdock.start(command);
        child.wait_with_output().expect("it can be waited for").into()
    };
    let listed = list(&[]);
    assert_eq!(listed.code, Some(0), "{listed:?}");
    assert_eq!(listed.answer()[0]["trusted"], "beside the program");
    let signed = list(&["--policy", "signed"]);
    assert_eq!(signed.answer()[0]["trusted"], "beside the program");
    allow(&library, 0o666);
    assert_refusal(&list(&[]), &["others may write to"]);
    allow(&library, 0o644);
    // The one library, and no other that lies there.
    let other = library.with_file_name("other.so");
    std::fs::copy(&library, &other).expect("it can be copied");
    assert_refusal(&list(&["--plugin", &other.to_string_lossy()]), &["is in no lock file"]);
}

#[test]
fn a_file_that_is_swapped_after_the_check_is_not_the_one_that_is_loaded() {
    let folder = Folder::new();
    let file = PluginFile::open(&folder.plugin, &Trust::any());
    let file = file.unwrap_or_else(|error| panic!("{error}"));
    std::fs::copy(library("misbehaving"), &folder.plugin).expect("it can be written over");
    let loaded = file.load().unwrap_or_else(|error| panic!("{error}"));
    let commands: Vec<&str> = loaded.commands().iter().map(|it| &*it.name).collect();
    assert_eq!(commands, ["CloseIncidentInBulk"]);
}
