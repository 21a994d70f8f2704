//! Tests that run over each kind of store: what a test does in SQLite, it does in PostgreSQL too.

use std::cell::Cell;

thread_local! {
    static IN_POSTGRES: Cell<bool> = const { Cell::new(false) };
}

/// Runs a test whose new stores are in PostgreSQL.
pub fn in_postgres(test: impl FnOnce()) {
    IN_POSTGRES.set(true);
    test();
    IN_POSTGRES.set(false);
}

/// Whether new stores of this thread are in PostgreSQL.
pub(crate) fn is_in_postgres() -> bool {
    IN_POSTGRES.get()
}

/// Tests of this module, which are over SQLite as they stand, that run over PostgreSQL too.
#[macro_export]
macro_rules! in_postgres_too {
    ($($test:ident),+ $(,)?) => {
        #[cfg(target_os = "linux")]
        mod in_postgres {
            $(
                #[test]
                fn $test() {
                    $crate::in_postgres(super::$test);
                }
            )+
        }
    };
}
