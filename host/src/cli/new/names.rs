//! The names of a new command, derived from the one that was given: of its crate, of its library,
//! of the command, and as people read it.

/// The names of a new command.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Names {
    /// `assign-owner`: the folder's name, too.
    pub(super) krate: String,
    /// `assign_owner`
    pub(super) library: String,
    /// `AssignOwner`
    pub(super) command: String,
    /// `Assign Owner`
    pub(super) title: String,
}

/// Words that can't name a crate, since Rust or cargo give them a meaning.
const TAKEN: &[&str] = &[
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "core",
    "crate",
    "do",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "proc_macro",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "yield",
];

impl Names {
    /// Derives the names from one in any of the usual spellings: `assign-owner`, `assign_owner`,
    /// `AssignOwner`.
    ///
    /// # Errors
    ///
    /// A sentence: nothing can be named so.
    pub(super) fn of(given: &str) -> Result<Names, String> {
        let refused =
            |why: &str| Err(format!("{given:?} can't be the name of a new command: {why}"));
        let letters =
            |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
        if given.contains(['/', '\\']) {
            return refused(
                "it is a path; start playdock in the folder in which the new one is to lie",
            );
        }
        if !given.chars().all(letters) {
            return refused("use ASCII letters, digits, - and _");
        }
        let words = words(given);
        let Some(first) = words.first() else {
            return refused("it has no letter");
        };
        if first.starts_with(|character: char| character.is_ascii_digit()) {
            return refused("it begins with a digit");
        }
        let library = words.join("_");
        if TAKEN.contains(&library.as_str()) {
            return refused("Rust has another meaning for it; add a word");
        }
        let capitalised: Vec<String> = words.iter().map(|word| capitalised(word)).collect();
        Ok(Names {
            krate: words.join("-"),
            library,
            command: capitalised.concat(),
            title: capitalised.join(" "),
        })
    }
}

/// The words of a name in lower case: parted by `-` and `_`, and where a capital follows a small
/// letter.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for character in name.chars() {
        let begins = character.is_ascii_uppercase() && !before.is_ascii_uppercase();
        if "-_".contains(character) || begins {
            words.push(String::new());
        }
        if !"-_".contains(character)
            && let Some(word) = words.last_mut()
        {
            word.push(character.to_ascii_lowercase());
        }
        before = character;
    }
    words.retain(|word| !word.is_empty());
    words
}

fn capitalised(word: &str) -> String {
    let (first, rest) = word.split_at(1.min(word.len()));
    first.to_ascii_uppercase() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_is_derived_from_every_spelling() {
        for given in
            ["assign-owner", "assign_owner", "AssignOwner", "assignOwner", "-assign--owner_"]
        {
            let names = Names::of(given).unwrap();
            assert_eq!(
                [&*names.krate, &*names.library, &*names.command, &*names.title],
                ["assign-owner", "assign_owner", "AssignOwner", "Assign Owner"],
                "{given}"
            );
        }
        assert_eq!(Names::of("hello").unwrap().title, "Hello");
        assert_eq!(Names::of("HTML").unwrap().krate, "html");
        assert_eq!(Names::of("close-2nd-round").unwrap().command, "Close2ndRound");
    }

    #[test]
    fn what_can_be_no_name_is_refused_with_its_reason() {
        for (given, why) in [
            ("", "no letter"),
            ("-", "no letter"),
            ("__", "no letter"),
            ("2fast", "begins with a digit"),
            ("-2", "begins with a digit"),
            ("fn", "another meaning"),
            ("Self", "another meaning"),
            ("proc-macro", "another meaning"),
            ("a/b", "it is a path"),
            ("..", "ASCII letters"),
            ("a b", "ASCII letters"),
            ("schließen", "ASCII letters"),
            ("a\u{1b}[31m", "ASCII letters"),
        ] {
            let sentence = Names::of(given).unwrap_err();
            assert!(sentence.contains(why), "{given}: {sentence}");
        }
    }
}
