//! The policy `signed`: a plugin runs if a good signature by a key that somebody trusts, and nobody
//! revokes, lies beside it.

use super::signing::{Signer, signature_of};
use super::{Folder, assert_refusal};
use playdock_tests::{Finished, library};
use std::fs::{read_to_string, write};

impl Folder {
    /// A folder with a signed library, and the key that signed it.
    pub(super) fn signed() -> (Folder, Signer) {
        let (folder, signer) = (Folder::new(), Signer::new());
        signer.sign(&folder.plugin);
        (folder, signer)
    }

    /// Runs `plugins keys`, which must succeed.
    pub(super) fn keys(&self, arguments: &[&str]) -> Finished {
        let finished = self.run(&[&["plugins", "keys"][..], arguments].concat());
        assert_eq!(finished.code, Some(0), "{finished:?}");
        finished
    }

    pub(super) fn list_signed(&self) -> Finished {
        let plugin = self.plugin.to_string_lossy();
        let policy = ["--policy", "signed", "--output", "json"];
        self.run(&[&["plugins", "list", "--plugin", &plugin][..], &policy].concat())
    }

    fn assert_signed_by(&self, signer: &Signer) {
        let listed = self.list_signed();
        assert_eq!((listed.code, listed.errors.as_str()), (Some(0), ""));
        assert_eq!(listed.answer()[0]["trusted"], "signed");
        assert_eq!(listed.answer()[0]["signed_by"], signer.id());
    }

    fn assert_not_signed(&self, words: &[&str]) {
        let plugin = format!("{} is not trusted: ", self.plugin.display());
        assert_refusal(&self.list_signed(), &[&[plugin.as_str()], words].concat());
    }
}

#[test]
fn a_plugin_runs_by_a_good_signature_and_so_does_its_next_build() {
    let (folder, signer) = Folder::signed();
    let file = folder.playdock.file("vendor.pub", signer.file());
    folder.assert_not_signed(&[&signer.id(), "run: playdock plugins keys add KEY.pub\n"]);
    let added = folder.keys(&["add", &file.to_string_lossy(), "--name", "Vendor"]);
    assert!(added.output.contains(&signer.id()) && added.output.contains("Vendor"), "{added:?}");
    folder.assert_signed_by(&signer);

    folder.change();
    let signature = signature_of(&folder.plugin).display().to_string();
    let id = signer.id();
    folder
        .assert_not_signed(&[&format!("not what the key {id} signed in {signature}"), "get both"]);
    signer.sign(&folder.plugin);
    folder.assert_signed_by(&signer);
    // The policy of a lock file is as good, and a policy that is named is above it.
    folder.assert_refused(&["is in no lock file"]);
    let lock = read_to_string(folder.lock()).expect("it can be read");
    write(folder.lock(), format!("policy = 'signed'\n{lock}")).expect("it can be written");
    folder.assert_runs("signed");
    let plugin = folder.plugin.to_string_lossy();
    let list = ["plugins", "list", "--plugin", &plugin, "--policy", "locked"];
    assert_refusal(&folder.run(&list), &["is in no lock file"]);
}

#[test]
fn a_lock_entry_does_not_stand_in_for_a_signature() {
    let folder = Folder::new();
    for more in [&[][..], &["--dev"]] {
        folder.trust(more);
        folder.assert_not_signed(&["there is no signature", "plugin.so.minisig; get it"]);
    }
}

#[test]
fn a_signature_of_another_file_is_bad() {
    let (folder, signer) = Folder::signed();
    folder.keys(&["add", &signer.key()]);
    let other = folder
        .playdock
        .file("other.so", std::fs::read(library("misbehaving")).expect("it is there"));
    signer.sign(&other);
    std::fs::rename(signature_of(&other), signature_of(&folder.plugin)).expect("it can be moved");
    folder.assert_not_signed(&["it is not what the key"]);
}

#[test]
fn a_key_that_is_revoked_counts_no_more_and_is_not_taken_back_by_adding_it() {
    let (folder, signer) = Folder::signed();
    folder.keys(&["add", &signer.key()]);
    folder.assert_signed_by(&signer);
    folder.keys(&["revoke", &signer.id().to_lowercase()]);
    let lock = folder.lock().display().to_string();
    let revoked = format!("signed by the key {}, which {lock} revokes; get a build", signer.id());
    folder.assert_not_signed(&[&revoked]);
    let again = folder.run(&["plugins", "keys", "add", &signer.key()]);
    assert_eq!(again.code, Some(2), "{again:?}");
    assert!(again.errors.contains("is revoked by"), "{again:?}");
    let listed = folder.keys(&["list", "--output", "json"]).answer();
    assert_eq!((&listed[0]["id"], &listed[0]["state"]), (&signer.id().into(), &"revoked".into()));
}

#[test]
fn a_key_may_be_revoked_that_is_not_known() {
    let (folder, signer) = Folder::signed();
    let revoked = folder.keys(&["revoke", &signer.id()]);
    assert!(revoked.errors.contains("which no lock file had"), "{revoked:?}");
    folder.assert_not_signed(&["revokes; get a build"]);
    let wrong = folder.run(&["plugins", "keys", "revoke", "vendor"]);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
}

#[test]
fn a_plugin_that_was_trusted_with_its_signature_is_refused_once_the_key_is_revoked() {
    let (folder, signer) = Folder::signed();
    folder.keys(&["add", &signer.key()]);
    let trusted = folder.trust(&[]);
    assert!(trusted.errors.contains(&signer.id()), "{trusted:?}");
    folder.assert_runs("locked");
    // It is locked: what becomes of its signature doesn't matter.
    write(signature_of(&folder.plugin), "changed").expect("it can be written");
    folder.assert_runs("locked");
    signer.sign(&folder.plugin);
    folder.keys(&["revoke", &signer.id()]);
    folder.assert_refused(&["is not trusted any more", &signer.id(), "remove", "plugins trust"]);
    // As the advice says.
    let plugin = folder.plugin.to_string_lossy();
    assert_refusal(
        &folder.run(&["plugins", "trust", &plugin]),
        &["revokes", "remove the signature"],
    );
    std::fs::remove_file(signature_of(&folder.plugin)).expect("it can be removed");
    folder.trust(&[]);
    folder.assert_runs("locked");
}

#[test]
fn what_has_a_bad_signature_is_not_trusted_and_what_has_an_unknown_one_is() {
    let (folder, signer) = Folder::signed();
    let trusted = folder.trust(&[]);
    assert!(trusted.errors.contains("its signature was not checked"), "{trusted:?}");
    folder.assert_runs("locked");
    folder.keys(&["add", &signer.key()]);
    folder.change();
    let plugin = folder.plugin.to_string_lossy();
    let refused = folder.run(&["plugins", "trust", &plugin]);
    assert_refusal(&refused, &["it is not what the key", "or remove the signature"]);
    folder.assert_refused(&["it has changed since"]);
    folder.trust(&["--dev"]);
    folder.assert_runs("dev");
}

#[test]
fn a_signature_that_is_damaged_or_of_the_old_format_is_refused() {
    let (folder, signer) = Folder::signed();
    folder.keys(&["add", &signer.key()]);
    let place = signature_of(&folder.plugin);
    let good = read_to_string(&place).expect("it can be read");
    let second = good.lines().nth(1).expect("it has two lines").to_owned();
    // The first letters say how it was made.
    let legacy = good.replace(&second, &second.replacen("RU", "RW", 1));
    assert_ne!(legacy, good);
    let damaged = good.replace(&second, "RU");
    let long = format!("{good}{}", "\n".repeat(20_000));
    for (signature, words) in [
        (
            legacy.as_bytes(),
            "has minisign's legacy format, which isn't taken; have it signed again",
        ),
        (damaged.as_bytes(), "is damaged or not minisign's; get it again"),
        (&[0xff, 0xfe], "is damaged or not minisign's"),
        (b"", "is damaged or not minisign's"),
        (long.as_bytes(), "can't be used: it is larger than"),
    ] {
        write(&place, signature).expect("it can be written");
        folder.assert_not_signed(&[words, &place.display().to_string()]);
        let plugin = folder.plugin.to_string_lossy();
        assert_refusal(&folder.run(&["plugins", "trust", &plugin]), &[words]);
    }
    write(&place, good).expect("it can be written");
    folder.assert_signed_by(&signer);
}

#[test]
fn a_key_is_given_by_its_file_or_its_text_and_nothing_else_is_taken_for_one() {
    let (folder, signer) = Folder::signed();
    let (file, other) = (folder.playdock.file("a.pub", signer.file()), Signer::new());
    folder.keys(&["add", &file.to_string_lossy()]);
    folder.keys(&["add", &other.key(), "--name", "Other"]);
    folder.keys(&["add", &signer.key(), "--name", "Once more"]);
    let listed = folder.keys(&["list"]).output;
    for words in [signer.id(), other.id(), "Other".to_owned(), "Once more".to_owned()] {
        assert_eq!(listed.matches(&words).count(), 1, "{words}: {listed}");
    }
    let secret =
        folder.playdock.file("a.key", "untrusted comment: a secret key\nRWQAAEIyAAAAAA==\n");
    for (wrong, words) in [
        ("absent.pub", "absent.pub can't be used: there is no such file"),
        (&*secret.to_string_lossy(), "is not a public key of minisign's; give the file"),
    ] {
        let refused = folder.run(&["plugins", "keys", "add", wrong]);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.errors.contains(words), "{refused:?}");
    }
}
