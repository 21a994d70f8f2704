//! The keys of remote clients.

use super::{begin, new_execution, store_with};
use playdock_host::incidents::{ApiKey, Begun, Limits, NewApiKey, NewExecution, Proof};
use playdock_plugin_api::Timestamp;
use playdock_tests::{SITE_AND_USER, in_postgres_too};

in_postgres_too!(
    a_key_is_stored_as_it_was_made,
    a_name_is_of_one_key_until_it_is_revoked,
    uses_are_noted_and_never_go_back,
    an_execution_is_bound_to_the_key_that_began_it,
);

fn key(name: &str) -> NewApiKey {
    NewApiKey {
        public_id: format!("id of {name}"),
        name: name.to_owned(),
        proof: Proof::Secret([7; 32]),
        limits: Limits::default(),
        expires_at: None,
    }
}

#[test]
fn a_key_is_stored_as_it_was_made() {
    let (_playdock, store) = store_with(SITE_AND_USER);
    assert!(store.keys().expect("the store answers").is_empty());
    let names = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
    let limits = Limits { commands: names(&["A", "B é"]), sites: names(&[]), users: None };
    let signing = NewApiKey {
        proof: Proof::Signature(vec![0, 1, 255]),
        limits,
        expires_at: Some(Timestamp::from_milliseconds(i64::MAX)),
        ..key("signing")
    };
    assert!(store.add_key(&signing).expect("it can be stored"));
    assert!(store.add_key(&key("other")).expect("it can be stored"));
    let keys = store.keys().expect("the store answers");
    let made: Vec<&NewApiKey> = keys.iter().map(|key| &key.made).collect();
    assert_eq!(made, [&signing, &key("other")]);
    let ApiKey { created_at, revoked_at, last_used_at, .. } = &keys[0];
    assert_eq!((revoked_at, last_used_at), (&None, &None));
    let age = Timestamp::now().milliseconds() - created_at.milliseconds();
    assert!((0..60_000).contains(&age), "{age}");
    assert_ne!(keys[0].id, keys[1].id);
}

#[test]
fn a_name_is_of_one_key_until_it_is_revoked() {
    let (_playdock, store) = store_with(SITE_AND_USER);
    let again = |public_id: &str| NewApiKey { public_id: public_id.to_owned(), ..key("key") };
    assert!(store.add_key(&again("1")).expect("it can be stored"));
    assert!(!store.add_key(&again("2")).expect("the store answers"));
    assert!(!store.revoke_key("Key").expect("the store answers"));
    assert!(store.revoke_key("key").expect("the store answers"));
    assert!(!store.revoke_key("key").expect("the store answers"));
    assert!(store.add_key(&again("3")).expect("it can be stored"));
    let keys = store.keys().expect("the store answers");
    let state: Vec<(&str, bool)> =
        keys.iter().map(|key| (key.made.public_id.as_str(), key.revoked_at.is_some())).collect();
    assert_eq!(state, [("1", true), ("3", false)]);
    // All that ask at once find one of them first.
    let stored = std::thread::scope(|scope| {
        let add = |id: usize| {
            let (store, key) = (&store, again(&format!("4-{id}")));
            scope.spawn(move || store.add_key(&NewApiKey { name: "new".to_owned(), ..key }))
        };
        let adding: Vec<_> = (0..8).map(add).collect();
        let added = adding.into_iter().map(|thread| thread.join().expect("it ends"));
        added.filter(|added| matches!(added, Ok(true))).count()
    });
    assert_eq!(stored, 1);
}

#[test]
fn uses_are_noted_and_never_go_back() {
    let (_playdock, store) = store_with(SITE_AND_USER);
    for name in ["a", "b"] {
        assert!(store.add_key(&key(name)).expect("it can be stored"));
    }
    let ids: Vec<_> = store.keys().expect("the store answers").iter().map(|key| key.id).collect();
    let at = Timestamp::from_milliseconds;
    store.note_key_uses(&[(ids[0], at(5)), (ids[1], at(6))]).expect("it can be noted");
    store.note_key_uses(&[(ids[0], at(3))]).expect("it can be noted");
    store.note_key_uses(&[]).expect("there is nothing to note");
    let keys = store.keys().expect("the store answers");
    let used: Vec<_> = keys.iter().map(|key| key.last_used_at).collect();
    assert_eq!(used, [Some(at(5)), Some(at(6))]);
}

#[test]
fn an_execution_is_bound_to_the_key_that_began_it() {
    let (_playdock, store) = store_with(SITE_AND_USER);
    for name in ["a", "b"] {
        assert!(store.add_key(&key(name)).expect("it can be stored"));
    }
    let ids: Vec<_> = store.keys().expect("the store answers").iter().map(|key| key.id).collect();
    let of = |key| NewExecution { api_key: key, ..new_execution("e") };
    assert!(matches!(begin(&*store, &of(Some(ids[0]))), Begun::New(_)));
    assert_eq!(store.begun_by("e").expect("the store answers"), Some(ids[0]));
    for other in [Some(ids[1]), None] {
        assert_eq!(begin(&*store, &of(other)), Begun::Conflict("another API key"));
    }
    assert!(matches!(begin(&*store, &new_execution("keyless")), Begun::New(_)));
    assert_eq!(store.begun_by("keyless").expect("the store answers"), None);
    assert_eq!(store.begun_by("none").expect("the store answers"), None);
}
