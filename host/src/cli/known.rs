//! Sites and commands that are named on the command line, held against those that there are.

use super::exit::Failure;
use super::terminal;
use crate::incidents::Store;

/// How many names a sentence lists.
const LISTED: usize = 10;

/// Refuses a site that the store doesn't have.
pub(super) fn check_site(store: &dyn Store, site: &str) -> Result<(), Failure> {
    if store.site(site)?.is_some() {
        return Ok(());
    }
    Err(Failure::usage(unknown_site(site, &store.site_names()?)))
}

fn unknown_site(site: &str, names: &[String]) -> String {
    if names.is_empty() {
        return format!(
            "there is no site \"{site}\"; the store has no sites: import some first, with \
             playdock incidents import FILE"
        );
    }
    let names = nearest_first(site, names.iter().map(String::as_str));
    format!("there is no site \"{site}\"; the store has {names}")
}

/// Names for a sentence, those like the given one first.
pub(super) fn nearest_first<'a>(given: &str, names: impl Iterator<Item = &'a str>) -> String {
    let given = given.to_lowercase();
    let mut names: Vec<&str> = names.collect();
    names.sort_by_cached_key(|name| {
        let distance = strsim::damerau_levenshtein(&given, &name.to_lowercase());
        (distance, (*name).to_owned())
    });
    let more = names.len().saturating_sub(LISTED);
    names.truncate(LISTED);
    let listed = terminal::safe(&names.join(", "));
    match more {
        0 => listed,
        _ => format!("{listed} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_site_is_answered_with_those_that_there_are_the_nearest_first() {
        let names = ["SOC Tokyo".to_owned(), "SOC Berlin".to_owned()];
        assert_eq!(
            unknown_site("SOC berlin", &names),
            "there is no site \"SOC berlin\"; the store has SOC Berlin, SOC Tokyo"
        );
        assert!(unknown_site("A", &[]).contains("has no sites: import some first"));
    }

    #[test]
    fn a_long_list_is_cut() {
        let names: Vec<String> = (1..=12).map(|number| format!("Site {number:02}")).collect();
        let listed = nearest_first("Site 12", names.iter().map(String::as_str));
        assert!(listed.starts_with("Site 12, "), "{listed}");
        assert!(listed.ends_with(" and 2 more"), "{listed}");
    }
}
